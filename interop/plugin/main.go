// A plugin in Go, for hosts in Rust: what go-plugin makes of an ordinary service.
//
// Usage: plugin [FLAG..] [VERSION..], the application protocol versions that it offers; 2 without. `plugin -help` lists the flags.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"interop/probe"
)

func main() {
	inTestMode := flag.Bool("test-mode", false, "serve in go-plugin's test mode")
	flag.Parse()
	versions, serveIt := []int{}, plugin.Serve
	if *inTestMode {
		serveIt = testMode
	}
	for _, argument := range flag.Args() {
		version, err := strconv.Atoi(argument)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		versions = append(versions, version)
	}
	if len(versions) == 0 {
		versions = []int{2}
	}
	// Made before serving, so that it writes to the descriptor and not to go-plugin's pipe.
	logger := hclog.New(&hclog.LoggerOptions{Name: "go-probe", Level: hclog.Trace, Output: os.Stderr, JSONFormat: true})
	orderly := newOrderly(logger)
	serve := func(broker *plugin.GRPCBroker) probe.ProbeServer {
		return &goProbe{
			broker:  broker,
			logger:  logger,
			orderly: orderly,
			// Room for all calls of a case.
			begun:   make(chan struct{}, 64),
			givenUp: make(chan struct{}, 64),
		}
	}
	serveIt(&plugin.ServeConfig{
		HandshakeConfig:  probe.Handshake,
		VersionedPlugins: probe.Versions(&probe.Plugin{Serve: serve}, versions),
		Logger:           logger,
		GRPCServer: func(options []grpc.ServerOption) *grpc.Server {
			return orderly.server(append(options, grpc.MaxRecvMsgSize(probe.MaxMessage)))
		},
	})
}

type goProbe struct {
	probe.UnimplementedProbeServer
	broker         *plugin.GRPCBroker
	logger         hclog.Logger
	orderly        *orderly
	begun, givenUp chan struct{}
	counters       atomic.Int64
}

func (p *goProbe) Echo(_ context.Context, request *probe.EchoRequest) (*probe.EchoReply, error) {
	return &probe.EchoReply{Value: request.Data}, nil
}

func (p *goProbe) Fail(_ context.Context, request *probe.FailRequest) (*probe.FailReply, error) {
	return nil, status.Error(codes.Code(request.Code), request.Text)
}

func (p *goProbe) Take(_ context.Context, request *probe.TakeRequest) (*probe.TakeReply, error) {
	const limit = 9
	asked := request.Asked
	switch {
	case asked == 0:
		closed := &probe.TakeError{Kind: &probe.TakeError_Closed{Closed: &emptypb.Empty{}}}
		return nil, detailed(status.New(codes.FailedPrecondition, "closed"), closed)
	case asked <= limit:
		return &probe.TakeReply{Value: asked}, nil
	case asked == 99:
		return nil, status.Error(codes.Internal, "no detail")
	default:
		tooMany := &probe.TakeErrorTooMany{Asked: asked, Limit: limit}
		why := &probe.TakeError{Kind: &probe.TakeError_TooMany{TooMany: tooMany}}
		return nil, detailed(status.Newf(codes.OutOfRange, "%d are more than %d", asked, limit), why)
	}
}

func detailed(answer *status.Status, why *probe.TakeError) error {
	with, err := answer.WithDetails(why)
	if err != nil {
		return err
	}
	return with.Err()
}

func (p *goProbe) Wait(ctx context.Context, _ *probe.WaitRequest) (*probe.WaitReply, error) {
	p.begun <- struct{}{}
	<-ctx.Done()
	p.givenUp <- struct{}{}
	return nil, ctx.Err()
}

func (p *goProbe) Begun(ctx context.Context, _ *probe.BegunRequest) (*probe.BegunReply, error) {
	return &probe.BegunReply{}, receive(ctx, p.begun)
}

func (p *goProbe) GivenUp(ctx context.Context, _ *probe.GivenUpRequest) (*probe.GivenUpReply, error) {
	return &probe.GivenUpReply{}, receive(ctx, p.givenUp)
}

func receive(ctx context.Context, from chan struct{}) error {
	select {
	case <-from:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *goProbe) TimeLeft(ctx context.Context, _ *probe.TimeLeftRequest) (*probe.TimeLeftReply, error) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return &probe.TimeLeftReply{}, nil
	}
	left := uint64(time.Until(deadline).Milliseconds())
	return &probe.TimeLeftReply{Value: &left}, nil
}

func (p *goProbe) Header(ctx context.Context, request *probe.HeaderRequest) (*probe.HeaderReply, error) {
	if values := metadata.ValueFromIncomingContext(ctx, request.Name); len(values) > 0 {
		return &probe.HeaderReply{Value: &values[0]}, nil
	}
	return &probe.HeaderReply{}, nil
}

func (p *goProbe) NewCounter(_ context.Context, request *probe.NewCounterRequest) (*probe.NewCounterReply, error) {
	p.counters.Add(1)
	id := probe.OfferCounter(p.broker, request.Start, func() { p.counters.Add(-1) })
	return &probe.NewCounterReply{Value: id}, nil
}

func (p *goProbe) Counters(context.Context, *probe.CountersRequest) (*probe.CountersReply, error) {
	return &probe.CountersReply{Value: uint64(p.counters.Load())}, nil
}

func (p *goProbe) Sum(ctx context.Context, request *probe.SumRequest) (*probe.SumReply, error) {
	conn, err := p.broker.Dial(request.Counter)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	counter, sum := probe.NewCounterClient(conn), uint64(0)
	for range request.Times {
		next, err := counter.Next(ctx, &probe.NextRequest{})
		if err != nil {
			return nil, err
		}
		sum += next.Value
	}
	return &probe.SumReply{Value: sum}, nil
}

func (p *goProbe) Print(_ context.Context, request *probe.PrintRequest) (*probe.PrintReply, error) {
	fmt.Fprintln(os.Stdout, request.Stdout)
	fmt.Fprintln(os.Stderr, request.Stderr)
	return &probe.PrintReply{}, nil
}

func (p *goProbe) Log(_ context.Context, request *probe.LogRequest) (*probe.LogReply, error) {
	for _, level := range []hclog.Level{hclog.Trace, hclog.Debug, hclog.Info, hclog.Warn, hclog.Error} {
		p.logger.Log(level, request.Text, "answer", 42)
	}
	return &probe.LogReply{}, nil
}

func (p *goProbe) Crash(context.Context, *probe.CrashRequest) (*probe.CrashReply, error) {
	os.Exit(7)
	return nil, nil
}
