package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/grpc/status"

	"interop/expect"
	"interop/loopnet"
	"interop/pb/loop"
)

// What the genuine median of libocr and chainlink-feeds did is in tests/golden/median.json, whose notation
// examples/median/tests/golden explains. Here the plugin that must do the same is in another process, and so are the report codec
// and the codec of the onchain config: those are the relayer's. Left out is what cannot cross: deviation functions of the
// recording's own, and observations without a gas price, which a median in a process of its own always has.

const (
	// Where the clock stood.
	now = 1_700_000_000
	// A config of the table that many sections use.
	usual = 21
)

// recorded is one case: what went in is read by whoever knows the section.
type recorded struct {
	In    json.RawMessage
	Out   json.RawMessage
	Error *string
	Panic *string
	Query packed
}

type recording struct {
	Configs            []json.RawMessage
	Factory            []recorded
	Observation        []recorded
	Transmit           []transmitCase
	Report             map[string][]reportCase
	AcceptSequences    []acceptCase `json:"accept_sequences"`
	Deviation          []json.RawMessage
	Pendle             []recorded
	PendleNew          []recorded `json:"pendle_new"`
	EvmBuild           []recorded `json:"evm_build"`
	EvmMedian          []recorded `json:"evm_median"`
	EvmMaxReportLength []recorded `json:"evm_max_report_length"`
	OnchainEncode      []recorded `json:"onchain_encode"`
	OnchainDecode      []recorded `json:"onchain_decode"`

	GenericBuild           []recorded `json:"generic_build"`
	GenericMedian          []recorded `json:"generic_median"`
	GenericMaxReportLength []recorded `json:"generic_max_report_length"`
	ContractReader         []recorded `json:"contract_reader"`
}

func readRecording() (all recording) {
	expect.That(len(os.Args) == 4, "the golden cases need their file")
	decode(expect.Must(os.ReadFile(os.Args[3])), &all)
	return all
}

// check holds an outcome to the recorded one; where Go panicked, an error.
func (c *recorded) check(came any, err error) {
	switch {
	case err == nil:
		expect.That(c.Out != nil, "%s: no error, but %v", c.In, came)
		var wanted any
		decode(c.Out, &wanted)
		expect.Equal(string(c.In), string(expect.Must(json.Marshal(came))), string(expect.Must(json.Marshal(wanted))))
	case c.Panic == nil:
		expect.That(c.Error != nil, "%s: %v", c.In, err)
		expect.Equal(string(c.In), status.Convert(err).Message(), *c.Error)
	}
}

// feed is a relayer for its codecs, a median over a contract of the recording's, and its reporting plugins.
type feed struct {
	*median
	relayer *relayer
	chain   *loopnet.Conn
	stage   *stage
	// The same stage, if the median asks by names.
	named   *named
	all     recording
	plugins map[string]*reporting
	remove  func()
}

func startFeed(ctx context.Context, clock string) *feed {
	ledger, remove := inTemporary("ledger.redb")
	r := startRelayer(ctx, ledger)
	f := &feed{
		relayer: r, chain: r.provider(ctx), all: readRecording(), plugins: map[string]*reporting{}, remove: remove,
	}
	f.stage = newStage(f.chain)
	f.median = startMedianAt(ctx, clock, f.stage.register)
	return f
}

func (f *feed) close() {
	for _, plugin := range f.plugins {
		_ = plugin.conn.Close()
	}
	f.median.close(nil)
	f.median.conn.Close()
	f.chain.Close()
	f.relayer.close(nil)
	f.relayer.conn.Close()
	f.remove()
}

// config is one of the recording's table.
func (f *feed) config(number int) *loop.ReportingPluginConfig {
	var offchain, onchain packed
	var n, faulty int
	tuple(f.all.Configs[number], &offchain, &onchain, &n, &faulty)
	return &loop.ReportingPluginConfig{
		ConfigDigest: digest("own"), N: uint32(n), F: uint32(faulty), OnchainConfig: onchain, OffchainConfig: offchain,
	}
}

// plugin is made once for each config, unless the codec has words of its own about the longest report.
func (f *feed) plugin(ctx context.Context, config *loop.ReportingPluginConfig) *reporting {
	name := string(f.stage.longest) + config.String()
	if f.plugins[name] == nil {
		f.plugins[name] = f.mustReport(ctx, config)
	}
	return f.plugins[name]
}

