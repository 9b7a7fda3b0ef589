package main

import (
	"context"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"interop/expect"
	"interop/loopnet"
	"interop/pb/loop"
)

// What is made, when, and under which broker ids.
func construction(ctx context.Context) {
	ledger, remove := inTemporary("ledger.redb")
	defer remove()
	r := startRelayer(ctx, ledger)
	expect.Equal("relayers made before the first call", r.conn.Made(), 0)
	expect.Must(r.LatestHead(ctx, &loop.LatestHeadRequest{}))
	expect.Equal("relayers made", r.conn.Made(), 1)
	expect.That(slices.Equal(r.ids, []uint32{1, 2, 3}), "the relayer was lent %v", r.ids)
	for name, lent := range map[string]*callers{
		"keystore": &r.keys.callers, "CSA keystore": &r.csa.callers, "registry": r.registry,
	} {
		expect.Equal("connections to the "+name, lent.ever.Load(), 1)
	}

	provider := r.provider(ctx)
	expect.Equal("providers made by the two questions alone", provider.Made(), 1)
	reader, configured := probes(ctx, provider)
	expect.Equal("contract reader", status.Convert(reader).Message(), "unknown service loop.ContractReader")
	expect.Equal("reader's code", status.Code(reader), codes.Unimplemented)
	expect.Equal("codec's code", status.Code(configured), codes.Unimplemented)

	m := overProvider(ctx, provider)
	expect.Equal("factories made before the first call", m.conn.Made(), 0)
	expect.No(loopnet.Ready(ctx, loop.NewServiceClient(m.conn)))
	expect.Equal("factories made by the question whether it is ready", m.conn.Made(), 1)
	expect.That(slices.Equal(m.ids, []uint32{1, 2, 3, 4, 5}), "the median was lent %v", m.ids)
	for name, lent := range map[string]*callers{
		"value": &m.value.callers, "juels": &m.juels.callers, "gas": &m.gas.callers, "error log": &m.log.callers,
	} {
		expect.Equal("connections to "+name, lent.ever.Load(), 1)
	}
	m.service.close(loop.NewServiceClient(m.conn))
	m.conn.Close()
	provider.Close()
	r.service.close(loop.NewServiceClient(r.conn))
	r.conn.Close()
}

// Rounds of a feed, from the data sources to the chain.
func round(ctx context.Context) {
	j := startJob(ctx)
	info := j.plugin.info
	expect.Equal("name", info.Name, "NumericalMedian")
	expect.Equal("limits", info.ReportingPluginLimits.String(),
		(&loop.ReportingPluginLimits{MaxObservationLength: 92, MaxReportLength: 160 + 32*oracles}).String())
	for epoch := uint32(1); epoch <= 3; epoch++ {
		at := j.at(epoch, 1)
		report := expect.Must(j.report(ctx, at))
		expect.That(report.ShouldReport, "nothing to report in epoch %d", epoch)
		accept := expect.Must(j.plugin.ShouldAcceptFinalizedReport(ctx,
			&loop.ShouldAcceptFinalizedReportRequest{ReportTimestamp: at, Report: report.Report}))
		expect.That(accept.ShouldAccept, "the report of epoch %d is not accepted", epoch)
		due := &loop.ShouldTransmitAcceptedReportRequest{ReportTimestamp: at, Report: report.Report}
		expect.That(expect.Must(j.plugin.ShouldTransmitAcceptedReport(ctx, due)).ShouldTransmit, "it is not due")
		expect.No(j.transmit(ctx, at, report.Report))
		expect.That(!expect.Must(j.plugin.ShouldTransmitAcceptedReport(ctx, due)).ShouldTransmit, "it is still due")
		details := j.details(ctx)
		expect.Equal("epoch", details.Epoch, epoch)
		// The upper median of four.
		expect.Equal("answer", loopnet.FromBigInt(details.LatestAnswer).Int64(), 1000*int64(epoch)+2)
	}
	expect.Equal("what the chain refuses", status.Code(j.transmit(ctx, j.at(2, 1), nil)) == codes.OK, false)

	// A source that fails shows in the error and in the node's error log.
	j.value.set(nil, errFake)
	_, err := j.plugin.Observation(ctx, &loop.ObservationRequest{ReportTimestamp: j.at(4, 1)})
	text := "error in Observation: DataSource.Observe returned an error: fake error"
	expect.Equal("error", status.Convert(err).Message(), text)
	expect.Equal("code", status.Code(err), codes.Unknown)
	expect.Equal("error log", strings.Join(j.log.taken(), "|"), text)
	j.value.set(big.NewInt(1), nil)
	j.close()
}

