// A relayer plugin in Go, for hosts in Rust: built as Chainlink's are, over a chain that is a few variables.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"

	"interop/loopnet"
	"interop/pb/loop"
)

func main() {
	if os.Getenv(loopnet.Relayer.MagicCookieKey) != "" {
		loopnet.RequireEnvironment()
	}
	logger := hclog.New(&hclog.LoggerOptions{Name: "GoRelayer", Level: hclog.Debug, Output: os.Stderr, JSONFormat: true})
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: loopnet.Relayer,
		Plugins:         plugin.PluginSet{"relayer": &grpcPlugin{logger: logger}},
		Logger:          logger,
		GRPCServer:      plugin.DefaultGRPCServer,
	})
}

type grpcPlugin struct {
	plugin.NetRPCUnsupportedPlugin
	logger hclog.Logger
}

// GRPCServer serves the root.
func (p *grpcPlugin) GRPCServer(broker *plugin.GRPCBroker, server *grpc.Server) error {
	r := &root{logger: p.logger, life: &loopnet.Life{Called: "GoPluginRelayer"}}
	r.broker.Refresh(broker)
	loop.RegisterPluginRelayerServer(server, r)
	loop.RegisterServiceServer(server, r.life)
	return nil
}

// GRPCClient is for hosts.
func (*grpcPlugin) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("this is no host")
}

type root struct {
	loop.UnimplementedPluginRelayerServer
	broker loopnet.Broker
	logger hclog.Logger
	life   *loopnet.Life
}

// NewRelayer dials what it is lent in the order of LOOP's own plugins, and keeps it for as long as the process lives.
func (r *root) NewRelayer(ctx context.Context, request *loop.NewRelayerRequest) (*loop.NewRelayerReply, error) {
	var dialled []*grpc.ClientConn
	failed := func(err error) (*loop.NewRelayerReply, error) {
		for _, conn := range dialled {
			_ = conn.Close()
		}
		return nil, err
	}
	for _, lent := range []struct {
		name string
		id   uint32
	}{
		{"Keystore", request.KeystoreID},
		{"CSAKeystore", request.KeystoreCSAID},
		{"CapabilityRegistry", request.CapabilityRegistryID},
	} {
		conn, err := r.broker.Dial(lent.name, lent.id)
		if err != nil {
			return failed(err)
		}
		dialled = append(dialled, conn)
	}
	if request.Config == "refuse" {
		return failed(errors.New("there is no such chain"))
	}
	made := &relayer{broker: &r.broker, keystore: loop.NewKeystoreClient(dialled[0]), config: request.Config}
	for _, keystore := range dialled[:2] {
		accounts, err := loop.NewKeystoreClient(keystore).Accounts(ctx, &emptypb.Empty{})
		if err != nil {
			return failed(fmt.Errorf("failed to get accounts: %w", err))
		}
		if len(accounts.Accounts) == 0 {
			return failed(errors.New("a keystore without accounts"))
		}
		made.accounts = append(made.accounts, accounts.Accounts...)
	}
	life := &loopnet.Life{Called: "GoRelayer"}
	r.life.Parts = []*loopnet.Life{life}
	id, _, err := r.broker.Serve(func(server *grpc.Server) {
		loop.RegisterRelayerServer(server, made)
		loop.RegisterServiceServer(server, life)
	})
	if err != nil {
		return failed(err)
	}
	r.logger.Info("made a relayer", "accounts", made.accounts)
	return &loop.NewRelayerReply{RelayerID: id}, nil
}