// Factories, rounds, acceptances, transmissions: all that the genuine plugin was asked while its clock stood still.
func golden(ctx context.Context) {
	f := startFeed(ctx, fmt.Sprint(now))
	f.factories(ctx)
	f.rounds(ctx)
	f.transmissions(ctx)
	f.acceptances(ctx)
	f.moves(ctx)
	f.close()
}

func (f *feed) factories(ctx context.Context) {
	for _, c := range f.all.Factory {
		var in struct {
			F, N              uint32
			Offchain, Onchain packed
			Longest           json.RawMessage `json:"codec_max_report_length"`
			Codec             json.RawMessage `json:"onchain_codec"`
		}
		decode(c.In, &in)
		f.stage.longest, f.stage.onchain = in.Longest, in.Codec
		plugin, err := f.newReporting(ctx, &loop.ReportingPluginConfig{
			ConfigDigest: digest("own"), N: in.N, F: in.F, OnchainConfig: in.Onchain, OffchainConfig: in.Offchain,
		})
		if err != nil {
			c.check(nil, err)
			continue
		}
		c.check(plugin.info.ReportingPluginLimits.MaxReportLength, nil)
		_ = plugin.conn.Close()
	}
	f.stage.longest, f.stage.onchain = nil, nil
}

type reportCase struct {
	Cfg       int
	At        [2]uint32
	Obs       string
	Query     packed
	Digest    string
	Ltd, Lrr  json.RawMessage
	Reason    string
	Order     *string
	Len       *int
	Sha       *string
	Error     *string
	Panic     *string
	Calls     *string         `json:"contract_calls"`
	Deviation *string         `json:"deviation_func"`
	Build     json.RawMessage `json:"codec_build"`
	Longest   json.RawMessage `json:"codec_max_report_length"`
	Evm, Gen  string
	Med       json.RawMessage
}

func (f *feed) rounds(ctx context.Context) {
	ran, large := 0, 0
	for family, cases := range f.all.Report {
		for number, c := range cases {
			var n, faulty int
			tuple(f.all.Configs[c.Cfg], nil, nil, &n, &faulty)
			if c.Deviation != nil || faulty < 0 || f.named != nil && c.noAnswer() {
				continue
			}
			ran++
			if strings.Count(c.Obs, ";") >= 12 {
				large++
			}
			f.stage.set(or(c.Ltd, fmt.Sprintf(`["own",0,0,"0",[%d,0]]`, now-60)), or(c.Lrr, `["zero",0,0]`), nil)
			f.stage.build, f.stage.longest, f.stage.evm = c.Build, c.Longest, true
			plugin := f.plugin(ctx, f.config(c.Cfg))
			f.stage.taken()
			reply, err := plugin.Report(ctx, &loop.ReportRequest{
				ReportTimestamp: &loop.ReportTimestamp{ConfigDigest: digest(c.Digest), Epoch: c.At[0], Round: c.At[1]},
				Query:           c.Query, Observations: observations(c.Obs),
			})
			f.round(fmt.Sprintf("%s %d", family, number), &c, reply, err)
		}
	}
	f.stage.build, f.stage.longest = nil, nil
	expect.That(ran >= 880, "only %d rounds", ran)
	expect.That(large >= 100, "only %d rounds of 13 oracles and more", large)
}

func (f *feed) round(what string, c *reportCase, reply *loop.ReportReply, err error) {
	calls, wanted := []byte(f.stage.taken()), "lr"
	if c.Calls != nil {
		wanted = *c.Calls
	}
	slices.Sort(calls)
	expect.Equal(what+": calls of the contract", string(calls), wanted)
	switch {
	case c.Panic != nil:
		expect.That(err != nil, "%s: no error", what)
	case err != nil:
		expect.That(c.Error != nil, "%s: %v", what, err)
		expect.Equal(what, status.Convert(err).Message(), *c.Error)
	default:
		expect.That(c.Error == nil, "%s: no error", what)
		expect.Equal(what+": report", reply.ShouldReport, c.Order != nil)
		if c.Order == nil {
			expect.Equal(what+": reason", c.Reason == "no" || c.Reason == "out_of_range", true)
			return
		}
		if f.named != nil {
			f.named.round(what, c, reply.Report)
			return
		}
		expect.Equal(what+": order", hex.EncodeToString(f.stage.built), *c.Order)
		expect.Equal(what+": length", len(reply.Report), *c.Len)
		if c.Sha != nil {
			hash := sha256.Sum256(reply.Report)
			expect.Equal(what+": hash", hex.EncodeToString(hash[:8]), *c.Sha)
		}
	}
}

