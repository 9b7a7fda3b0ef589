package main

import (
	"context"
	"maps"
	"slices"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"interop/expect"
	"interop/loopnet"
	"interop/pb/loop"
)

// faulty is a median plugin that fails on demand, and a reporting plugin of it. Its provider is the host's own.
func faulty(ctx context.Context) (*median, *reporting, *contract) {
	own := &contract{}
	m := startMedian(ctx, func(s *grpc.Server) { loop.RegisterMedianContractServer(s, own) })
	return m, m.mustReport(ctx, &loop.ReportingPluginConfig{ConfigDigest: make([]byte, 32)}), own
}

func zero(round uint32) *loop.ReportTimestamp {
	return &loop.ReportTimestamp{ConfigDigest: make([]byte, 32), Round: round}
}

// contract answers as scripted.
type contract struct {
	loop.UnimplementedMedianContractServer
	answer func(context.Context) error
}

func (c *contract) LatestTransmissionDetails(
	ctx context.Context, _ *loop.LatestTransmissionDetailsRequest,
) (*loop.LatestTransmissionDetailsReply, error) {
	return nil, c.answer(ctx)
}

func (m *median) end(plugin *reporting) {
	_ = plugin.conn.Close()
	m.service.close(nil)
	m.conn.Close()
}

// A panic is an error with the plugin's name, and a log line; the process lives, and so does everything in it.
func panics(ctx context.Context) {
	m, plugin, _ := faulty(ctx)
	panicked := func(err error, method, text string) {
		expect.Equal("code of a panic", status.Code(err), codes.Internal)
		said := status.Convert(err).Message()
		expect.That(strings.HasSuffix(said, " panicked in /loop."+method+": "+text), "a panic says %q", said)
		expect.That(strings.HasPrefix(said, "plugin "), "whose panic? %q", said)
		// go-plugin raises what follows such a line to errors.
		logged.Until(ctx, "panic: "+text)
	}
	_, err := plugin.ShouldAcceptFinalizedReport(ctx,
		&loop.ShouldAcceptFinalizedReportRequest{ReportTimestamp: zero(1), Report: []byte("report")})
	panicked(err, "ReportingPlugin/ShouldAcceptFinalizedReport", "a report of 6 bytes is too much")
	panicked(loopnet.Ready(ctx, loop.NewServiceClient(m.conn)), "Service/Ready", "never ready")

	other := newMedian(m.service, m.provider)
	other.contract = "panic"
	_, stops, err := other.create(ctx)
	expect.Equal("code of a panic in a constructor", status.Code(err), codes.Internal)
	for _, stop := range stops {
		stop()
	}
	_, err = plugin.Query(ctx, &loop.QueryRequest{ReportTimestamp: zero(0)})
	refused("the same object, the same process", err, codes.Unknown, "a plain error")
	expect.Equal("launches", m.times(), 1)
	m.end(plugin)
}

// The health of a plugin's parts, under the names that a node shows; the factory is never ready, so neither is it.
func healthNames(ctx context.Context) {
	m, plugin, _ := faulty(ctx)
	report := m.health(ctx, "PluginMedianClient", loop.NewServiceClient(m.conn))
	names := slices.Sorted(maps.Keys(report))
	under := "median.PluginMedianClient"
	expect.Equal("names", strings.Join(names, " "), "median "+under+" "+under+".Faulty "+under+".Faulty.Feed")
	expect.That(strings.Contains(report["median"], "never ready"), "the service says %q", report["median"])
	expect.Equal("the client", report[under], "")
	expect.Equal("a part", report[under+".Faulty"], "")
	expect.Equal("its part", report[under+".Faulty.Feed"], "no prices since Sunday")
	m.end(plugin)
}

// A plugin sees the variables of the node and of go-plugin for it, and nothing of the node's own environment.
func environment(ctx context.Context) {
	m, plugin, _ := faulty(ctx)
	at := zero(1)
	at.Epoch = 1
	said := string(expect.Must(plugin.Query(ctx, &loop.QueryRequest{ReportTimestamp: at})).Query)
	expect.Equal("environment", said, "CL_MERCURY_TRANSMITTER_TRANSMIT_CONCURRENCY "+
		"CL_MERCURY_TRANSMITTER_TRANSMIT__QUEUE_MAX_SIZE CL_PLUGIN_MEDIAN_MAGIC_COOKIE CL_PROMETHEUS_PORT "+
		"PLUGIN_MAX_PORT PLUGIN_MIN_PORT PLUGIN_PROTOCOL_VERSIONS TMPDIR Some(0) Some(10000)")
	m.end(plugin)
}

// Whatever is logged arrives as go-plugin's host asserts it: a level or a message of another type would end the host.
func logFields(ctx context.Context) {
	m, plugin, _ := faulty(ctx)
	at := zero(1)
	at.Epoch = 2
	expect.Must(plugin.Query(ctx, &loop.QueryRequest{ReportTimestamp: at}))
	logged.Until(ctx, `"@level":"error","@message":"after them"`)
	for _, text := range []string{`"@level":"warn","@message":"hostile fields"`, `line one\nline two, \u0000 and \u001b[31m`} {
		expect.That(strings.Contains(logged.String(), text), "%s never came", text)
	}
	m.end(plugin)
}

