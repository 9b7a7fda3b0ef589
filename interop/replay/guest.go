package main

import (
	"context"
	"errors"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
)

// guest is the plugin of a host: the test answers the host's calls, and calls what the host lends.
type guest struct {
	plugin.NetRPCUnsupportedPlugin
	cookie  plugin.HandshakeConfig
	control *control
}

func (p *guest) serve(socket string) {
	p.control = dialControl(socket)
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: p.cookie,
		Plugins:         map[string]plugin.Plugin{"it": p},
		GRPCServer: func(options []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(options, serveRaw(p.control, 0)...)...)
		},
	})
}

func (p *guest) GRPCServer(broker *plugin.GRPCBroker, _ *grpc.Server) error {
	peer := &connections{broker: broker, open: map[uint32]*grpc.ClientConn{}}
	go p.control.run(func(order message) message { return peer.do(p.control, order) })
	return nil
}

func (p *guest) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("a plugin and no host")
}
