package main

import (
	"context"
	"fmt"

	"google.golang.org/grpc"

	"interop/loopnet"
	"interop/pb/loop"
)

type factory struct {
	loop.UnimplementedReportingPluginFactoryServer
	broker  *loopnet.Broker
	plugin  reportingPlugin
	onchain loop.OnchainConfigCodecClient
}

// NewReportingPlugin asks the provider for the bounds and for the longest report, as the real median does.
func (f *factory) NewReportingPlugin(
	ctx context.Context, request *loop.NewReportingPluginRequest,
) (*loop.NewReportingPluginReply, error) {
	config := request.ReportingPluginConfig
	if n := len(config.ConfigDigest); n != 32 {
		return nil, fmt.Errorf("invalid ConfigDigest len %d: must be 32", n)
	}
	bounds, err := f.onchain.Decode(ctx, &loop.DecodeRequest{Encoded: config.OnchainConfig})
	if err != nil {
		return nil, err
	}
	length, err := f.plugin.codec.MaxReportLength(ctx, &loop.MaxReportLengthRequest{N: int64(config.N)})
	if err != nil {
		return nil, err
	}
	made := f.plugin
	made.config, made.least, made.most = config, bounds.OnchainConfig.Min, bounds.OnchainConfig.Max
	// Without loop.Service: a reporting plugin has no lifecycle.
	id, _, err := f.broker.Serve(func(server *grpc.Server) { loop.RegisterReportingPluginServer(server, &made) })
	return &loop.NewReportingPluginReply{
		ReportingPluginID: id,
		ReportingPluginInfo: &loop.ReportingPluginInfo{
			Name: "GoMedian",
			ReportingPluginLimits: &loop.ReportingPluginLimits{
				MaxQueryLength: 64, MaxObservationLength: 92, MaxReportLength: uint64(length.Max),
			},
		},
	}, err
}