type transmitCase struct {
	recorded
	Digest string
}

func (f *feed) transmissions(ctx context.Context) {
	plugin := f.plugin(ctx, f.config(usual))
	for _, c := range f.all.Transmit {
		var epoch, round uint32
		var details json.RawMessage
		tuple(c.In, &epoch, &round, &details)
		f.stage.set(details, nil, nil)
		reply, err := plugin.ShouldTransmitAcceptedReport(ctx, &loop.ShouldTransmitAcceptedReportRequest{
			ReportTimestamp: &loop.ReportTimestamp{ConfigDigest: digest(c.Digest), Epoch: epoch, Round: round},
		})
		c.check(reply.GetShouldTransmit(), err)
	}
}

type acceptCase struct {
	Cfg       int
	Codec     string
	Deviation *string         `json:"deviation_func"`
	Longest   json.RawMessage `json:"codec_max_report_length"`
	Steps     []acceptStep
}

type acceptStep struct {
	recorded
	At     [2]uint32
	C, M   json.RawMessage
	Digest string
	Len    int
	Report *packed
	Calls  string
}

// acceptances are sequences on one reporting plugin each, which remembers.
func (f *feed) acceptances(ctx context.Context) {
	steps := 0
	for number, c := range f.all.AcceptSequences {
		if c.Deviation != nil || f.named != nil && c.noMedian() {
			continue
		}
		f.stage.longest, f.stage.evm = c.Longest, c.Codec == "evm"
		plugin := f.mustReport(ctx, f.config(c.Cfg))
		for _, step := range c.Steps {
			f.stage.set(step.C, nil, step.M)
			f.stage.taken()
			report := make([]byte, step.Len)
			if step.Report != nil {
				report = *step.Report
			}
			reply, err := plugin.ShouldAcceptFinalizedReport(ctx, &loop.ShouldAcceptFinalizedReportRequest{
				ReportTimestamp: &loop.ReportTimestamp{
					ConfigDigest: digest(step.Digest), Epoch: step.At[0], Round: step.At[1],
				},
				Report: report,
			})
			step.In = json.RawMessage(fmt.Sprintf("acceptances %d, at %v", number, step.At))
			step.check(reply.GetShouldAccept(), err)
			expect.Equal(string(step.In)+": calls", f.stage.taken(), step.Calls)
			steps++
		}
		_ = plugin.conn.Close()
	}
	f.stage.longest = nil
	expect.That(steps >= 700, "only %d steps", steps)
}

// moves are deviations: whether there is a report tells what came of them.
func (f *feed) moves(ctx context.Context) {
	judged := 0
	for _, c := range f.all.Deviation {
		var threshold, before, after string
		var wanted bool
		tuple(c, &threshold, &before, &after, &wanted)
		moved, err, crosses := f.moved(ctx, f.median, threshold, before, after, 0)
		if crosses {
			expect.No(err)
			expect.Equal(string(c), moved, wanted)
			judged++
		}
	}
	expect.That(judged >= 400, "only %d moves", judged)
}

// moved makes a report of one observation, which nothing but a move can be the reason for.
func (f *feed) moved(
	ctx context.Context, m *median, threshold, before, after string, nanos int,
) (moved bool, err error, crosses bool) {
	number := expect.Must(bigOf(after))
	if number.BitLen() > 190 {
		return false, nil, false
	}
	details := fmt.Sprintf(`["own",1,1,%q,[%d,%d]]`, before, now, nanos)
	f.stage.set(json.RawMessage(details), json.RawMessage(`["zero",0,0]`), nil)
	f.stage.evm = true
	config := f.config(usual)
	config.N, config.F, config.OffchainConfig = 1, 0, offchainConfig(expect.Must(strconv.ParseUint(threshold, 10, 64)), 0)
	plugin, err := m.newReporting(ctx, config)
	expect.No(err)
	defer plugin.conn.Close()
	reply, err := plugin.Report(ctx, &loop.ReportRequest{
		ReportTimestamp: &loop.ReportTimestamp{ConfigDigest: digest("own"), Epoch: 2, Round: 1},
		Observations:    observations("0 0 " + after + " 1 1"),
	})
	return reply.GetShouldReport(), err, true
}

