package main

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	"interop/loopnet"
	"interop/pb/loop"
)

// stage is a provider that answers as a recorded case says, and as the relayer's where the case says nothing.
type stage struct {
	loop.UnimplementedMedianContractServer
	loop.UnimplementedReportCodecServer
	loop.UnimplementedOnchainConfigCodecServer
	reports loop.ReportCodecClient
	configs loop.OnchainConfigCodecClient

	// Written between calls only.
	build, longest, onchain json.RawMessage
	evm                     bool

	mutex                      sync.Mutex
	details, requested, median json.RawMessage
	calls                      string
	built                      []byte
}

func newStage(chain grpc.ClientConnInterface) *stage {
	return &stage{reports: loop.NewReportCodecClient(chain), configs: loop.NewOnchainConfigCodecClient(chain)}
}

func (s *stage) register(server *grpc.Server) {
	loop.RegisterMedianContractServer(server, s)
	loop.RegisterReportCodecServer(server, s)
	loop.RegisterOnchainConfigCodecServer(server, s)
}

// set sets what the contract holds, and the median of a report.
func (s *stage) set(details, requested, median json.RawMessage) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.details, s.requested, s.median = details, requested, median
}

// taken returns the calls so far, a letter each.
func (s *stage) taken() string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	calls := s.calls
	s.calls = ""
	return calls
}

func (s *stage) call(letter string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.calls += letter
}

func (s *stage) LatestTransmissionDetails(
	context.Context, *loop.LatestTransmissionDetailsRequest,
) (*loop.LatestTransmissionDetailsReply, error) {
	s.call("l")
	if err := failure(s.details); err != nil {
		return nil, err
	}
	var name string
	var answer, at json.RawMessage
	reply := &loop.LatestTransmissionDetailsReply{LatestTimestamp: timestamppb.New(time.Time{})}
	tuple(s.details, &name, &reply.Epoch, &reply.Round, &answer, &at)
	reply.ConfigDigest = digest(name)
	number, err := fake(answer)
	reply.LatestAnswer = loopnet.BigInt(number)
	if at != nil {
		tuple(at, &reply.LatestTimestamp.Seconds, &reply.LatestTimestamp.Nanos)
	}
	return reply, err
}

func (s *stage) LatestRoundRequested(
	context.Context, *loop.LatestRoundRequestedRequest,
) (*loop.LatestRoundRequestedReply, error) {
	s.call("r")
	if err := failure(s.requested); err != nil {
		return nil, err
	}
	var name string
	reply := &loop.LatestRoundRequestedReply{}
	tuple(s.requested, &name, &reply.Epoch, &reply.Round)
	reply.ConfigDigest = digest(name)
	return reply, nil
}

func (s *stage) BuildReport(ctx context.Context, r *loop.BuildReportRequest) (*loop.BuildReportReply, error) {
	s.built = nil
	for _, it := range r.Observations {
		s.built = append(s.built, byte(it.Observer))
	}
	if s.build == nil {
		return s.reports.BuildReport(ctx, r)
	}
	var zeros struct {
		Bytes int `json:"zero_bytes"`
	}
	decode(s.build, &zeros)
	return &loop.BuildReportReply{Report: make([]byte, zeros.Bytes)}, failure(s.build)
}

func (s *stage) MedianFromReport(
	ctx context.Context, r *loop.MedianFromReportRequest,
) (*loop.MedianFromReportReply, error) {
	s.call("m")
	if s.evm {
		return s.reports.MedianFromReport(ctx, r)
	}
	number, err := fake(s.median)
	return &loop.MedianFromReportReply{Median: loopnet.BigInt(number)}, err
}

func (s *stage) MaxReportLength(
	ctx context.Context, r *loop.MaxReportLengthRequest,
) (*loop.MaxReportLengthReply, error) {
	if s.longest == nil {
		return s.reports.MaxReportLength(ctx, r)
	}
	if err := failure(s.longest); err != nil {
		return nil, err
	}
	reply := &loop.MaxReportLengthReply{}
	decode(s.longest, &reply.Max)
	return reply, nil
}

func (s *stage) Decode(ctx context.Context, r *loop.DecodeRequest) (*loop.DecodeReply, error) {
	if err := failure(s.onchain); err != nil {
		return nil, err
	}
	return s.configs.Decode(ctx, r)
}
