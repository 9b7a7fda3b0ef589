package main

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"google.golang.org/grpc/status"

	"interop/expect"
	"interop/pb/loop"
)

// Reports and reads by name: what the genuine plugin did with the generic codec of chainlink-feeds. Of its rounds,
// transmissions and acceptances, those run again in which the reader and the codec can say what contract and report codec
// said: that there is no answer yet, they cannot.
func goldenGeneric(ctx context.Context) {
	f := startFeed(ctx, fmt.Sprint(now))
	n := f.byName()
	f.genericReports(ctx)
	f.genericMedians(ctx)
	for _, c := range f.all.GenericMaxReportLength {
		var oracles uint32
		tuple(c.In, &oracles, &f.stage.longest)
		config := f.config(usual)
		config.N = oracles
		plugin := f.mustReport(ctx, config)
		c.check(plugin.info.ReportingPluginLimits.MaxReportLength, nil)
		_ = plugin.conn.Close()
	}
	f.stage.longest = nil
	f.rounds(ctx)
	f.transmissions(ctx)
	f.acceptances(ctx)
	expect.Equal("bound", strings.Join(n.bound, ", "), "0x42 median")
	f.close()
}

// genericReports come out of rounds, in which the plugin has sorted by price what the codec sorts: where that could change
// the order of equals, which it cannot among twelve, a case is left out.
func (f *feed) genericReports(ctx context.Context) {
	config := f.config(usual)
	config.N, config.F = 32, 0
	plugin := f.plugin(ctx, config)
	f.stage.set(json.RawMessage(fmt.Sprintf(`["own",0,0,"0",[%d,0]]`, now)), json.RawMessage(`["zero",0,0]`), nil)
	ran := 0
	for _, c := range f.all.GenericBuild {
		var rows string
		decode(c.In, &rows)
		all, prices := strings.Split(rows, ";"), map[string]bool{}
		for i, row := range all {
			if rows == "" {
				continue
			}
			fields := strings.Split(row, " ")
			prices[fields[1]] = true
			at := expect.Must(bigOf(fields[0])).Int64() - now
			all[i] = fmt.Sprintf("%s %d %s", fields[4], at, strings.Join(fields[1:4], " "))
		}
		if rows == "" || len(all) > 12 && len(prices) < len(all) {
			continue
		}
		var at uint32
		var observers packed
		var sorted, juels, gas string
		tuple(c.Out, &at, &observers, &sorted, &juels, &gas)
		reply := expect.Must(plugin.Report(ctx, &loop.ReportRequest{
			ReportTimestamp: &loop.ReportTimestamp{ConfigDigest: digest("own"), Epoch: 1, Round: 1},
			Observations:    observations(strings.Join(all, ";")),
		}))
		f.named.encoded(rows, reply.Report,
			medianReport(at, observers, numbers(strings.Split(sorted, " ")), number(juels), number(gas)))
		ran++
	}
	expect.That(ran >= 35, "only %d reports", ran)
}

// encoded holds what the codec was given to what is wanted, and the plugin's report to what the codec made of it.
func (n *named) encoded(what string, report, wanted []byte) {
	expect.Equal(what+": given to the codec", fmt.Sprintf("%x", n.given), fmt.Sprintf("%x", wanted))
	expect.Equal(what+": report", fmt.Sprintf("%x", report), fmt.Sprintf("%x", n.gave))
}

// round holds what the codec was given in a round to what the genuine codec made of the same observations.
func (n *named) round(what string, c *reportCase, report []byte) {
	expect.Equal(what+": length", len(report), *c.Len)
	if c.Sha == nil {
		return
	}
	var at int64
	var juels, gas string
	tuple(c.Med, &at, &juels, &gas)
	observers := expect.Must(hex.DecodeString(cmp.Or(c.Gen, c.Evm, *c.Order)))
	prices := c.prices()
	expect.Equal(what+": observations", len(prices), len(observers))
	n.encoded(what, report, medianReport(uint32(now+at), observers, prices, number(juels), number(gas)))
}

// prices of the observations that count, in ascending order.
func (c *reportCase) prices() (all []*big.Int) {
	for _, it := range observations(c.Obs) {
		if price := price(it.Observation); price != nil {
			all = append(all, price)
		}
	}
	slices.SortFunc(all, (*big.Int).Cmp)
	return all
}

// noAnswer is whether the contract gives none, which the genuine adapter of a reader takes for zero.
func (c *reportCase) noAnswer() bool {
	details := []json.RawMessage{}
	return json.Unmarshal(c.Ltd, &details) == nil && len(details) > 3 && string(details[3]) == "null"
}

// noMedian is whether the report codec finds none in a report; a codec's list of observations has no place for that.
func (c *acceptCase) noMedian() bool {
	return slices.ContainsFunc(c.Steps, func(step acceptStep) bool { return string(step.M) == "null" })
}

// genericMedians show in what is accepted: after a first report, nothing but a move is a reason.
func (f *feed) genericMedians(ctx context.Context) {
	config := f.config(usual)
	config.OffchainConfig = offchainConfig(1, 0)
	for _, c := range f.all.GenericMedian {
		plugin := f.mustReport(ctx, config)
		round := uint32(0)
		accepted := func(decoded any) (bool, error) {
			round++
			f.named.decoded = expect.Must(json.Marshal(decoded))
			f.stage.set(json.RawMessage(`["own",0,0]`), nil, nil)
			reply, err := plugin.ShouldAcceptFinalizedReport(ctx, &loop.ShouldAcceptFinalizedReportRequest{
				ReportTimestamp: &loop.ReportTimestamp{ConfigDigest: digest("own"), Epoch: 1, Round: round},
			})
			return reply.GetShouldAccept(), err
		}
		_, err := accepted(c.In)
		if err != nil {
			said, _ := strings.CutPrefix(status.Convert(err).Message(), "error during MedianFromReport: ")
			c.check(nil, errors.New(said))
		} else {
			var median string
			decode(c.Out, &median)
			expect.Equal(string(c.In)+": the same again", expect.Must(accepted([]string{median})), false)
			expect.Equal(string(c.In)+": twice as much", expect.Must(accepted([]string{median + "0"})), median != "0")
		}
		_ = plugin.conn.Close()
	}
	f.named.decoded = nil
}
