package loopnet

import (
	"errors"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

// Proxy makes a server that forwards every call to another connection, without its schema: each message is read as
// an empty one, whose unknown fields carry it.
func Proxy(to grpc.ClientConnInterface) grpc.ServerOption {
	return grpc.UnknownServiceHandler(func(_ any, from grpc.ServerStream) error {
		method, ok := grpc.MethodFromServerStream(from)
		if !ok {
			return status.Error(codes.Internal, "a call of no method")
		}
		ctx := from.Context()
		if incoming, ok := metadata.FromIncomingContext(ctx); ok {
			ctx = metadata.NewOutgoingContext(ctx, incoming.Copy())
		}
		stream, err := to.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, method)
		if err != nil {
			return err
		}
		go func() {
			for {
				request := new(emptypb.Empty)
				// What ends the requests ends the stream too, or the other direction reports it.
				if from.RecvMsg(request) != nil || stream.SendMsg(request) != nil {
					_ = stream.CloseSend()
					return
				}
			}
		}()
		return answer(from, stream)
	})
}

func answer(from grpc.ServerStream, stream grpc.ClientStream) error {
	for first := true; ; first = false {
		reply := new(emptypb.Empty)
		if err := stream.RecvMsg(reply); err != nil {
			from.SetTrailer(stream.Trailer())
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if first {
			if header, err := stream.Header(); err == nil {
				_ = from.SetHeader(header)
			}
		}
		if err := from.SendMsg(reply); err != nil {
			return err
		}
	}
}
