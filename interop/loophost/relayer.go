package main

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"

	"google.golang.org/grpc"

	"interop/expect"
	"interop/loopnet"
	"interop/pb/codec"
	"interop/pb/loop"
)

// relayer is a relayer plugin and the relayer in it, which is made lazily (LOOP's RelayerService).
type relayer struct {
	*service
	keys, csa *keystore
	registry  *callers
	ids       []uint32
	conn      *loopnet.Conn
	loop.RelayerClient
}

func startRelayer(ctx context.Context, ledger string) *relayer {
	r := &relayer{
		service: start(ctx, "relayer", loopnet.Relayer),
		keys:    newKeystore("transmitter"), csa: newKeystore("csa"), registry: &callers{},
	}
	config := "ledger = " + strconv.Quote(ledger) + "\n"
	r.conn = loopnet.NewConn("Relayer", &r.root.Broker, func(ctx context.Context) (uint32, []func(), error) {
		return r.create(ctx, config)
	})
	r.RelayerClient = loop.NewRelayerClient(r.conn)
	return r
}

// create lends two keystores and a registry, in this order, and makes the relayer.
func (r *relayer) create(ctx context.Context, config string) (uint32, []func(), error) {
	lent := &lending{broker: &r.root.Broker}
	keys := lent.serve(func(s *grpc.Server) { loop.RegisterKeystoreServer(s, r.keys) }, r.keys.option())
	csa := lent.serve(func(s *grpc.Server) { loop.RegisterKeystoreServer(s, r.csa) }, r.csa.option())
	registry := lent.serve(func(*grpc.Server) {}, r.registry.option())
	r.ids = []uint32{keys, csa, registry}
	if lent.err != nil {
		return 0, lent.stops, lent.err
	}
	reply, err := loop.NewPluginRelayerClient(&r.root).NewRelayer(ctx, &loop.NewRelayerRequest{
		Config: config, KeystoreID: keys, KeystoreCSAID: csa, CapabilityRegistryID: registry,
	})
	return reply.GetRelayerID(), lent.stops, err
}

// provider makes nothing by itself, but probes at once for two optional components, which makes it.
func (r *relayer) provider(ctx context.Context) *loopnet.Conn {
	request := &loop.NewPluginProviderRequest{
		RelayArgs: relayArgs(), PluginArgs: &loop.PluginArgs{TransmitterID: account(key("transmitter"))},
	}
	conn := loopnet.NewConn("PluginProvider", &r.root.Broker, func(ctx context.Context) (uint32, []func(), error) {
		reply, err := r.NewPluginProvider(ctx, request)
		return reply.GetPluginProviderID(), nil, err
	})
	probes(ctx, conn)
	return conn
}

// probes are two calls that always fail, of which only the code matters.
func probes(ctx context.Context, provider grpc.ClientConnInterface) (reader, configured error) {
	_, reader = loop.NewContractReaderClient(provider).GetLatestValue(ctx, &loop.GetLatestValueRequest{
		Params: &codec.VersionedBytes{Version: 2, Data: []byte{0xf6}},
	})
	_, configured = codec.NewCodecClient(provider).GetDecoding(ctx, &codec.GetDecodingRequest{WireEncodingVersion: 2})
	return reader, configured
}

const oracles = 4

func relayArgs() *loop.RelayArgs {
	signers, accounts := make([][32]byte, oracles), make([]string, oracles)
	for i := range oracles {
		signers[i] = [32]byte(key("oracle " + strconv.Itoa(i)).Public().(ed25519.PublicKey))
		accounts[i] = account(key("transmitter"))
	}
	config := expect.Must(json.Marshal(map[string]any{
		"signers": signers, "transmitters": accounts, "f": 1, "min": "-1000000", "max": "1000000",
		"deviation_ppb": 5_000_000, "heartbeat_nanos": 3_600_000_000_000,
	}))
	return &loop.RelayArgs{
		ExternalJobID: []byte("a job's own UUID"), JobID: 7, ContractID: "0x42", RelayConfig: config,
		ProviderType: "median",
	}
}

// lending serves one service after the other, and keeps the first error.
type lending struct {
	broker *loopnet.Broker
	stops  []func()
	err    error
}

func (l *lending) serve(register func(*grpc.Server), options ...grpc.ServerOption) uint32 {
	if l.err != nil {
		return 0
	}
	id, stop, err := l.broker.Serve(register, options...)
	if l.err = err; err == nil {
		l.stops = append(l.stops, stop)
	}
	return id
}

// inTemporary returns a path in a directory that remove removes.
func inTemporary(name string) (path string, remove func()) {
	directory := expect.Must(os.MkdirTemp("", "loophost"))
	return filepath.Join(directory, name), func() { expect.No(os.RemoveAll(directory)) }
}
