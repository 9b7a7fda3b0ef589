package main

import (
	"context"

	"google.golang.org/grpc"

	"interop/expect"
	"interop/loopnet"
	"interop/pb/loop"
)

// median is a median plugin and the factory in it, which is made lazily (LOOP's MedianService).
type median struct {
	*service
	contract          string
	definition        []byte
	value, juels, gas *dataSource
	log               *errorLog
	// Serves the provider: by itself, or as a proxy.
	provider func(*grpc.Server)
	options  []grpc.ServerOption
	ids      []uint32
	conn     *loopnet.Conn
	loop.ReportingPluginFactoryClient
}

func startMedian(ctx context.Context, provider func(*grpc.Server), options ...grpc.ServerOption) *median {
	return newMedian(start(ctx, "median", loopnet.Median), provider, options...)
}

// startMedianAt is a median whose clock is fixed at that time, in seconds.
func startMedianAt(ctx context.Context, clock string, provider func(*grpc.Server)) *median {
	return newMedian(start(ctx, "median", loopnet.Median, "--clock", clock), provider)
}

// newMedian is one more factory in a plugin that runs.
func newMedian(service *service, provider func(*grpc.Server), options ...grpc.ServerOption) *median {
	m := &median{
		service: service, contract: "0x42", provider: provider, options: options,
		value: &dataSource{}, juels: &dataSource{}, gas: &dataSource{}, log: &errorLog{},
	}
	m.conn = loopnet.NewConn("MedianPluginFactory", &m.root.Broker, m.create)
	m.ReportingPluginFactoryClient = loop.NewReportingPluginFactoryClient(m.conn)
	return m
}

// overProvider is a median whose provider is another plugin's, forwarded undecoded.
func overProvider(ctx context.Context, provider *loopnet.Conn) *median {
	return startMedian(ctx, func(*grpc.Server) {}, loopnet.Proxy(provider))
}

// create lends three data sources, the provider and the error log, in this order, and makes the factory.
func (m *median) create(ctx context.Context) (uint32, []func(), error) {
	lent := &lending{broker: &m.root.Broker}
	source := func(d *dataSource) uint32 {
		return lent.serve(func(s *grpc.Server) { loop.RegisterDataSourceServer(s, d) }, d.option())
	}
	value, juels, gas := source(m.value), source(m.juels), source(m.gas)
	provider := lent.serve(m.provider, m.options...)
	log := lent.serve(func(s *grpc.Server) { loop.RegisterErrorLogServer(s, m.log) }, m.log.option())
	m.ids = []uint32{value, juels, gas, provider, log}
	if lent.err != nil {
		return 0, lent.stops, lent.err
	}
	reply, err := loop.NewPluginMedianClient(&m.root).NewMedianFactory(ctx, &loop.NewMedianFactoryRequest{
		MedianProviderID: provider, ContractID: m.contract, DataSourceID: value, JuelsPerFeeCoinDataSourceID: juels,
		ErrorLogID: log, GasPriceSubunitsDataSourceID: gas, DeviationFuncDefinition: m.definition,
	})
	return reply.GetReportingPluginFactoryID(), lent.stops, err
}

// reporting is a reporting plugin: on a plain connection that is not renewed.
type reporting struct {
	loop.ReportingPluginClient
	conn *grpc.ClientConn
	info *loop.ReportingPluginInfo
}

func (m *median) newReporting(ctx context.Context, config *loop.ReportingPluginConfig) (*reporting, error) {
	reply, err := m.NewReportingPlugin(ctx, &loop.NewReportingPluginRequest{ReportingPluginConfig: config})
	if err != nil {
		return nil, err
	}
	conn, err := m.root.Dial("ReportingPlugin", reply.ReportingPluginID)
	if err != nil {
		return nil, err
	}
	return &reporting{loop.NewReportingPluginClient(conn), conn, reply.ReportingPluginInfo}, nil
}

func (m *median) mustReport(ctx context.Context, config *loop.ReportingPluginConfig) *reporting {
	return expect.Must(m.newReporting(ctx, config))
}
