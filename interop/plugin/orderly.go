package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/stats"

	"interop/probe"
)

var (
	maxAge  = flag.Duration("max-age", 0, "end connections in order at this age; 0: never")
	grace   = flag.Duration("grace", 0, "cut those that are still there so much later; 0: never")
	streams = flag.Uint("streams", 0, "take so many calls at a time on a connection; 0: any number")
)

// orderly is what ends in order in this plugin: connections by their age, the server at SIGUSR2, the process at SIGHUP.
// SIGUSR1 answers the held calls.
type orderly struct {
	logger      hclog.Logger
	grpc        *grpc.Server
	connections atomic.Int64
	released    chan struct{}
	notes       *os.File
}

func newOrderly(logger hclog.Logger) *orderly {
	o := &orderly{logger: logger, released: make(chan struct{})}
	if name := os.Getenv("INTEROP_NOTES"); name != "" {
		file, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			panic(err)
		}
		o.notes = file
		o.note("sockets %s", os.Getenv("PLUGIN_UNIX_SOCKET_DIR"))
	}
	return o
}

// server is the one whose connections are noted, and which SIGUSR2 stops.
func (o *orderly) server(options []grpc.ServerOption) *grpc.Server {
	options = append(options, grpc.StatsHandler(o))
	if *maxAge > 0 {
		limits := keepalive.ServerParameters{MaxConnectionAge: *maxAge, MaxConnectionAgeGrace: *grace}
		options = append(options, grpc.KeepaliveParams(limits))
	}
	if *streams > 0 {
		options = append(options, grpc.MaxConcurrentStreams(uint32(*streams)))
	}
	o.grpc = grpc.NewServer(options...)
	// Beside the probe, for hosts that use nothing lent or made.
	probe.RegisterCounterServer(o.grpc, probe.NewCounter(0, func() {}))
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGHUP)
	go o.obey(signals)
	return o.grpc
}

func (o *orderly) obey(signals chan os.Signal) {
	release := sync.OnceFunc(func() { close(o.released) })
	for signal := range signals {
		switch signal {
		case syscall.SIGUSR1:
			release()
		case syscall.SIGUSR2:
			o.logger.Info("the server stops")
			go o.grpc.GracefulStop()
		default:
			os.Exit(0)
		}
	}
}

// note writes to the test's file, which outlives this process.
func (o *orderly) note(format string, arguments ...any) {
	if o.notes != nil {
		fmt.Fprintf(o.notes, format+"\n", arguments...)
	}
}

type connection struct{}

func (o *orderly) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context {
	return context.WithValue(ctx, connection{}, o.connections.Add(1))
}

func (o *orderly) HandleConn(ctx context.Context, what stats.ConnStats) {
	switch what.(type) {
	case *stats.ConnBegin:
		o.logger.Info(fmt.Sprintf("connection %d begins", ctx.Value(connection{})))
	case *stats.ConnEnd:
		o.logger.Info(fmt.Sprintf("connection %d ends", ctx.Value(connection{})))
	}
}

func (o *orderly) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

func (o *orderly) HandleRPC(context.Context, stats.RPCStats) {}

func (p *goProbe) Work(_ context.Context, request *probe.WorkRequest) (*probe.WorkReply, error) {
	p.orderly.note("job %d", request.Job)
	time.Sleep(time.Duration(request.Millis) * time.Millisecond)
	return &probe.WorkReply{Value: request.Job}, nil
}

func (p *goProbe) Look(_ context.Context, request *probe.LookRequest) (*probe.LookReply, error) {
	p.orderly.note("job %d", request.Job)
	time.Sleep(time.Duration(request.Millis) * time.Millisecond)
	return &probe.LookReply{Value: request.Job}, nil
}

func (p *goProbe) Hold(ctx context.Context, request *probe.HoldRequest) (*probe.HoldReply, error) {
	p.orderly.note("job %d", request.Job)
	p.begun <- struct{}{}
	return &probe.HoldReply{Value: request.Job}, receive(ctx, p.orderly.released)
}
