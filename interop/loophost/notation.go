package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"interop/expect"
	"interop/loopnet"
	"interop/pb/loop"
)

// packed are bytes in the recording's notation: hex, with [n] for n bytes 00 and {n} for n bytes ff.
type packed []byte

// UnmarshalJSON reads the notation.
func (p *packed) UnmarshalJSON(from []byte) error {
	var text string
	if err := json.Unmarshal(from, &text); err != nil {
		return err
	}
	*p = unpack(text)
	return nil
}

func unpack(text string) []byte {
	all := []byte{}
	for text != "" {
		if end := strings.IndexAny(text, "]}"); text[0] == '[' || text[0] == '{' {
			one := []byte{0}
			if text[0] == '{' {
				one[0] = 0xff
			}
			all = append(all, bytes.Repeat(one, expect.Must(strconv.Atoi(text[1:end])))...)
			text = text[end+1:]
			continue
		}
		all = append(all, expect.Must(hex.DecodeString(text[:2]))...)
		text = text[2:]
	}
	return all
}

func pack(all []byte) string {
	var text strings.Builder
	for len(all) > 0 {
		run := 1
		for run < len(all) && all[run] == all[0] {
			run++
		}
		switch {
		case run >= 3 && all[0] == 0:
			fmt.Fprintf(&text, "[%d]", run)
		case run >= 3 && all[0] == 0xff:
			fmt.Fprintf(&text, "{%d}", run)
		default:
			text.WriteString(strings.Repeat(hex.EncodeToString(all[:1]), run))
		}
		all = all[run:]
	}
	return text.String()
}

func decode(from []byte, into any) { expect.No(json.Unmarshal(from, into)) }

// tuple reads the first elements of a list, each into its own variable; nil leaves one out.
func tuple(from json.RawMessage, into ...any) {
	var all []json.RawMessage
	decode(from, &all)
	for i, it := range into {
		if it != nil && i < len(all) {
			decode(all[i], it)
		}
	}
}

// or is what a case says, or the usual.
func or(said json.RawMessage, usual string) json.RawMessage {
	if said != nil {
		return said
	}
	return json.RawMessage(usual)
}

func bigOf(text string) (*big.Int, error) {
	number, ok := new(big.Int).SetString(text, 10)
	if !ok {
		return nil, errors.New("no number: " + text)
	}
	return number, nil
}

// failure is the error that a case scripts for a fake, if any.
func failure(from json.RawMessage) error {
	var it struct{ Err *string }
	if json.Unmarshal(from, &it) == nil && it.Err != nil {
		return errors.New(*it.Err)
	}
	return nil
}

// fake is a number, no number, or an error.
func fake(from json.RawMessage) (*big.Int, error) {
	if err := failure(from); err != nil {
		return nil, err
	}
	var text *string
	if len(from) > 0 {
		decode(from, &text)
	}
	if text == nil {
		return nil, nil
	}
	return bigOf(*text)
}

// digest by name; own if there is none.
func digest(name string) []byte {
	all := make([]byte, 32)
	for i := range all {
		switch {
		case name == "zero":
		case i < 2:
			all[i] = byte(i)
		case name == "other":
			all[i] = 0xf0 - byte(i)
		default:
			all[i] = byte(i) + 1
		}
	}
	return all
}

// observations are rows of `observer timestamp value juels [gas]`, or of `observer xBYTES`.
func observations(rows string) (all []*loop.AttributedObservation) {
	for _, row := range strings.Split(rows, ";") {
		if row == "" {
			continue
		}
		fields := strings.Split(row, " ")
		observer := uint32(expect.Must(strconv.Atoi(fields[0])))
		var observation []byte
		if raw, ok := strings.CutPrefix(fields[1], "x"); ok {
			observation = unpack(raw)
		} else {
			if at := now + expect.Must(strconv.ParseInt(fields[1], 10, 64)); at != 0 {
				observation = protowire.AppendTag(observation, 1, protowire.VarintType)
				observation = protowire.AppendVarint(observation, uint64(at))
			}
			for i, number := range fields[2:] {
				observation = protowire.AppendTag(observation, protowire.Number(2+i), protowire.BytesType)
				observation = protowire.AppendBytes(observation, value(number))
			}
		}
		all = append(all, &loop.AttributedObservation{Observer: observer, Observation: observation})
	}
	return all
}

// value is a number as observations have it: 24 bytes of two's complement.
func value(text string) []byte {
	number := expect.Must(bigOf(text))
	if number.Sign() < 0 {
		number.Add(number, new(big.Int).Lsh(big.NewInt(1), 192))
	}
	return number.FillBytes(make([]byte, 24))
}

func number(text string) *big.Int { return expect.Must(bigOf(text)) }

func numbers(texts []string) (all []*big.Int) {
	for _, text := range texts {
		all = append(all, number(text))
	}
	return all
}

// parsed are rows of `timestamp value juels gas observer`.
func parsed(from json.RawMessage) (all []*loop.ParsedAttributedObservation) {
	var rows string
	decode(from, &rows)
	for _, row := range strings.Split(rows, ";") {
		if row == "" {
			continue
		}
		fields := strings.Split(row, " ")
		number := func(i int) *loop.BigInt {
			if fields[i] == "-" {
				return nil
			}
			return loopnet.BigInt(expect.Must(bigOf(fields[i])))
		}
		all = append(all, &loop.ParsedAttributedObservation{
			Timestamp: uint32(expect.Must(strconv.ParseUint(fields[0], 10, 32))),
			Value:     number(1), JulesPerFeeCoin: number(2), GasPriceSubunits: number(3),
			Observer: uint32(expect.Must(strconv.Atoi(fields[4]))),
		})
	}
	return all
}

// offchainConfig reports and accepts moves of that many billionths, and what is older than so many nanoseconds.
func offchainConfig(move, age uint64) (config []byte) {
	for field, number := range map[protowire.Number]uint64{2: move, 4: move, 5: age} {
		config = protowire.AppendVarint(protowire.AppendTag(config, field, protowire.VarintType), number)
	}
	return config
}
