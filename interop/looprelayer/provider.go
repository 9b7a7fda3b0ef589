package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"interop/loopnet"
	"interop/pb/codec"
	"interop/pb/loop"
)

// provider is all that a median feed needs from its chain, on one connection.
type provider struct {
	loop.UnimplementedOffchainConfigDigesterServer
	loop.UnimplementedContractConfigTrackerServer
	loop.UnimplementedContractTransmitterServer
	loop.UnimplementedReportCodecServer
	loop.UnimplementedMedianContractServer
	loop.UnimplementedOnchainConfigCodecServer
	keystore loop.KeystoreClient
	account  string

	mutex    sync.Mutex
	last     *loop.ReportTimestamp
	answer   *big.Int
	answered time.Time
}

var digest = bytes.Repeat([]byte{7}, 32)

func (p *provider) ConfigDigest(_ context.Context, r *loop.ConfigDigestRequest) (*loop.ConfigDigestReply, error) {
	config := r.ContractConfig
	if config.F > 255 {
		return nil, fmt.Errorf("expected uint8 F (max 255) but got %d", config.F)
	}
	// Every part shows in one byte.
	parts := []byte{
		byte(config.ConfigCount), byte(len(config.Signers)), byte(len(config.Transmitters)), byte(config.F),
		byte(len(config.OnchainConfig)), byte(config.OffchainConfigVersion), byte(len(config.OffchainConfig)),
	}
	return &loop.ConfigDigestReply{ConfigDigest: append(parts, digest[len(parts):]...)}, nil
}

func (p *provider) ConfigDigestPrefix(
	context.Context, *loop.ConfigDigestPrefixRequest,
) (*loop.ConfigDigestPrefixReply, error) {
	return &loop.ConfigDigestPrefixReply{ConfigDigestPrefix: 0x0707}, nil
}

func (p *provider) LatestConfigDetails(
	context.Context, *loop.LatestConfigDetailsRequest,
) (*loop.LatestConfigDetailsReply, error) {
	return &loop.LatestConfigDetailsReply{ChangedInBlock: 14, ConfigDigest: digest}, nil
}

func (p *provider) LatestConfig(_ context.Context, r *loop.LatestConfigRequest) (*loop.LatestConfigReply, error) {
	if r.ChangedInBlock != 14 {
		return nil, fmt.Errorf("block %d set no configuration", r.ChangedInBlock)
	}
	return &loop.LatestConfigReply{ContractConfig: &loop.ContractConfig{
		ConfigDigest: digest, ConfigCount: 3, Signers: [][]byte{{1}, {2, 2}}, Transmitters: []string{"foo", "bar"},
		F: 255, OnchainConfig: []byte("-5,500"), OffchainConfigVersion: 2, OffchainConfig: []byte{9},
	}}, nil
}

func (p *provider) LatestBlockHeight(
	context.Context, *loop.LatestBlockHeightRequest,
) (*loop.LatestBlockHeightReply, error) {
	return &loop.LatestBlockHeightReply{BlockHeight: 1337}, nil
}