// Codes are those of the handlers, and an error without one is Unknown, as every plain error in Go.
func codesOfHandlers(ctx context.Context) {
	m, plugin, _ := faulty(ctx)
	for code := codes.Canceled; code <= codes.Unauthenticated; code++ {
		_, err := plugin.Query(ctx, &loop.QueryRequest{ReportTimestamp: zero(uint32(code))})
		refused("a handler's "+code.String(), err, code, "an error with a code")
	}
	_, err := plugin.Query(ctx, &loop.QueryRequest{ReportTimestamp: zero(0)})
	refused("a plain error", err, codes.Unknown, "a plain error")
	_, err = loop.NewKeystoreClient(plugin.conn).Sign(ctx, &loop.SignRequest{})
	refused("a service that is not there", err, codes.Unimplemented, "unknown service loop.Keystore")
	m.end(plugin)
}

// Only the end of the process in the middle of a call is Unavailable.
func crash(ctx context.Context) {
	m, plugin, _ := faulty(ctx)
	_, err := plugin.ShouldTransmitAcceptedReport(ctx,
		&loop.ShouldTransmitAcceptedReportRequest{ReportTimestamp: zero(1)})
	expect.Equal("code of a crash", status.Code(err), codes.Unavailable)
	logged.Until(ctx, "exit status 7")
	_ = plugin.conn.Close()
	plugin = m.mustReport(ctx, &loop.ReportingPluginConfig{ConfigDigest: make([]byte, 32)})
	expect.Equal("launches", m.times(), 2)
	m.end(plugin)
}

// A LOOP host takes Unavailable for the death of the plugin that returns it, recreates everything and retries, for ever
// (hazard 2). So what our plugins lose behind them is Aborted: the host keeps the plugin, and its caller gets the
// error.
func oneHopOn(ctx context.Context) {
	m, plugin, own := faulty(ctx)
	aborted := func(what string, err error) {
		expect.Equal("code of "+what, status.Code(err), codes.Aborted)
		expect.Equal("factories made", m.conn.Made(), 1)
		expect.Equal("launches", m.times(), 1)
	}
	report := func() error {
		_, err := plugin.Report(ctx, &loop.ReportRequest{ReportTimestamp: zero(1)})
		return err
	}
	// The error of Go's proxy for a relayer that died in the middle of a call.
	own.answer = func(context.Context) error {
		return status.Error(codes.Unavailable, "error reading from server: EOF")
	}
	err := report()
	aborted("a provider that is gone", err)
	text := status.Convert(err).Message()
	expect.That(strings.Contains(text, "error reading from server: EOF"), "it says %q", text)
	// Everything else passes as it is.
	own.answer = func(context.Context) error { return status.Error(codes.NotFound, "no contract") }
	refused("a provider's answer", report(), codes.NotFound, "no contract")
	own.answer = func(context.Context) error { return errFake }
	refused("a provider's plain error", report(), codes.Unknown, "fake error")

	// What was lent ends in the middle of a call.
	began := make(chan struct{}, 1)
	m.value.before(func(ctx context.Context) { began <- struct{}{}; <-ctx.Done() })
	lost := make(chan error, 1)
	go func() {
		_, err := plugin.Observation(ctx, &loop.ObservationRequest{ReportTimestamp: zero(1)})
		lost <- err
	}()
	<-began
	m.conn.StopLent(0)
	aborted("a data source that ended", <-lost)
	// And it does not come back.
	_, err = plugin.Observation(ctx, &loop.ObservationRequest{ReportTimestamp: zero(1)})
	aborted("a data source that is gone", err)
	m.end(plugin)
}

// SIGKILL of the relayer while a call of the median waits in the proxy: that call fails, and the median lives.
func killInCall(ctx context.Context) {
	j := startJob(ctx)
	provider := opened{j.chain, make(chan struct{}, 64)}
	m := newMedian(j.median.service, func(*grpc.Server) {}, loopnet.Proxy(provider))
	plugin := m.mustReport(ctx, j.pluginConfig())
	for len(provider.streams) > 0 {
		<-provider.streams
	}
	j.relayer.freeze()
	failed := make(chan error, 1)
	go func() {
		_, err := plugin.ShouldTransmitAcceptedReport(ctx,
			&loop.ShouldTransmitAcceptedReportRequest{ReportTimestamp: j.at(1, 1)})
		failed <- err
	}()
	<-provider.streams
	j.relayer.kill()
	err := <-failed
	expect.That(err != nil && status.Code(err) != codes.Unavailable, "the median says that it is gone itself: %v", err)
	expect.Must(plugin.ShouldTransmitAcceptedReport(ctx,
		&loop.ShouldTransmitAcceptedReportRequest{ReportTimestamp: j.at(1, 1)}))
	expect.Equal("factories made", m.conn.Made(), 1)
	expect.Equal("relayers made", j.relayer.conn.Made(), 2)
	_ = plugin.conn.Close()
	m.conn.Close()
	j.close()
}

// opened reports every stream that was opened.
type opened struct {
	*loopnet.Conn
	streams chan struct{}
}

func (o opened) NewStream(
	ctx context.Context, desc *grpc.StreamDesc, method string, options ...grpc.CallOption,
) (grpc.ClientStream, error) {
	stream, err := o.Conn.NewStream(ctx, desc, method, options...)
	o.streams <- struct{}{}
	return stream, err
}
