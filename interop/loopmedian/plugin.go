package main

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"os"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/emptypb"

	"interop/loopnet"
	"interop/pb/loop"
)

// reportingPlugin is a median that writes down what it does: observations and queries are text.
type reportingPlugin struct {
	loop.UnimplementedReportingPluginServer
	value, juels, gas loop.DataSourceClient
	errorLog          loop.ErrorLogClient
	contract          loop.MedianContractClient
	codec             loop.ReportCodecClient
	config            *loop.ReportingPluginConfig
	least, most       *loop.BigInt
}

// Query shows the process and how the plugin was configured.
func (p *reportingPlugin) Query(context.Context, *loop.QueryRequest) (*loop.QueryReply, error) {
	c := p.config
	text := fmt.Sprintf("process %d: oracle %d of %d, f %d, rounds of %v, bounds %v to %v, %x", os.Getpid(), c.OracleID,
		c.N, c.F, time.Duration(c.EstimatedRoundInterval), loopnet.FromBigInt(p.least), loopnet.FromBigInt(p.most),
		c.OffchainConfig)
	return &loop.QueryReply{Query: []byte(text)}, nil
}

// Observation asks all three sources; what goes wrong goes into the error log too.
func (p *reportingPlugin) Observation(
	ctx context.Context, request *loop.ObservationRequest,
) (*loop.ObservationReply, error) {
	if err := checked(request.ReportTimestamp); err != nil {
		return nil, err
	}
	var numbers []*big.Int
	for _, source := range []loop.DataSourceClient{p.value, p.juels, p.gas} {
		reply, err := source.Observe(ctx, &loop.ObserveRequest{ReportTimestamp: request.ReportTimestamp})
		if err == nil && reply.Value == nil {
			err = errors.New("a source has no number")
		}
		if err != nil {
			_, lost := p.errorLog.SaveError(ctx, &loop.SaveErrorRequest{Message: err.Error()})
			return nil, errors.Join(err, lost)
		}
		numbers = append(numbers, loopnet.FromBigInt(reply.Value))
	}
	text := fmt.Sprintf("%v %v %v", numbers[0], numbers[1], numbers[2])
	return &loop.ObservationReply{Observation: []byte(text)}, nil
}

// Report hands the observations to the codec, sorted, unless the contract has this round already.
func (p *reportingPlugin) Report(ctx context.Context, request *loop.ReportRequest) (*loop.ReportReply, error) {
	details, err := p.contract.LatestTransmissionDetails(ctx, &loop.LatestTransmissionDetailsRequest{})
	if err != nil {
		return nil, err
	}
	if !newer(request.ReportTimestamp, details) {
		return &loop.ReportReply{}, nil
	}
	var parsed []*loop.ParsedAttributedObservation
	for _, it := range request.Observations {
		if it.Observer > 255 {
			return nil, fmt.Errorf("expected uint8 Observer (max 255) but got %d", it.Observer)
		}
		var value, juels, gas big.Int
		if _, err := fmt.Sscan(string(it.Observation), &value, &juels, &gas); err != nil {
			return nil, err
		}
		parsed = append(parsed, &loop.ParsedAttributedObservation{
			Timestamp: request.ReportTimestamp.Epoch, Observer: it.Observer, Value: loopnet.BigInt(&value),
			JulesPerFeeCoin: loopnet.BigInt(&juels), GasPriceSubunits: loopnet.BigInt(&gas),
		})
	}
	slices.SortFunc(parsed, func(a, b *loop.ParsedAttributedObservation) int {
		return loopnet.FromBigInt(a.Value).Cmp(loopnet.FromBigInt(b.Value))
	})
	built, err := p.codec.BuildReport(ctx, &loop.BuildReportRequest{Observations: parsed})
	if err != nil {
		return nil, err
	}
	return &loop.ReportReply{ShouldReport: true, Report: built.Report}, nil
}

// ShouldAcceptFinalizedReport accepts what has a median within the bounds.
func (p *reportingPlugin) ShouldAcceptFinalizedReport(
	ctx context.Context, request *loop.ShouldAcceptFinalizedReportRequest,
) (*loop.ShouldAcceptFinalizedReportReply, error) {
	reply, err := p.codec.MedianFromReport(ctx, &loop.MedianFromReportRequest{Report: request.Report})
	if err != nil {
		return nil, err
	}
	median := loopnet.FromBigInt(reply.Median)
	accept := median.Cmp(loopnet.FromBigInt(p.least)) >= 0 && median.Cmp(loopnet.FromBigInt(p.most)) <= 0
	return &loop.ShouldAcceptFinalizedReportReply{ShouldAccept: accept}, nil
}

// ShouldTransmitAcceptedReport returns whether the contract still lacks the round.
func (p *reportingPlugin) ShouldTransmitAcceptedReport(
	ctx context.Context, request *loop.ShouldTransmitAcceptedReportRequest,
) (*loop.ShouldTransmitAcceptedReportReply, error) {
	details, err := p.contract.LatestTransmissionDetails(ctx, &loop.LatestTransmissionDetailsRequest{})
	if err != nil {
		return nil, err
	}
	return &loop.ShouldTransmitAcceptedReportReply{ShouldTransmit: newer(request.ReportTimestamp, details)}, nil
}

// Close is the whole lifecycle of a reporting plugin.
func (p *reportingPlugin) Close(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

func checked(timestamp *loop.ReportTimestamp) error {
	if n := len(timestamp.ConfigDigest); n != 32 {
		return fmt.Errorf("invalid ConfigDigest len %d: must be 32", n)
	}
	if timestamp.Round > 255 {
		return fmt.Errorf("expected uint8 Round (max 255) but got %d", timestamp.Round)
	}
	return nil
}

func newer(timestamp *loop.ReportTimestamp, details *loop.LatestTransmissionDetailsReply) bool {
	if timestamp.Epoch != details.Epoch {
		return timestamp.Epoch > details.Epoch
	}
	return timestamp.Round > details.Round
}
