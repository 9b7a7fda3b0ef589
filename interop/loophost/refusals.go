package main

import (
	"context"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"interop/expect"
	"interop/pb/loop"
)

// refused checks the code and the whole text of an error.
func refused(what string, err error, code codes.Code, text string) {
	expect.Equal("code of "+what, status.Code(err), code)
	expect.Equal("text of "+what, status.Convert(err).Message(), text)
}

// What Go's adapters refuse, with their texts; and what they accept, which is refused here.
func refusals(ctx context.Context) {
	j := startJob(ctx)
	provider := func(change func(*loop.NewPluginProviderRequest)) error {
		request := &loop.NewPluginProviderRequest{RelayArgs: relayArgs(), PluginArgs: &loop.PluginArgs{}}
		change(request)
		_, err := j.NewPluginProvider(ctx, request)
		return err
	}
	refused("a UUID of 32 bytes",
		provider(func(r *loop.NewPluginProviderRequest) { r.RelayArgs.ExternalJobID = make([]byte, 32) }),
		codes.Unknown, "invalid uuid bytes for ExternalJobID: invalid UUID (got 32 bytes)")
	refused("another kind of provider",
		provider(func(r *loop.NewPluginProviderRequest) { r.RelayArgs.ProviderType = "mercury" }),
		codes.Unimplemented, "mercury not supported")
	refused("an unknown kind of provider",
		provider(func(r *loop.NewPluginProviderRequest) { r.RelayArgs.ProviderType = "other" }),
		codes.Unknown, "provider type not supported: other")

	// The text of the keystore that the relayer was lent, from the plugin that called it.
	refused("an account without a key",
		provider(func(r *loop.NewPluginProviderRequest) { r.PluginArgs.TransmitterID = "mallory" }),
		codes.Unknown, "failed to sign data for account: mallory: no such key")
	_, stops, err := j.relayer.create(ctx, "ledger = 5")
	expect.Equal("code of a chain's configuration", status.Code(err), codes.InvalidArgument)
	expect.That(strings.HasPrefix(status.Convert(err).Message(), "the chain's configuration: "), "it says %v", err)
	for _, stop := range stops {
		stop()
	}

	reporting := func(change func(*loop.ReportingPluginConfig)) error {
		config := j.pluginConfig()
		change(config)
		_, err := j.newReporting(ctx, config)
		return err
	}
	refused("a short digest", reporting(func(c *loop.ReportingPluginConfig) { c.ConfigDigest = c.ConfigDigest[1:] }),
		codes.Unknown, "invalid ConfigDigest len 31: must be 32")
	// Go takes it for oracle 10.
	refused("oracle 266", reporting(func(c *loop.ReportingPluginConfig) { c.OracleID = 266 }),
		codes.Unknown, "expected uint8 OracleID (max 255) but got 266")
	refused("an onchain config", reporting(func(c *loop.ReportingPluginConfig) { c.OnchainConfig = nil }),
		codes.Unknown, "unexpected length of OnchainConfig, expected 49, got 0")

	_, err = j.plugin.Query(ctx, &loop.QueryRequest{ReportTimestamp: j.at(1, 256)})
	refused("round 256", err, codes.Unknown, "expected uint8 Round (max 255) but got 256")
	_, err = j.plugin.Report(ctx, &loop.ReportRequest{
		ReportTimestamp: j.at(1, 1), Observations: []*loop.AttributedObservation{{Observer: 256}},
	})
	refused("observer 256", err, codes.Unknown, "expected uint8 Observer (max 255) but got 256")
	_, err = j.plugin.Observation(ctx, &loop.ObservationRequest{ReportTimestamp: j.at(1, 1), Query: []byte{1}})
	refused("a query", err, codes.Unknown, "expected empty query")

	digester := loop.NewOffchainConfigDigesterClient(j.chain)
	j.config.F = 256
	_, err = digester.ConfigDigest(ctx, &loop.ConfigDigestRequest{ContractConfig: j.config})
	refused("256 faulty oracles", err, codes.Unknown, "expected uint8 F (max 255) but got 256")
	j.config.F = 1
	_, err = loop.NewContractTransmitterClient(j.chain).Transmit(ctx, &loop.TransmitRequest{
		ReportContext: &loop.ReportContext{ReportTimestamp: j.at(1, 1), ExtraHash: make([]byte, 31)},
	})
	refused("a short hash", err, codes.Unknown, "invalid ExtraHash len 31; must be 32")

	// Deviation functions come as JSON.
	other := newMedian(j.median.service, nil)
	other.provider, other.options, other.definition = j.median.provider, j.median.options, []byte("[")
	_, stops, err = other.create(ctx)
	expect.That(strings.HasPrefix(status.Convert(err).Message(), "failed to unmarshal deviationFuncDefinition: "),
		"a definition that is no JSON gave %v", err)
	for _, stop := range stops {
		stop()
	}
	j.close()
}

// A missing message crashes a plugin in Go. Ours returns which one, and lives.
func missing(ctx context.Context) {
	j := startJob(ctx)
	said := func(what, name string, err error) {
		refused(what, err, codes.InvalidArgument, name+": required, and missing")
	}
	_, err := j.NewPluginProvider(ctx, &loop.NewPluginProviderRequest{})
	said("a provider of nothing", "relayArgs", err)
	_, err = j.NewPluginProvider(ctx, &loop.NewPluginProviderRequest{RelayArgs: relayArgs()})
	said("a provider for nobody", "pluginArgs", err)
	_, err = j.newReporting(ctx, nil)
	said("a reporting plugin of nothing", "reportingPluginConfig", err)
	_, err = j.plugin.Query(ctx, &loop.QueryRequest{})
	said("a query at no time", "reportTimestamp", err)
	_, err = loop.NewOnchainConfigCodecClient(j.chain).Encode(ctx, &loop.EncodeRequest{})
	said("no bounds", "onchainConfig", err)
	_, err = loop.NewContractTransmitterClient(j.chain).Transmit(ctx, &loop.TransmitRequest{})
	said("a transmission of nothing", "reportContext", err)
	expect.Must(j.plugin.Query(ctx, &loop.QueryRequest{ReportTimestamp: j.at(1, 1)}))
	expect.Equal("launches", j.median.times()+j.relayer.times(), 2)
	j.close()
}

// Broker ids that were never announced.
func neverOffered(ctx context.Context) {
	ledger, remove := inTemporary("ledger.redb")
	defer remove()
	r := startRelayer(ctx, ledger)
	began := time.Now()
	_, err := loop.NewPluginRelayerClient(&r.root).NewRelayer(ctx, &loop.NewRelayerRequest{
		Config: "ledger = \"" + ledger + "\"\n", KeystoreID: 77, KeystoreCSAID: 78, CapabilityRegistryID: 79,
	})
	expect.Equal("code", status.Code(err), codes.Unknown)
	text := status.Convert(err).Message()
	expect.That(strings.HasPrefix(text, "failed to dial Keystore client connection 77: "), "it says %q", text)
	// All three at once: one wait, of 5 s as in go-plugin, not three.
	expect.That(time.Since(began) < 14*time.Second, "it took %v", time.Since(began))
	// The plugin still works.
	expect.Must(r.LatestHead(ctx, &loop.LatestHeadRequest{}))
	r.service.close(loop.NewServiceClient(r.conn))
	r.conn.Close()
}
