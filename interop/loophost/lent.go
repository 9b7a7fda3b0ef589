package main

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/stats"
	"google.golang.org/protobuf/types/known/emptypb"

	"interop/loopnet"
	"interop/pb/loop"
)

// keystore has the keys of accounts, whose names are the keys' public halves.
type keystore struct {
	loop.UnimplementedKeystoreServer
	keys map[string]ed25519.PrivateKey
	callers
}

func key(owner string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(owner))
	return ed25519.NewKeyFromSeed(seed[:])
}

func account(of ed25519.PrivateKey) string {
	return hex.EncodeToString(of.Public().(ed25519.PublicKey))
}

func newKeystore(owners ...string) *keystore {
	k := &keystore{keys: map[string]ed25519.PrivateKey{}}
	for _, owner := range owners {
		k.keys[account(key(owner))] = key(owner)
	}
	return k
}

func (k *keystore) Accounts(context.Context, *emptypb.Empty) (*loop.AccountsReply, error) {
	reply := &loop.AccountsReply{}
	for name := range k.keys {
		reply.Accounts = append(reply.Accounts, name)
	}
	return reply, nil
}

// Signing nothing checks whether there is such a key.
func (k *keystore) Sign(_ context.Context, r *loop.SignRequest) (*loop.SignReply, error) {
	key, ok := k.keys[r.Account]
	switch {
	case !ok:
		return nil, fmt.Errorf("failed to sign data for account: %s: no such key", r.Account)
	case len(r.Data) == 0:
		return &loop.SignReply{}, nil
	default:
		return &loop.SignReply{SignedData: ed25519.Sign(key, r.Data)}, nil
	}
}

// dataSource returns a number, or an error, or no number; before that it runs its hook.
type dataSource struct {
	loop.UnimplementedDataSourceServer
	mutex sync.Mutex
	value *big.Int
	err   error
	asked int
	first func(context.Context)
	callers
}

func (d *dataSource) set(value *big.Int, err error) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.value, d.err, d.asked = value, err, 0
}

// before sets the hook that runs before each answer.
func (d *dataSource) before(first func(context.Context)) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.first = first
}

func (d *dataSource) times() int {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	return d.asked
}

func (d *dataSource) Observe(ctx context.Context, r *loop.ObserveRequest) (*loop.ObserveReply, error) {
	if n := len(r.ReportTimestamp.ConfigDigest); n != 32 {
		return nil, fmt.Errorf("invalid ConfigDigest len %d: must be 32", n)
	}
	d.mutex.Lock()
	d.asked++
	value, err, first := d.value, d.err, d.first
	d.mutex.Unlock()
	if first != nil {
		first(ctx)
	}
	return &loop.ObserveReply{Value: loopnet.BigInt(value)}, err
}

// errorLog keeps the errors that it gets.
type errorLog struct {
	loop.UnimplementedErrorLogServer
	mutex   sync.Mutex
	entries []string
	callers
}

func (l *errorLog) SaveError(_ context.Context, r *loop.SaveErrorRequest) (*emptypb.Empty, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.entries = append(l.entries, r.Message)
	return &emptypb.Empty{}, nil
}

func (l *errorLog) taken() []string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	taken := l.entries
	l.entries = nil
	return taken
}

var errFake = errors.New("fake error")

// callers counts the connections to something that is lent.
type callers struct{ open, ever atomic.Int32 }

func (c *callers) option() grpc.ServerOption { return grpc.StatsHandler(c) }

// HandleConn counts.
func (c *callers) HandleConn(_ context.Context, event stats.ConnStats) {
	switch event.(type) {
	case *stats.ConnBegin:
		c.open.Add(1)
		c.ever.Add(1)
	case *stats.ConnEnd:
		c.open.Add(-1)
	}
}

// TagConn has nothing to add.
func (*callers) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

// TagRPC has nothing to add.
func (*callers) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

// HandleRPC has nothing to count.
func (*callers) HandleRPC(context.Context, stats.RPCStats) {}
