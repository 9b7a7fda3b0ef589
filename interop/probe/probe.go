// Package probe is the service that the two languages offer each other: the code generated from the trait's schema, and
// what the Go host and the Go plugin share.
package probe

import (
	"context"
	"sync/atomic"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
)

// MaxMessage is what a Go server here accepts; grpc-go's own limit is 4 MiB.
const MaxMessage = 128 << 20

// Handshake is that of the plugins in Rust and in Go alike.
var Handshake = plugin.HandshakeConfig{
	MagicCookieKey:   "INTEROP_COOKIE",
	MagicCookieValue: "biscuit",
}

// Plugin makes a Probe known to go-plugin. Serve is needed by plugins only.
type Plugin struct {
	plugin.NetRPCUnsupportedPlugin
	Serve func(*plugin.GRPCBroker) ProbeServer
}

// GRPCServer serves the probe in a plugin.
func (p *Plugin) GRPCServer(broker *plugin.GRPCBroker, server *grpc.Server) error {
	RegisterProbeServer(server, p.Serve(broker))
	return nil
}

// GRPCClient is the probe as a host sees it.
func (p *Plugin) GRPCClient(_ context.Context, broker *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return &Client{ProbeClient: NewProbeClient(conn), Broker: broker}, nil
}

// Client is a probe, and the broker for what is lent to it and made by it.
type Client struct {
	ProbeClient
	Broker *plugin.GRPCBroker
}

// Versions offers the same plugin under each of the application protocol versions.
func Versions(p *Plugin, versions []int) map[int]plugin.PluginSet {
	all := map[int]plugin.PluginSet{}
	for _, version := range versions {
		all[version] = plugin.PluginSet{"probe": p}
	}
	return all
}

// Counter counts.
type Counter struct {
	UnimplementedCounterServer
	next   atomic.Uint64
	closed func()
}

// NewCounter is one whose first number is start, and which calls closed when it is closed.
func NewCounter(start uint64, closed func()) *Counter {
	counter := &Counter{closed: closed}
	counter.next.Store(start)
	return counter
}

// Next returns the next number.
func (c *Counter) Next(context.Context, *NextRequest) (*NextReply, error) {
	return &NextReply{Value: c.next.Add(1) - 1}, nil
}

// Close ends the counter's connection, after the answer.
func (c *Counter) Close(context.Context, *CloseRequest) (*CloseReply, error) {
	c.closed()
	return &CloseReply{}, nil
}

// OfferCounter serves a counter on a connection of its own, and calls ended once when that has ended. The result is its
// broker id.
func OfferCounter(broker *plugin.GRPCBroker, start uint64, ended func()) uint32 {
	return Offer(broker, func(server *grpc.Server) {
		RegisterCounterServer(server, NewCounter(start, func() { go server.GracefulStop() }))
	}, ended)
}

// Offer serves what register registers on a connection of its own, and calls ended once when that has ended.
//
// It is known to the broker before the id is given away: a multiplexed plugin ends if it is dialled sooner.
func Offer(broker *plugin.GRPCBroker, register func(*grpc.Server), ended func()) uint32 {
	id, known := broker.NextId(), make(chan struct{})
	go func() {
		broker.AcceptAndServe(id, func(options []grpc.ServerOption) *grpc.Server {
			close(known)
			server := grpc.NewServer(options...)
			register(server)
			return server
		})
		ended()
	}()
	<-known
	return id
}
