package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// raw is a message that is kept as bytes.
type raw struct{ body []byte }

// codec writes raw messages as they are, and go-plugin's own, which share a connection with them, as protobuf.
type codec struct{}

func (codec) Name() string { return "proto" }

func (codec) Marshal(v any) ([]byte, error) {
	switch v := v.(type) {
	case *raw:
		return v.body, nil
	case proto.Message:
		return proto.Marshal(v)
	}
	return nil, fmt.Errorf("cannot write a %T", v)
}

func (codec) Unmarshal(data []byte, v any) error {
	switch v := v.(type) {
	case *raw:
		v.body = append([]byte{}, data...)
		return nil
	case proto.Message:
		return proto.Unmarshal(data, v)
	}
	return fmt.Errorf("cannot read a %T", v)
}

// serveRaw are the options of a server whose unknown methods the test answers.
func serveRaw(c *control, on uint32) []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.ForceServerCodec(codec{}),
		grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
			method, _ := grpc.MethodFromServerStream(stream)
			var request raw
			if err := stream.RecvMsg(&request); err != nil {
				return err
			}
			reply, err := c.ask(stream.Context(), on, method, request.body)
			if err != nil {
				return err
			}
			return stream.SendMsg(&raw{reply})
		}),
	}
}

// connections are those to one peer.
type connections struct {
	broker *plugin.GRPCBroker

	mutex sync.Mutex
	open  map[uint32]*grpc.ClientConn
}

// do runs the orders that a host and a plugin have in common.
func (p *connections) do(c *control, order message) message {
	switch order.Do {
	case "dial":
		options := []grpc.DialOption{}
		if order.Idle > 0 {
			options = append(options, grpc.WithIdleTimeout(time.Duration(order.Idle)*time.Millisecond))
		}
		conn, err := p.broker.DialWithOptions(order.Broker, options...)
		if err == nil {
			p.mutex.Lock()
			p.open[order.Broker] = conn
			p.mutex.Unlock()
		}
		return failed(err)
	case "serve":
		// Announced when it listens, and not before.
		listener, err := p.broker.Accept(order.Broker)
		if err != nil {
			return failed(err)
		}
		go grpc.NewServer(serveRaw(c, order.Broker)...).Serve(listener)
		return message{}
	case "call":
		p.mutex.Lock()
		conn := p.open[order.On]
		p.mutex.Unlock()
		if conn == nil {
			return failed(fmt.Errorf("there is no connection %d", order.On))
		}
		return call(conn, order.Method, order.Body)
	}
	return failed(fmt.Errorf("what is to %q?", order.Do))
}

func call(conn *grpc.ClientConn, method, body string) message {
	request, err := hex.DecodeString(body)
	if err != nil {
		return failed(err)
	}
	var reply raw
	err = conn.Invoke(context.Background(), method, &raw{request}, &reply, grpc.ForceCodec(codec{}))
	if err != nil {
		refused := status.Convert(err)
		return message{Code: uint32(refused.Code()), Message: refused.Message()}
	}
	return message{Body: hex.EncodeToString(reply.body)}
}
