package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"interop/loopnet"
	"interop/pb/loop"
)

type relayer struct {
	loop.UnimplementedRelayerServer
	broker   *loopnet.Broker
	keystore loop.KeystoreClient
	config   string
	accounts []string
}

// NewPluginProvider makes a median provider; one with a contract reader if the job's configuration says so.
func (r *relayer) NewPluginProvider(
	_ context.Context, request *loop.NewPluginProviderRequest,
) (*loop.NewPluginProviderReply, error) {
	args := request.RelayArgs
	if n := len(args.ExternalJobID); n != 16 {
		return nil, fmt.Errorf("invalid uuid bytes for ExternalJobID: invalid UUID (got %d bytes)", n)
	}
	switch args.ProviderType {
	case "median":
	case "mercury":
		return nil, status.Error(codes.Unimplemented, "mercury not supported by a chain of variables")
	default:
		return nil, fmt.Errorf("provider type not supported: %s", args.ProviderType)
	}
	made := &provider{keystore: r.keystore, account: request.PluginArgs.TransmitterID}
	id, _, err := r.broker.Serve(func(server *grpc.Server) {
		loop.RegisterServiceServer(server, &loopnet.Life{Called: "GoMedianProvider"})
		loop.RegisterOffchainConfigDigesterServer(server, made)
		loop.RegisterContractConfigTrackerServer(server, made)
		loop.RegisterContractTransmitterServer(server, made)
		loop.RegisterReportCodecServer(server, made)
		loop.RegisterMedianContractServer(server, made)
		loop.RegisterOnchainConfigCodecServer(server, made)
		if string(args.RelayConfig) == "with a reader" {
			loop.RegisterContractReaderServer(server, &reader{})
		}
	})
	return &loop.NewPluginProviderReply{PluginProviderID: id}, err
}

// NewConfigProvider makes a provider of the first two components.
func (r *relayer) NewConfigProvider(
	context.Context, *loop.NewConfigProviderRequest,
) (*loop.NewConfigProviderReply, error) {
	made := &provider{}
	id, _, err := r.broker.Serve(func(server *grpc.Server) {
		loop.RegisterServiceServer(server, &loopnet.Life{Called: "GoConfigProvider"})
		loop.RegisterOffchainConfigDigesterServer(server, made)
		loop.RegisterContractConfigTrackerServer(server, made)
	})
	return &loop.NewConfigProviderReply{ConfigProviderID: id}, err
}

// NewContractReader makes a reader with a lifecycle of its own.
func (r *relayer) NewContractReader(
	_ context.Context, request *loop.NewContractReaderRequest,
) (*loop.NewContractReaderReply, error) {
	made := &reader{prefix: string(request.ContractReaderConfig)}
	id, _, err := r.broker.Serve(func(server *grpc.Server) {
		loop.RegisterServiceServer(server, &loopnet.Life{Called: "GoContractReader"})
		loop.RegisterContractReaderServer(server, made)
	})
	return &loop.NewContractReaderReply{ContractReaderID: id}, err
}

func (r *relayer) LatestHead(context.Context, *loop.LatestHeadRequest) (*loop.LatestHeadReply, error) {
	return &loop.LatestHeadReply{Head: &loop.Head{Height: "1337", Hash: []byte{0xca, 0xfe}, Timestamp: 1700000000}}, nil
}

func (r *relayer) FinalizedHead(context.Context, *loop.FinalizedHeadRequest) (*loop.FinalizedHeadReply, error) {
	return &loop.FinalizedHeadReply{Head: &loop.Head{Height: "1300"}}, nil
}

func (r *relayer) GetChainStatus(context.Context, *loop.GetChainStatusRequest) (*loop.GetChainStatusReply, error) {
	return &loop.GetChainStatusReply{Chain: &loop.ChainStatus{Id: "go", Enabled: true, Config: r.config}}, nil
}

func (r *relayer) GetChainInfo(context.Context, *loop.GetChainInfoRequest) (*loop.GetChainInfoReply, error) {
	return &loop.GetChainInfoReply{ChainInfo: &loop.ChainInfo{
		FamilyName: "variables", ChainId: "go", NetworkName: "net", NetworkNameFull: "net-test",
	}}, nil
}

func (r *relayer) ListNodeStatuses(
	_ context.Context, request *loop.ListNodeStatusesRequest,
) (*loop.ListNodeStatusesReply, error) {
	nodes := []*loop.NodeStatus{
		{ChainID: "go", Name: "one", Config: fmt.Sprintf("page of %d", request.PageSize), State: "Alive"},
		{ChainID: "go", Name: "two", Config: "after " + request.PageToken, State: "Dead"},
	}
	return &loop.ListNodeStatusesReply{Nodes: nodes, Total: 7, NextPageToken: "more"}, nil
}

// Transact signs what it would send, with the key of the sender, and refuses a number of coins that it cannot send.
func (r *relayer) Transact(ctx context.Context, request *loop.TransactionRequest) (*emptypb.Empty, error) {
	amount := loopnet.FromBigInt(request.Amount)
	if amount == nil || amount.Sign() < 0 {
		return nil, fmt.Errorf("nobody can send %v", amount)
	}
	text := fmt.Sprintf("%s to %s, checked: %t", amount, request.To, request.BalanceCheck)
	reply, err := r.keystore.Sign(ctx, &loop.SignRequest{Account: request.From, Data: []byte(text)})
	if err != nil {
		return nil, fmt.Errorf("failed to sign data for account: %s: %w", request.From, err)
	}
	if want := "signed: " + text; string(reply.SignedData) != want {
		return nil, fmt.Errorf("the signature is %q, not %q", reply.SignedData, want)
	}
	return &emptypb.Empty{}, nil
}

// Replay returns what arrived as an error.
func (r *relayer) Replay(_ context.Context, request *loop.ReplayRequest) (*emptypb.Empty, error) {
	var names []string
	for name, value := range request.Args.GetFields() {
		names = append(names, fmt.Sprintf("%s=%v", name, value.AsInterface()))
	}
	return nil, errors.New("replay from " + request.FromBlock + " with " + strings.Join(names, " "))
}