// Every component of the provider, and the relayer's own calls.
func components(ctx context.Context) {
	j := startJob(ctx)
	expect.Equal("prefix", expect.Must(loop.NewOffchainConfigDigesterClient(j.chain).
		ConfigDigestPrefix(ctx, &loop.ConfigDigestPrefixRequest{})).ConfigDigestPrefix, 1)
	expect.Equal("account", expect.Must(loop.NewContractTransmitterClient(j.chain).
		FromAccount(ctx, &loop.FromAccountRequest{})).Account, account(key("transmitter")))
	expect.Equal("epoch", expect.Must(loop.NewContractTransmitterClient(j.chain).
		LatestConfigDigestAndEpoch(ctx, &loop.LatestConfigDigestAndEpochRequest{})).Epoch, 0)
	expect.Equal("height", expect.Must(loop.NewContractConfigTrackerClient(j.chain).
		LatestBlockHeight(ctx, &loop.LatestBlockHeightRequest{})).BlockHeight, 1)
	expect.Equal("round requested", expect.Must(loop.NewMedianContractClient(j.chain).
		LatestRoundRequested(ctx, &loop.LatestRoundRequestedRequest{Lookback: 1})).Round, 0)
	bounds := &loop.OnchainConfig{Min: loopnet.BigInt(big.NewInt(-5)), Max: loopnet.BigInt(big.NewInt(0))}
	onchain := loop.NewOnchainConfigCodecClient(j.chain)
	encoded := expect.Must(onchain.Encode(ctx, &loop.EncodeRequest{OnchainConfig: bounds})).Encoded
	decoded := expect.Must(onchain.Decode(ctx, &loop.DecodeRequest{Encoded: encoded})).OnchainConfig
	expect.Equal("least", loopnet.FromBigInt(decoded.Min).Int64(), -5)
	expect.That(decoded.Max != nil && len(decoded.Max.Value) == 0, "zero came as %v", decoded.Max)

	expect.Equal("chain", expect.Must(j.GetChainInfo(ctx, &loop.GetChainInfoRequest{})).ChainInfo.FamilyName, "ledger")
	expect.That(expect.Must(j.GetChainStatus(ctx, &loop.GetChainStatusRequest{})).Chain.Enabled, "it is disabled")
	expect.Equal("nodes", expect.Must(j.ListNodeStatuses(ctx, &loop.ListNodeStatusesRequest{})).Total, 0)
	expect.Equal("block", expect.Must(j.FinalizedHead(ctx, &loop.FinalizedHeadRequest{})).Head.Height, "1")
	// What this chain lacks, and what no plugin has.
	_, err := j.NewContractWriter(ctx, &loop.NewContractWriterRequest{})
	expect.Equal("contract writer", status.Code(err), codes.Unimplemented)
	_, err = loop.NewServiceClient(&j.relayer.root).Name(ctx, &emptypb.Empty{})
	expect.Equal("Name", status.Code(err), codes.Unimplemented)
	j.close()
}

// Under the names that a node shows.
func health(ctx context.Context) {
	j := startJob(ctx)
	report := j.median.health(ctx, "PluginMedianClient", loop.NewServiceClient(j.median.conn))
	maps.Copy(report, j.relayer.health(ctx, "PluginRelayerClient", loop.NewServiceClient(j.relayer.conn)))
	names := slices.Sorted(maps.Keys(report))
	expect.Equal("names", strings.Join(names, " "), "median median.PluginMedianClient median.PluginMedianClient.Median relayer relayer.PluginRelayerClient")
	for name, health := range report {
		expect.Equal("health of "+name, health, "")
	}
	j.relayer.kill()
	// A node's calls fail until it has checked the plugin, and return the cause in time.
	asked := time.Now()
	report = j.relayer.health(ctx, "PluginRelayerClient", loop.NewServiceClient(j.relayer.conn))
	expect.That(time.Since(asked) < 3*time.Second, "the report took %v", time.Since(asked))
	well := report["relayer.PluginRelayerClient"] == "" && j.relayer.times() == 1
	expect.That(!well, "a dead plugin is well: %v", report)
	for loopnet.Ready(ctx, loop.NewServiceClient(j.relayer.conn)) != nil {
		expect.No(ctx.Err())
	}
	report = j.relayer.health(ctx, "PluginRelayerClient", loop.NewServiceClient(j.relayer.conn))
	expect.Equal("health of the next process", report["relayer.PluginRelayerClient"], "")
	j.close()
}