// Transmit signs the report with the account's key and remembers the round.
func (p *provider) Transmit(ctx context.Context, r *loop.TransmitRequest) (*loop.TransmitReply, error) {
	if n := len(r.ReportContext.ExtraHash); n != 32 {
		return nil, fmt.Errorf("invalid ExtraHash len %d; must be 32", n)
	}
	for _, it := range r.AttributedOnchainSignatures {
		if len(it.Signature) == 0 || it.Signer > 255 {
			return nil, fmt.Errorf("a bad signature of %d", it.Signer)
		}
	}
	if _, err := p.keystore.Sign(ctx, &loop.SignRequest{Account: p.account, Data: r.Report}); err != nil {
		return nil, fmt.Errorf("failed to sign data for account: %s: %w", p.account, err)
	}
	answer, err := median(r.Report)
	if err != nil {
		return nil, err
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.last, p.answer, p.answered = r.ReportContext.ReportTimestamp, answer, time.Unix(1234567890, 987654321)
	return &loop.TransmitReply{}, nil
}

func (p *provider) LatestConfigDigestAndEpoch(
	context.Context, *loop.LatestConfigDigestAndEpochRequest,
) (*loop.LatestConfigDigestAndEpochReply, error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return &loop.LatestConfigDigestAndEpochReply{ConfigDigest: digest, Epoch: p.last.GetEpoch()}, nil
}

func (p *provider) FromAccount(context.Context, *loop.FromAccountRequest) (*loop.FromAccountReply, error) {
	return &loop.FromAccountReply{Account: p.account}, nil
}

// BuildReport writes the observations down: the numbers in decimal, each with its observer.
func (p *provider) BuildReport(_ context.Context, r *loop.BuildReportRequest) (*loop.BuildReportReply, error) {
	var parts []string
	for _, it := range r.Observations {
		parts = append(parts, fmt.Sprintf("%v %d %v %v %d", loopnet.FromBigInt(it.Value), it.Observer,
			loopnet.FromBigInt(it.JulesPerFeeCoin), loopnet.FromBigInt(it.GasPriceSubunits), it.Timestamp))
	}
	return &loop.BuildReportReply{Report: []byte(strings.Join(parts, ";"))}, nil
}

func (p *provider) MedianFromReport(
	_ context.Context, r *loop.MedianFromReportRequest,
) (*loop.MedianFromReportReply, error) {
	answer, err := median(r.Report)
	return &loop.MedianFromReportReply{Median: loopnet.BigInt(answer)}, err
}

func median(report []byte) (*big.Int, error) {
	var values []*big.Int
	for part := range strings.SplitSeq(string(report), ";") {
		text, _, _ := strings.Cut(part, " ")
		value, ok := new(big.Int).SetString(text, 10)
		if !ok {
			return nil, errors.New("no report: " + part)
		}
		values = append(values, value)
	}
	slices.SortFunc(values, (*big.Int).Cmp)
	return values[len(values)/2], nil
}

func (p *provider) MaxReportLength(_ context.Context, r *loop.MaxReportLengthRequest) (*loop.MaxReportLengthReply, error) {
	return &loop.MaxReportLengthReply{Max: 100 * r.N}, nil
}

func (p *provider) LatestTransmissionDetails(
	context.Context, *loop.LatestTransmissionDetailsRequest,
) (*loop.LatestTransmissionDetailsReply, error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return &loop.LatestTransmissionDetailsReply{
		ConfigDigest: digest, Epoch: p.last.GetEpoch(), Round: p.last.GetRound(),
		LatestAnswer: loopnet.BigInt(p.answer), LatestTimestamp: timestamppb.New(p.answered),
	}, nil
}

// LatestRoundRequested shows what it was asked: lookbacks are nanoseconds.
func (p *provider) LatestRoundRequested(
	_ context.Context, r *loop.LatestRoundRequestedRequest,
) (*loop.LatestRoundRequestedReply, error) {
	return &loop.LatestRoundRequestedReply{ConfigDigest: digest, Epoch: uint32(time.Duration(r.Lookback).Seconds()), Round: 11}, nil
}

func (p *provider) Encode(_ context.Context, r *loop.EncodeRequest) (*loop.EncodeReply, error) {
	bounds := r.OnchainConfig
	text := fmt.Sprintf("%v,%v", loopnet.FromBigInt(bounds.Min), loopnet.FromBigInt(bounds.Max))
	return &loop.EncodeReply{Encoded: []byte(text)}, nil
}

func (p *provider) Decode(_ context.Context, r *loop.DecodeRequest) (*loop.DecodeReply, error) {
	least, most, found := strings.Cut(string(r.Encoded), ",")
	low, lowOk := new(big.Int).SetString(least, 10)
	high, highOk := new(big.Int).SetString(most, 10)
	if !found || !lowOk || !highOk {
		return nil, errors.New("no bounds: " + string(r.Encoded))
	}
	return &loop.DecodeReply{OnchainConfig: &loop.OnchainConfig{Min: loopnet.BigInt(low), Max: loopnet.BigInt(high)}}, nil
}

// reader returns what it is asked for.
type reader struct {
	loop.UnimplementedContractReaderServer
	prefix string
}

func (r *reader) GetLatestValue(
	_ context.Context, request *loop.GetLatestValueRequest,
) (*loop.GetLatestValueReply, error) {
	if request.ReadIdentifier == "" {
		return nil, status.Error(codes.InvalidArgument, "there is nothing without a name")
	}
	text := fmt.Sprintf("%s%s at %s of %s", r.prefix, request.ReadIdentifier, request.Confidence, request.Params.GetData())
	return &loop.GetLatestValueReply{
		RetVal: &codec.VersionedBytes{Version: request.Params.GetVersion(), Data: []byte(text)},
	}, nil
}
