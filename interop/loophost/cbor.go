package main

import (
	"encoding/binary"
	"encoding/json"
	"math/big"
	"time"

	"interop/expect"
)

// What crosses to a general reader and to a configured codec is CBOR in its core deterministic form, as chainlink-common
// writes it: maps by the names of fields, the short names first. This is the little of it that the cases need.

const (
	cborBytes = 2
	cborText  = 3
	cborList  = 4
	cborMap   = 5
	cborTag   = 6
)

// cborNull is no value.
const cborNull = 0xf6

// head begins an item: its kind, and a number in its shortest form.
func head(to []byte, kind byte, number uint64) []byte {
	kind <<= 5
	switch {
	case number < 24:
		return append(to, kind|byte(number))
	case number < 1<<8:
		return append(to, kind|24, byte(number))
	case number < 1<<16:
		return binary.BigEndian.AppendUint16(append(to, kind|25), uint16(number))
	case number < 1<<32:
		return binary.BigEndian.AppendUint32(append(to, kind|26), uint32(number))
	default:
		return binary.BigEndian.AppendUint64(append(to, kind|27), number)
	}
}

func word(to []byte, text string) []byte {
	return append(head(to, cborText, uint64(len(text))), text...)
}

func blob(to, bytes []byte) []byte {
	return append(head(to, cborBytes, uint64(len(bytes))), bytes...)
}

// integer is short where 64 bits hold it, and a sign is not one of them.
func integer(to []byte, number *big.Int) []byte {
	kind := byte(0)
	if number.Sign() < 0 {
		kind, number = 1, new(big.Int).Not(number)
	}
	if number.IsUint64() {
		return head(to, kind, number.Uint64())
	}
	return blob(head(to, cborTag, 2+uint64(kind)), number.Bytes())
}

func integers(to []byte, numbers []*big.Int) []byte {
	to = head(to, cborList, uint64(len(numbers)))
	for _, number := range numbers {
		to = integer(to, number)
	}
	return to
}

// medianReport is the structure that the median passes to a codec.
func medianReport(timestamp uint32, observers []byte, observations []*big.Int, juels, gas *big.Int) []byte {
	to := head(nil, cborMap, 5)
	to = blob(word(to, "Observers"), append(observers[:len(observers):len(observers)], make([]byte, 32-len(observers))...))
	to = head(word(to, "Timestamp"), 0, uint64(timestamp))
	to = integers(word(to, "Observations"), observations)
	to = integer(word(to, "GasPriceSubunit"), gas)
	return integer(word(to, "JuelsPerFeeCoin"), juels)
}

// instant is text, and nothing at Go's zero time.
func instant(to []byte, from json.RawMessage) []byte {
	var seconds, nanos int64
	tuple(from, &seconds, &nanos)
	at := time.Unix(seconds, nanos).UTC()
	if at.IsZero() {
		return append(to, cborNull)
	}
	return word(to, at.Format(time.RFC3339Nano))
}

// stateFields are what a contract tells, in the recording's order.
var stateFields = []string{"ConfigDigest", "Epoch", "Round", "LatestAnswer", "LatestTimestamp"}

// contractState is what a reader wrote, by the names of the fields.
func contractState(fields map[string]json.RawMessage) []byte {
	to := head(nil, cborMap, uint64(len(fields)))
	for _, name := range []string{"Epoch", "Round", "ConfigDigest", "LatestAnswer", "LatestTimestamp"} {
		field, ok := fields[name]
		if !ok {
			continue
		}
		to = word(to, name)
		switch name {
		case "Epoch", "Round":
			var number uint64
			decode(field, &number)
			to = head(to, 0, number)
		case "ConfigDigest":
			var digestName string
			decode(field, &digestName)
			to = blob(to, digest(digestName))
		case "LatestAnswer":
			if number := expect.Must(fake(field)); number != nil {
				to = integer(to, number)
			} else {
				to = append(to, cborNull)
			}
		case "LatestTimestamp":
			to = instant(to, field)
		}
	}
	return to
}
