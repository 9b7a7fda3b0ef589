package main

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"math/big"
	"strconv"

	"google.golang.org/protobuf/types/known/emptypb"

	"interop/expect"
	"interop/loopnet"
	"interop/pb/loop"
)

// job is a whole feed: both plugins, the provider that is lent from one to the other, and a reporting plugin.
type job struct {
	*relayer
	*median
	chain  *loopnet.Conn
	config *loop.ContractConfig
	plugin *reporting
	remove func()
}

func startJob(ctx context.Context) *job {
	ledger, remove := inTemporary("ledger.redb")
	j := &job{relayer: startRelayer(ctx, ledger), remove: remove}
	j.chain = j.provider(ctx)
	j.config = contractConfig(ctx, j.chain)
	j.median = overProvider(ctx, j.chain)
	j.value.set(big.NewInt(1000), nil)
	j.juels.set(big.NewInt(7), nil)
	j.gas.set(big.NewInt(9), nil)
	j.plugin = j.mustReport(ctx, j.pluginConfig())
	return j
}

// provider is the relayer's: the median has a field of that name.
func (j *job) provider(ctx context.Context) *loopnet.Conn { return j.relayer.provider(ctx) }

// contractConfig is read as an oracle reads it.
func contractConfig(ctx context.Context, provider *loopnet.Conn) *loop.ContractConfig {
	tracker := loop.NewContractConfigTrackerClient(provider)
	details := expect.Must(tracker.LatestConfigDetails(ctx, &loop.LatestConfigDetailsRequest{}))
	request := &loop.LatestConfigRequest{ChangedInBlock: details.ChangedInBlock}
	config := expect.Must(tracker.LatestConfig(ctx, request)).ContractConfig
	digester := loop.NewOffchainConfigDigesterClient(provider)
	digest := expect.Must(digester.ConfigDigest(ctx, &loop.ConfigDigestRequest{ContractConfig: config})).ConfigDigest
	expect.Equal("digest", string(digest), string(details.ConfigDigest))
	expect.Equal("digest within", string(config.ConfigDigest), string(digest))
	return config
}

func (j *job) pluginConfig() *loop.ReportingPluginConfig {
	return &loop.ReportingPluginConfig{
		ConfigDigest: j.config.ConfigDigest, OracleID: 3, N: oracles, F: j.config.F,
		OnchainConfig: j.config.OnchainConfig, OffchainConfig: j.config.OffchainConfig,
	}
}

func (j *job) at(epoch, round uint32) *loop.ReportTimestamp {
	return &loop.ReportTimestamp{ConfigDigest: j.config.ConfigDigest, Epoch: epoch, Round: round}
}

// report has every oracle observe, and makes a report of that.
func (j *job) report(ctx context.Context, at *loop.ReportTimestamp) (*loop.ReportReply, error) {
	request := &loop.ReportRequest{ReportTimestamp: at}
	for oracle := range uint32(oracles) {
		j.value.set(big.NewInt(1000*int64(at.Epoch)+int64(oracle)), nil)
		observed, err := j.plugin.Observation(ctx, &loop.ObservationRequest{ReportTimestamp: at})
		if err != nil {
			return nil, err
		}
		observation := &loop.AttributedObservation{Observation: observed.Observation, Observer: oracle}
		request.Observations = append(request.Observations, observation)
	}
	return j.plugin.Report(ctx, request)
}

// transmit signs a report as enough oracles would, and sends it.
func (j *job) transmit(ctx context.Context, at *loop.ReportTimestamp, report []byte) error {
	request := &loop.TransmitRequest{
		ReportContext: &loop.ReportContext{ReportTimestamp: at, ExtraHash: make([]byte, 32)}, Report: report,
	}
	message := append([]byte{}, at.ConfigDigest...)
	message = binary.BigEndian.AppendUint32(message, at.Epoch)
	message = append(message, byte(at.Round))
	message = append(message, request.ReportContext.ExtraHash...)
	hash := sha256.Sum256(report)
	message = append(message, hash[:]...)
	signed := sha256.Sum256(message)
	for oracle := range j.config.F + 1 {
		signature := ed25519.Sign(key("oracle "+strconv.Itoa(int(oracle))), signed[:])
		request.AttributedOnchainSignatures = append(request.AttributedOnchainSignatures,
			&loop.AttributedOnchainSignature{Signature: signature, Signer: oracle})
	}
	_, err := loop.NewContractTransmitterClient(j.chain).Transmit(ctx, request)
	return err
}

func (j *job) details(ctx context.Context) *loop.LatestTransmissionDetailsReply {
	contract := loop.NewMedianContractClient(j.chain)
	return expect.Must(contract.LatestTransmissionDetails(ctx, &loop.LatestTransmissionDetailsRequest{}))
}

// close ends everything as a node does, consumers first. Nothing that was lent is held any more.
func (j *job) close() {
	_, _ = j.plugin.Close(context.Background(), &emptypb.Empty{})
	_ = j.plugin.conn.Close()
	j.median.close(loop.NewServiceClient(j.median.conn))
	j.median.conn.Close()
	j.chain.Close()
	j.relayer.close(loop.NewServiceClient(j.relayer.conn))
	j.relayer.conn.Close()
	for name, open := range map[string]*callers{
		"keystore": &j.keys.callers, "CSA keystore": &j.csa.callers, "registry": j.registry,
		"data source": &j.value.callers, "juels": &j.juels.callers, "gas": &j.gas.callers, "log": &j.log.callers,
	} {
		expect.Equal(name+" connections after the end", open.open.Load(), 0)
	}
	j.remove()
}
