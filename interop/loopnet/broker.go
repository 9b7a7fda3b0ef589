package loopnet

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
)

// Broker serves and dials over go-plugin's broker. A host's is replaced whenever its plugin is launched again.
type Broker struct {
	current atomic.Pointer[plugin.GRPCBroker]
}

// Refresh is called with the broker of every new connection to the plugin.
func (b *Broker) Refresh(current *plugin.GRPCBroker) { b.current.Store(current) }

// Serve offers what register registers, on a connection of its own, under the next broker id of this side.
func (b *Broker) Serve(register func(*grpc.Server), options ...grpc.ServerOption) (id uint32, stop func(), err error) {
	broker := b.current.Load()
	id = broker.NextId()
	listener, err := broker.Accept(id)
	if err != nil {
		return 0, nil, err
	}
	server := grpc.NewServer(options...)
	register(server)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(listener)
	}()
	return id, func() { server.Stop(); <-ended }, nil
}

// Dial connects to what the peer offers under a broker id.
func (b *Broker) Dial(name string, id uint32, options ...grpc.DialOption) (*grpc.ClientConn, error) {
	conn, err := b.current.Load().DialWithOptions(id, options...)
	if err != nil {
		return nil, fmt.Errorf("failed to dial %s client connection %d: %w", name, id, err)
	}
	return conn, nil
}

// Root is a host's main connection to its plugin, replaced like its broker.
type Root struct {
	Broker
	conn atomic.Pointer[grpc.ClientConn]
}

// Refresh is called with every new connection to the plugin.
func (r *Root) Refresh(broker *plugin.GRPCBroker, conn *grpc.ClientConn) {
	r.Broker.Refresh(broker)
	r.conn.Store(conn)
}

// Invoke calls over the current connection.
func (r *Root) Invoke(ctx context.Context, method string, args, reply any, options ...grpc.CallOption) error {
	return r.conn.Load().Invoke(ctx, method, args, reply, options...)
}

// NewStream opens a stream over the current connection.
func (r *Root) NewStream(
	ctx context.Context, desc *grpc.StreamDesc, method string, options ...grpc.CallOption,
) (grpc.ClientStream, error) {
	return r.conn.Load().NewStream(ctx, desc, method, options...)
}
