// A median plugin in Go, for hosts in Rust: built as Chainlink's are, with a plugin whose reports can be read.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"interop/loopnet"
	"interop/pb/codec"
	"interop/pb/loop"
)

func main() {
	if os.Getenv(loopnet.Median.MagicCookieKey) != "" {
		loopnet.RequireEnvironment()
	}
	logger := hclog.New(&hclog.LoggerOptions{Name: "GoMedian", Level: hclog.Debug, Output: os.Stderr, JSONFormat: true})
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: loopnet.Median,
		Plugins:         plugin.PluginSet{"median": &grpcPlugin{logger: logger}},
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
	r := &root{logger: p.logger, life: &loopnet.Life{Called: "GoPluginMedian"}}
	r.broker.Refresh(broker)
	loop.RegisterPluginMedianServer(server, r)
	loop.RegisterServiceServer(server, r.life)
	return nil
}

// GRPCClient is for hosts.
func (*grpcPlugin) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("this is no host")
}

type root struct {
	loop.UnimplementedPluginMedianServer
	broker loopnet.Broker
	logger hclog.Logger
	life   *loopnet.Life
}

// NewMedianFactory dials in the order of LOOP's own plugins: four, then two probes of the provider, then the fifth.
func (r *root) NewMedianFactory(
	ctx context.Context, request *loop.NewMedianFactoryRequest,
) (*loop.NewMedianFactoryReply, error) {
	var dialled []*grpc.ClientConn
	failed := func(err error) (*loop.NewMedianFactoryReply, error) {
		for _, conn := range dialled {
			_ = conn.Close()
		}
		return nil, err
	}
	dial := func(name string, id uint32) error {
		conn, err := r.broker.Dial(name, id)
		if err == nil {
			dialled = append(dialled, conn)
		}
		return err
	}
	if err := errors.Join(
		dial("DataSource", request.DataSourceID),
		dial("JuelsPerFeeCoinDataSource", request.JuelsPerFeeCoinDataSourceID),
		dial("GasPriceSubunitsDataSource", request.GasPriceSubunitsDataSourceID),
		dial("MedianProvider", request.MedianProviderID),
	); err != nil {
		return failed(err)
	}
	provider := dialled[3]
	hasReader, err := r.probe(ctx, provider)
	if err != nil {
		return failed(err)
	}
	if err := dial("ErrorLog", request.ErrorLogID); err != nil {
		return failed(err)
	}
	if definition := request.DeviationFuncDefinition; definition != nil {
		if err := json.Unmarshal(definition, &map[string]any{}); err != nil {
			return failed(fmt.Errorf("failed to unmarshal deviationFuncDefinition: %w", err))
		}
	}
	errorLog := loop.NewErrorLogClient(dialled[4])
	message := fmt.Sprintf("a factory for %s, with a reader: %t", request.ContractID, hasReader)
	if _, err := errorLog.SaveError(ctx, &loop.SaveErrorRequest{Message: message}); err != nil {
		return failed(err)
	}
	made := &factory{
		broker: &r.broker,
		plugin: reportingPlugin{
			value: loop.NewDataSourceClient(dialled[0]), juels: loop.NewDataSourceClient(dialled[1]),
			gas: loop.NewDataSourceClient(dialled[2]), errorLog: errorLog,
			contract: loop.NewMedianContractClient(provider), codec: loop.NewReportCodecClient(provider),
		},
		onchain: loop.NewOnchainConfigCodecClient(provider),
	}
	life := &loopnet.Life{Called: "GoMedianFactory"}
	r.life.Parts = []*loopnet.Life{life}
	id, _, err := r.broker.Serve(func(server *grpc.Server) {
		loop.RegisterReportingPluginFactoryServer(server, made)
		loop.RegisterServiceServer(server, life)
	})
	if err != nil {
		return failed(err)
	}
	r.logger.Info("made a factory", "contract", request.ContractID)
	return &loop.NewMedianFactoryReply{ReportingPluginFactoryID: id}, nil
}

// probe makes two calls that always fail: only Unimplemented means that the component is missing.
func (r *root) probe(ctx context.Context, provider *grpc.ClientConn) (hasReader bool, err error) {
	_, err = loop.NewContractReaderClient(provider).GetLatestValue(ctx, &loop.GetLatestValueRequest{
		Params: &codec.VersionedBytes{Version: 2, Data: []byte{0xf6}},
	})
	reader := status.Code(err)
	_, err = codec.NewCodecClient(provider).GetDecoding(ctx, &codec.GetDecodingRequest{WireEncodingVersion: 2})
	if code := status.Code(err); code != codes.Unimplemented {
		return false, fmt.Errorf("a codec out of nowhere answers %w", err)
	}
	return reader != codes.Unimplemented, nil
}
