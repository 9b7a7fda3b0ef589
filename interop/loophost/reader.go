package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"interop/expect"
	"interop/pb/loop"
)

// What the genuine adapter made of what a reader wrote: a median over such a reader does what one does whose contract says
// so. A value beside an error does not cross, as it does not with a reader in Go: of what is not found, nothing is known.
func goldenReader(ctx context.Context) {
	f := startFeed(ctx, fmt.Sprint(now+1))
	plain := f.median
	n := f.byName()
	for _, c := range f.all.ContractReader {
		var method string
		var fails *string
		var notFound bool
		tuple(c.In, &method, &n.wrote, &fails, &notFound)
		n.fails = nil
		if notFound {
			n.fails = status.Error(codes.NotFound, *fails)
			c.Out = json.RawMessage(`["zero",0,0,"0",[-62135596800,0]]`)
		} else if fails != nil {
			n.fails = errors.New(*fails)
			c.Out = expect.Must(json.Marshal(map[string]string{"err": *c.Error}))
		}
		shows := func(m *median, said json.RawMessage) string {
			if method == "LatestRoundRequested" {
				return f.showsRequest(ctx, m, said)
			}
			f.stage.set(said, json.RawMessage(`["zero",0,0]`), nil)
			return f.showsDetails(ctx, m)
		}
		// Where the stage's contract says nothing, the reader says what it wrote.
		expect.Equal(string(c.In), shows(f.median, nil), shows(plain, c.Out))
	}
	expect.Equal("cases", len(f.all.ContractReader), 24)
	plain.conn.Close()
	f.close()
}

// showsDetails is what a reporting plugin shows of the last transmission.
func (f *feed) showsDetails(ctx context.Context, m *median) (all string) {
	plugin := m.mustReport(ctx, f.config(usual))
	for _, at := range [][2]uint32{{0, 0}, {0, 1}, {3, 4}, {3, 5}, {7, 9}, {7, 10}} {
		reply, err := plugin.ShouldTransmitAcceptedReport(ctx, &loop.ShouldTransmitAcceptedReportRequest{
			ReportTimestamp: &loop.ReportTimestamp{ConfigDigest: digest("own"), Epoch: at[0], Round: at[1]},
		})
		all += fmt.Sprintln(at, reply.GetShouldTransmit(), status.Convert(err).Message())
	}
	_ = plugin.conn.Close()
	// The clock is one second after the recorded time: so many nanoseconds after it, and one less.
	for _, age := range []uint64{999_999_995, 999_999_994, 1<<63 - 1} {
		for _, price := range []string{"-56", "-55", "-54", "0", "1"} {
			all += fmt.Sprintln(age, price, f.reports(ctx, m, "zero", price, age))
		}
	}
	return all
}

// showsRequest is what it shows of the round that was asked for.
func (f *feed) showsRequest(ctx context.Context, m *median, said json.RawMessage) (all string) {
	for _, name := range []string{"own", "other", "zero"} {
		for _, last := range []string{"2,9", "3,4", "3,5", "0,0", "0,1"} {
			f.stage.set(json.RawMessage(fmt.Sprintf(`["own",%s,"5",[%d,0]]`, last, now+1)), said, nil)
			all += fmt.Sprintln(name, last, f.reports(ctx, m, name, "5", 1<<63-1))
		}
	}
	return all
}

// reports is whether one observation is worth a report, or why it is not known.
func (f *feed) reports(ctx context.Context, m *median, name, price string, age uint64) string {
	config := f.config(usual)
	config.N, config.F, config.OffchainConfig = 1, 0, offchainConfig(1, age)
	plugin := m.mustReport(ctx, config)
	defer plugin.conn.Close()
	reply, err := plugin.Report(ctx, &loop.ReportRequest{
		ReportTimestamp: &loop.ReportTimestamp{ConfigDigest: digest(name), Epoch: 9, Round: 1},
		Observations:    observations("0 0 " + price + " 1 1"),
	})
	return fmt.Sprint(reply.GetShouldReport(), " ", status.Convert(err).Message())
}