// The pendle rule, which a job names in JSON.
func goldenPendle(ctx context.Context) {
	const nanos = 123456789
	f := startFeed(ctx, fmt.Sprintf("%d.%d", now, nanos))
	with := func(definition string) *median {
		m := newMedian(f.service, f.stage.register)
		m.definition = []byte(definition)
		return m
	}
	for _, c := range f.all.PendleNew {
		var definition string
		decode(c.In, &definition)
		_, stops, err := with(definition).create(ctx)
		if err != nil {
			*c.Error = "failed to unmarshal deviationFuncDefinition: " + *c.Error
		}
		c.check(true, err)
		for _, stop := range stops {
			stop()
		}
	}
	judged := 0
	for _, c := range f.all.Pendle {
		var at json.RawMessage
		var expires, multiplier, threshold string
		var before, after *string
		tuple(c.In, &at, &expires, &multiplier, &threshold, &before, &after)
		if before == nil || after == nil {
			// No number: that cannot come so far.
			continue
		}
		m := with(fmt.Sprintf(`{"type":"pendle","expiresAt":%s,"multiplier":%q}`, expires, multiplier))
		moved, err, crosses := f.moved(ctx, m, threshold, *before, *after, nanos)
		if crosses {
			if c.Error != nil {
				*c.Error = "error during deviationFunc: " + *c.Error
			}
			c.check(moved, err)
			judged++
		}
		m.conn.Close()
	}
	expect.That(judged >= 180, "only %d moves", judged)
	f.close()
}

// The clock: one process for each time at which the genuine plugin observed.
func goldenClock(ctx context.Context) {
	times := map[int64][]recorded{}
	for _, c := range readRecording().Observation {
		var at int64
		tuple(c.In, &at)
		times[at] = append(times[at], c)
	}
	expect.That(len(times) >= 10, "only %d times", len(times))
	for at, cases := range times {
		f := startFeed(ctx, fmt.Sprintf("%d.999999999", at))
		plugin := f.plugin(ctx, f.config(usual))
		for _, c := range cases {
			var sources [3]json.RawMessage
			var gas bool
			tuple(c.In, &at, &sources[0], &sources[1], &sources[2], &gas)
			if !gas && c.Out != nil {
				continue
			}
			lent := []*dataSource{f.value, f.juels, f.gas}
			for i, source := range lent {
				source.set(fake(sources[i]))
			}
			reply, err := plugin.Observation(ctx, &loop.ObservationRequest{
				ReportTimestamp: &loop.ReportTimestamp{ConfigDigest: digest("zero")}, Query: c.Query,
			})
			c.check(pack(reply.GetObservation()), err)
			for _, source := range lent {
				expect.Equal(string(c.In)+": asked", source.times() == 1, len(c.Query) == 0)
			}
		}
		f.close()
	}
}

// The codecs of the relayer's provider.
func goldenCodec(ctx context.Context) {
	f := startFeed(ctx, fmt.Sprint(now))
	reports, configs := loop.NewReportCodecClient(f.chain), loop.NewOnchainConfigCodecClient(f.chain)
	for _, c := range f.all.EvmBuild {
		reply, err := reports.BuildReport(ctx, &loop.BuildReportRequest{Observations: parsed(c.In)})
		c.check(pack(reply.GetReport()), err)
	}
	for _, c := range f.all.EvmMedian {
		var report packed
		decode(c.In, &report)
		reply, err := reports.MedianFromReport(ctx, &loop.MedianFromReportRequest{Report: report})
		c.check(text(reply.GetMedian()), err)
	}
	for _, c := range f.all.EvmMaxReportLength {
		var n int64
		decode(c.In, &n)
		reply, err := reports.MaxReportLength(ctx, &loop.MaxReportLengthRequest{N: n})
		c.check(reply.GetMax(), err)
	}
	for _, c := range f.all.OnchainEncode {
		var bounds [2]json.RawMessage
		tuple(c.In, &bounds[0], &bounds[1])
		least, most := expect.Must(fake(bounds[0])), expect.Must(fake(bounds[1]))
		reply, err := configs.Encode(ctx, &loop.EncodeRequest{
			OnchainConfig: &loop.OnchainConfig{Min: loopnet.BigInt(least), Max: loopnet.BigInt(most)},
		})
		c.check(pack(reply.GetEncoded()), err)
	}
	for _, c := range f.all.OnchainDecode {
		var encoded packed
		decode(c.In, &encoded)
		reply, err := configs.Decode(ctx, &loop.DecodeRequest{Encoded: encoded})
		bounds := reply.GetOnchainConfig()
		c.check([]string{text(bounds.GetMin()), text(bounds.GetMax())}, err)
	}
	f.close()
}

func text(number *loop.BigInt) string {
	return cmp.Or(loopnet.FromBigInt(number), new(big.Int)).String()
}
