package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"interop/expect"
	"interop/loopnet"
	"interop/pb/loop"
)

// SIGSTOP: a node's health check has no deadline, so it waits as long as the plugin is stopped, and launches nothing.
// Callers with a deadline get that error; the others lose nothing if the process is resumed, and get an error if it is
// killed, which the node then notices at once.
func frozen(ctx context.Context) {
	j := startJob(ctx)
	ended := false
	defer func() {
		if !ended {
			// go-plugin would wait for ever for the end of a stopped process.
			_ = syscall.Kill(j.median.pid(), syscall.SIGCONT)
			_ = syscall.Kill(j.relayer.pid(), syscall.SIGCONT)
		}
	}()
	expect.Must(j.report(ctx, j.at(1, 1)))

	observed := j.freezeInCall(ctx)
	j.median.untilLook(ctx)
	err := loopnet.Ready(ctx, loop.NewServiceClient(j.median.conn))
	expect.Equal("code for who has a deadline", status.Code(err), codes.DeadlineExceeded)
	expect.Equal("answers of a process that stands still", len(observed), 0)
	j.median.thaw()
	expect.No(<-observed)
	expect.No(loopnet.Ready(ctx, loop.NewServiceClient(j.median.conn)))
	expect.That(expect.Must(j.report(ctx, j.at(1, 2))).ShouldReport, "nothing to report")
	j.lent(1)

	// The same of the relayer, one hop on: the median waits for the provider behind the node.
	j.relayer.freeze()
	due := make(chan error, 1)
	go func() {
		_, err := j.plugin.ShouldTransmitAcceptedReport(ctx,
			&loop.ShouldTransmitAcceptedReportRequest{ReportTimestamp: j.at(1, 1)})
		due <- err
	}()
	j.relayer.untilLook(ctx)
	select {
	case err := <-due:
		panic(fmt.Sprintf("answered through a process that stands still: %v", err))
	default:
	}
	j.relayer.thaw()
	expect.No(<-due)
	j.lent(1)

	// SIGKILL works on a stopped process, too.
	observed = j.freezeInCall(ctx)
	j.median.untilLook(ctx)
	pid := j.median.pid()
	j.median.kill()
	expect.Equal("code of what is gone", status.Code(<-observed), codes.Unavailable)
	_ = j.plugin.conn.Close()
	j.plugin = j.mustReport(ctx, j.pluginConfig())
	expect.That(errors.Is(syscall.Kill(pid, 0), syscall.ESRCH), "process %d is still there", pid)
	report := expect.Must(j.report(ctx, j.at(2, 1)))
	expect.That(report.ShouldReport, "nothing to report")
	expect.No(j.transmit(ctx, j.at(2, 1), report.Report))
	j.lent(2)
	j.close()
	ended = true
}

// freezeInCall stops the median after it has asked the data source for a price, and before it has one. The price is sent
// to a process that stands still, and the observation is waited for without a deadline.
func (j *job) freezeInCall(ctx context.Context) <-chan error {
	asked, answer, answered := make(chan struct{}, 1), make(chan struct{}), make(chan error, 1)
	j.value.before(func(context.Context) { asked <- struct{}{}; <-answer })
	go func() {
		_, err := j.plugin.Observation(ctx, &loop.ObservationRequest{ReportTimestamp: j.at(1, 1)})
		answered <- err
	}()
	<-asked
	j.value.before(nil)
	j.median.freeze()
	close(answer)
	return answered
}

// lent checks how often the median was launched, and made its factory, and that it has one connection to each
// service that it was lent for it.
func (j *job) lent(launches int) {
	expect.Equal("launches of the median", j.median.times(), launches)
	expect.Equal("launches of the relayer", j.relayer.times(), 1)
	expect.Equal("factories made", j.median.conn.Made(), launches)
	expect.Equal("relayers made", j.relayer.conn.Made(), 1)
	expect.Equal("providers made", j.chain.Made(), 1)
	for name, open := range map[string]*callers{
		"keystore": &j.keys.callers, "data source": &j.value.callers, "error log": &j.log.callers,
	} {
		expect.Equal("connections to the "+name, open.open.Load(), 1)
	}
}