// SIGKILL of the median: the factory is recreated at the next call; a reporting plugin stays dead, as with any LOOP
// plugin: the oracle protocol makes another one.
func killMedian(ctx context.Context) {
	j := startJob(ctx)
	expect.Must(j.report(ctx, j.at(1, 1)))
	j.median.kill()
	for range 2 {
		_, err := j.plugin.Query(ctx, &loop.QueryRequest{ReportTimestamp: j.at(1, 1)})
		expect.Equal("code of what is gone", status.Code(err), codes.Unavailable)
	}
	_ = j.plugin.conn.Close()
	j.plugin = j.mustReport(ctx, j.pluginConfig())
	expect.Equal("launches", j.median.times(), 2)
	expect.Equal("factories made", j.median.conn.Made(), 2)
	expect.That(expect.Must(j.report(ctx, j.at(1, 1))).ShouldReport, "nothing to report")
	expect.Equal("connections to what was lent again", j.value.open.Load(), 1)
	expect.Equal("relayers made", j.relayer.conn.Made(), 1)
	j.close()
}

// SIGKILL of the relayer: the median keeps its connection to the proxy, behind which relayer and provider are
// recreated. The ledger has what was transmitted before.
func killRelayer(ctx context.Context) {
	j := startJob(ctx)
	report := expect.Must(j.report(ctx, j.at(1, 1)))
	expect.No(j.transmit(ctx, j.at(1, 1), report.Report))
	j.relayer.kill()
	// Through the median, through the proxy: the first call may be in flight when the connection breaks.
	due := &loop.ShouldTransmitAcceptedReportRequest{ReportTimestamp: j.at(1, 1)}
	reply, err := j.plugin.ShouldTransmitAcceptedReport(ctx, due)
	for ; err != nil; reply, err = j.plugin.ShouldTransmitAcceptedReport(ctx, due) {
		expect.No(ctx.Err())
		expect.That(status.Code(err) != codes.Unavailable, "the median says that it is gone itself: %v", err)
	}
	expect.That(!reply.ShouldTransmit, "the ledger forgot a transmission")
	expect.Equal("relayers made", j.relayer.conn.Made(), 2)
	expect.Equal("providers made", j.chain.Made(), 2)
	expect.Equal("factories made", j.median.conn.Made(), 1)
	report = expect.Must(j.report(ctx, j.at(2, 1)))
	expect.No(j.transmit(ctx, j.at(2, 1), report.Report))
	expect.Equal("epoch", j.details(ctx).Epoch, 2)
	expect.Equal("connections to the keystore, lent again", j.keys.open.Load(), 1)
	j.close()
}

