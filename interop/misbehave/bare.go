package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"

	"interop/probe"
)

// server is a probe that can do little.
type server struct {
	probe.UnimplementedProbeServer
	before func()
}

func (s *server) Echo(_ context.Context, request *probe.EchoRequest) (*probe.EchoReply, error) {
	s.before()
	return &probe.EchoReply{Value: request.Data}, nil
}

// listen makes a socket of one of the kinds that a handshake line can name.
func listen(kind string) net.Listener {
	switch kind {
	case "tcp":
		return must(net.Listen("tcp", "127.0.0.1:0"))
	case "abstract":
		return must(net.Listen("unix", "@misbehave-"+strconv.Itoa(os.Getpid())))
	default:
		return must(net.Listen("unix", filepath.Join(os.Getenv("PLUGIN_UNIX_SOCKET_DIR"), "bare")))
	}
}

func announce(address net.Addr) {
	fmt.Printf("1|2|%s|%s|grpc\n", address.Network(), address)
}

// bare serves the probe without go-plugin, and what else is given.
func bare(listener net.Listener, more ...grpc.ServiceDesc) {
	grpcServer := grpc.NewServer()
	probe.RegisterProbeServer(grpcServer, &server{before: func() {}})
	for _, service := range more {
		grpcServer.RegisterService(&service, struct{}{})
	}
	announce(listener.Addr())
	if err := grpcServer.Serve(listener); err != nil {
		panic(err)
	}
}

// shutdownHangs is go-plugin's controller, whose one method never answers.
var shutdownHangs = grpc.ServiceDesc{
	ServiceName: "plugin.GRPCController",
	HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{{
		MethodName: "Shutdown",
		Handler: func(_ any, _ context.Context, _ func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			hang()
			return &emptypb.Empty{}, nil
		},
	}},
}
