package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/big"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"interop/loopnet"
	"interop/pb/codec"
	"interop/pb/loop"
)

// named is a stage that is asked by names: its provider has a general reader and a configured codec, and neither a contract
// nor a report codec of the median's own.
type named struct {
	loop.UnimplementedContractReaderServer
	codec.UnimplementedCodecServer
	*stage
	bound []string
	// Written between calls only.
	wrote, decoded json.RawMessage
	fails          error
	// What the codec was given, and what it gave.
	given, gave []byte
}

func (n *named) register(server *grpc.Server) {
	loop.RegisterOnchainConfigCodecServer(server, n.stage)
	loop.RegisterContractReaderServer(server, n)
	codec.RegisterCodecServer(server, n)
}

func (n *named) Bind(_ context.Context, r *loop.BindRequest) (*emptypb.Empty, error) {
	for _, contract := range r.Bindings {
		n.bound = append(n.bound, contract.Address+" "+contract.Name)
	}
	return &emptypb.Empty{}, nil
}

// GetLatestValue answers what the stage's contract would, or what the case says that a reader wrote.
func (n *named) GetLatestValue(_ context.Context, r *loop.GetLatestValueRequest) (*loop.GetLatestValueReply, error) {
	if r.ReadIdentifier == "" {
		// The question whether there is a reader.
		return nil, status.Error(codes.InvalidArgument, "no identifier")
	}
	if r.Confidence != 0 || r.Params.GetVersion() != 2 || !bytes.Equal(r.Params.GetData(), []byte{cborNull}) || r.AsValueType {
		return nil, fmt.Errorf("it was asked with %v", r)
	}
	n.mutex.Lock()
	details, requested := n.details, n.requested
	n.mutex.Unlock()
	var state json.RawMessage
	switch r.ReadIdentifier {
	case "0x42-median-LatestTransmissionDetails":
		n.call("l")
		state = details
	case "0x42-median-LatestRoundRequested":
		n.call("r")
		state = requested
	default:
		return nil, fmt.Errorf("it was asked for %s", r.ReadIdentifier)
	}
	fields, err := map[string]json.RawMessage{}, n.fails
	if state == nil {
		decode(n.wrote, &fields)
	} else if err = failure(state); err == nil {
		var all []json.RawMessage
		decode(state, &all)
		for i, field := range all {
			fields[stateFields[i]] = field
		}
	}
	if err != nil {
		return nil, err
	}
	return &loop.GetLatestValueReply{RetVal: &codec.VersionedBytes{Version: 2, Data: contractState(fields)}}, nil
}

// GetEncoding gives as many bytes as the report of an EVM chain has, which begin with a hash of what it was given.
func (n *named) GetEncoding(_ context.Context, r *codec.GetEncodingRequest) (*codec.GetEncodingResponse, error) {
	if r.ItemType != "MedianReport" || r.Params.GetVersion() != 2 {
		return nil, fmt.Errorf("it was asked to encode %v", r)
	}
	n.given = r.Params.Data
	if n.build != nil {
		var zeros struct {
			Bytes int `json:"zero_bytes"`
		}
		decode(n.build, &zeros)
		n.gave = make([]byte, zeros.Bytes)
		return &codec.GetEncodingResponse{RetVal: n.gave}, failure(n.build)
	}
	_, list, _ := bytes.Cut(n.given, []byte("Observations"))
	count := int(list[0] & 31)
	if count == 24 {
		count = int(list[1])
	}
	hash := sha256.Sum256(n.given)
	n.gave = append(hash[:], make([]byte, 160+32*count-len(hash))...)
	return &codec.GetEncodingResponse{RetVal: n.gave}, nil
}

// GetDecoding finds in a report what the case says.
func (n *named) GetDecoding(ctx context.Context, r *codec.GetDecodingRequest) (*codec.GetDecodingResponse, error) {
	if r.ItemType == "" {
		// The question whether there is a codec.
		return nil, status.Error(codes.InvalidArgument, "no item type")
	}
	if r.ItemType != "MedianReport" || r.WireEncodingVersion != 2 {
		return nil, fmt.Errorf("it was asked to decode %v", r)
	}
	var observations []*big.Int
	if n.decoded != nil {
		if err := failure(n.decoded); err != nil {
			return nil, err
		}
		var all []string
		decode(n.decoded, &all)
		observations = numbers(all)
	} else {
		reply, err := n.MedianFromReport(ctx, &loop.MedianFromReportRequest{Report: r.Encoded})
		if err != nil {
			return nil, err
		}
		observations = []*big.Int{loopnet.FromBigInt(reply.Median)}
	}
	report := medianReport(now, []byte{1}, observations, new(big.Int), new(big.Int))
	return &codec.GetDecodingResponse{RetVal: &codec.VersionedBytes{Version: 2, Data: report}}, nil
}

func (n *named) GetMaxSize(ctx context.Context, r *codec.GetMaxSizeRequest) (*codec.GetMaxSizeResponse, error) {
	if r.ItemType != "MedianReport" || r.ForEncoding {
		return nil, fmt.Errorf("it was asked for the size of %v", r)
	}
	longest, err := n.MaxReportLength(ctx, &loop.MaxReportLengthRequest{N: int64(r.N)})
	return &codec.GetMaxSizeResponse{SizeInBytes: int32(longest.GetMax())}, err
}

// byName is the feed with a median that asks by names.
func (f *feed) byName() *named {
	f.named = &named{stage: f.stage}
	f.median = newMedian(f.service, f.named.register)
	return f.named
}