// Close ends an object, and only that: Go's own plugins go on serving it until they end.
func closeObjects(ctx context.Context) {
	j := startJob(ctx)
	other := j.provider(ctx)
	expect.Equal("providers made", other.Made(), 1)
	expect.Must(loop.NewServiceClient(j.chain).Close(ctx, &emptypb.Empty{}))
	// Lost or not, a second Close recreates no object, and is only an error.
	_, err := loop.NewServiceClient(j.chain).Close(ctx, &emptypb.Empty{})
	expect.That(err == nil || status.Code(err) == codes.Unavailable, "a second Close gave %v", err)
	expect.Equal("providers made", j.chain.Made(), 1)
	// A LOOP host that calls what it has closed recreates it: hazard 6, which is the host's.
	expect.Equal("height", expect.Must(loop.NewContractConfigTrackerClient(j.chain).
		LatestBlockHeight(ctx, &loop.LatestBlockHeightRequest{})).BlockHeight, 1)
	expect.Equal("providers made", j.chain.Made(), 2)
	// Nothing else was affected.
	expect.Must(loop.NewContractConfigTrackerClient(other).LatestBlockHeight(ctx, &loop.LatestBlockHeightRequest{}))
	expect.Equal("providers made", other.Made(), 1)
	expect.Equal("relayers made", j.relayer.conn.Made(), 1)

	// What was lent to a factory ends with it, where Go's own plugins hold it until they end.
	factory := newMedian(j.median.service, j.median.provider, j.median.options...)
	expect.No(loopnet.Ready(ctx, loop.NewServiceClient(factory.conn)))
	expect.Equal("connections of a second factory", factory.value.open.Load()+factory.log.open.Load(), 2)
	expect.Must(loop.NewServiceClient(factory.conn).Close(ctx, &emptypb.Empty{}))
	for factory.value.open.Load()+factory.log.open.Load() > 0 {
		expect.No(ctx.Err())
		time.Sleep(10 * time.Millisecond)
	}
	factory.conn.Close()

	// The end of a reporting plugin is the end of its connection.
	expect.Must(j.plugin.Close(ctx, &emptypb.Empty{}))
	gone := func() bool {
		_, err := j.plugin.Query(ctx, &loop.QueryRequest{ReportTimestamp: j.at(1, 1)})
		return status.Code(err) == codes.Unavailable
	}
	for !gone() {
		expect.No(ctx.Err())
		time.Sleep(10 * time.Millisecond)
	}
	other.Close()
	j.close()
}

// A host that lost its connection calls the relayer's constructor again in a live plugin: ours replaces the first one,
// where Go's plugins keep both running (hazard 10). A relayer that is refused replaces nothing.
func replaced(ctx context.Context) {
	ledger, remove := inTemporary("ledger.redb")
	defer remove()
	r := startRelayer(ctx, ledger)
	config := "ledger = \"" + ledger + "\"\n"
	dial := func() (*grpc.ClientConn, []func()) {
		id, stops, err := r.create(ctx, config)
		expect.No(err)
		return expect.Must(r.root.Dial("Relayer", id)), stops
	}
	first, stopFirst := dial()
	expect.Must(loop.NewRelayerClient(first).LatestHead(ctx, &loop.LatestHeadRequest{}))

	_, stopRefused, err := r.create(ctx, "ledger = 7\n")
	expect.Equal("code of a refusal", status.Code(err), codes.InvalidArgument)
	expect.Must(loop.NewRelayerClient(first).LatestHead(ctx, &loop.LatestHeadRequest{}))
	for r.keys.open.Load() != 1 {
		expect.No(ctx.Err())
		time.Sleep(10 * time.Millisecond)
	}

	second, stopSecond := dial()
	expect.Must(loop.NewRelayerClient(second).LatestHead(ctx, &loop.LatestHeadRequest{}))
	_, err = loop.NewRelayerClient(first).LatestHead(ctx, &loop.LatestHeadRequest{})
	expect.Equal("code of the first", status.Code(err), codes.Unavailable)
	for r.keys.open.Load() != 1 {
		expect.No(ctx.Err())
		time.Sleep(10 * time.Millisecond)
	}
	expect.Equal("connections to the keystore", r.keys.ever.Load(), 3)
	for _, stop := range slices.Concat(stopFirst, stopRefused, stopSecond) {
		stop()
	}
	_ = first.Close()
	_ = second.Close()
	r.service.close(nil)
}

// Clients in Go disconnect when they are idle, and redial the same object.
func idle(ctx context.Context) {
	ledger, remove := inTemporary("ledger.redb")
	defer remove()
	r := startRelayer(ctx, ledger)
	id, stops, err := r.create(ctx, "ledger = \""+ledger+"\"\n")
	expect.No(err)
	conn := expect.Must(r.root.Dial("Relayer", id, grpc.WithIdleTimeout(100*time.Millisecond)))
	for range 3 {
		expect.Must(loop.NewRelayerClient(conn).LatestHead(ctx, &loop.LatestHeadRequest{}))
		for state := conn.GetState(); state != connectivity.Idle; state = conn.GetState() {
			expect.That(conn.WaitForStateChange(ctx, state), "it is never idle")
		}
		expect.Equal("connections to what the relayer was lent", r.keys.open.Load(), 1)
	}
	_ = conn.Close()
	for _, stop := range stops {
		stop()
	}
	r.service.close(nil)
}
