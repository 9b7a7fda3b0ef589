package main

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"interop/probe"
)

// Ends that are no crash. Each case prints the outcome of its jobs, for the test that knows which ones ran.
func init() {
	cases["sigterm"] = sigterm
	cases["ends"] = ends
	cases["kill-in-call"] = killInCall
	cases["limits"] = limits
	for _, name := range []string{"in-flight-1", "in-flight-2", "in-flight-3"} {
		cases[name] = inFlight
	}
}

// Calls in flight are answered, one that takes half a second too; new ones are refused, and have not run.
func sigterm(ctx context.Context) {
	r := launch()
	p := r.probe()
	long := make(chan error, 1)
	go func() { long <- work(ctx, p, 500) }()
	held, callers := hold(ctx, p), call(ctx, p, 8)
	r.signal(syscall.SIGTERM)
	for _, err := range callers() {
		check(status.Code(err) == codes.Unavailable, "after SIGTERM: %v", err)
	}
	r.signal(syscall.SIGUSR1)
	for _, underWay := range []chan error{held, long} {
		err := <-underWay
		check(err == nil, "it was under way: %v", err)
	}
	r.isGone(ctx, p)
	r.kill()
}

// Calls in flight are lost.
func ends(ctx context.Context) {
	r := launch()
	p := r.probe()
	held, callers := hold(ctx, p), call(ctx, p, 8)
	r.signal(syscall.SIGUSR2)
	for _, err := range append(callers(), <-held) {
		isLost(err)
	}
	r.isGone(ctx, p)
	r.kill()
	again := launch()
	must(again.probe().Echo(ctx, &probe.EchoRequest{}))
	again.kill()
}

// The host disconnects, and the plugin ends at once and in order.
func killInCall(ctx context.Context) {
	r := launch()
	p := r.probe()
	held, callers := hold(ctx, p), call(ctx, p, 8)
	r.kill()
	for _, err := range append(callers(), <-held) {
		isLost(err)
	}
}

// isLost checks that the connection was lost while the call was in flight: one of the codes on which hosts restart.
func isLost(err error) {
	code := status.Code(err)
	check(code == codes.Canceled || code == codes.Unavailable, "a call that is lost: %v", err)
}

// A host with low limits: what exceeds them is refused, call by call, and nothing else is affected.
func limits(ctx context.Context) {
	r := launch(func(config *plugin.ClientConfig) {
		config.GRPCDialOptions = []grpc.DialOption{
			grpc.WithInitialWindowSize(1 << 16),
			grpc.WithInitialConnWindowSize(1 << 16),
			grpc.WithMaxHeaderListSize(64 << 10),
			grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(1<<20), grpc.MaxCallSendMsgSize(4<<20)),
		}
	})
	p := r.probe()
	calling, cancel := context.WithCancel(ctx)
	callers := call(calling, p, 8)
	for n := range 20 {
		data := bytes.Repeat([]byte{byte(n)}, 1000_000)
		check(bytes.Equal(must(p.Echo(ctx, &probe.EchoRequest{Data: data})).Value, data), "it came back different")
		_, err := p.Echo(ctx, &probe.EchoRequest{Data: append(data, data...)})
		check(status.Code(err) == codes.ResourceExhausted, "2 MB came back as %v", err)
		text := string(bytes.Repeat([]byte("why? "), 4_000))
		_, err = p.Fail(ctx, &probe.FailRequest{Code: int32(codes.Aborted), Text: text})
		check(status.Convert(err).Message() == text, "20 kB of text came back as %v", err)
	}
	must(p.Print(ctx, &probe.PrintRequest{Stdout: "through a small window"}))
	r.stdout.until(ctx, "through a small window")
	sum := must(p.Sum(ctx, &probe.SumRequest{Counter: probe.OfferCounter(p.Broker, 1, func() {}), Times: 3})).Value
	check(sum == 6, "1, 2 and 3 are not %d", sum)
	cancel()
	for _, err := range callers() {
		check(status.Code(err) == codes.Canceled, "until it was cancelled: %v", err)
	}
	r.kill()
}

// The plugin takes few concurrent calls. All calls made at once are answered, from the first on; and while one runs,
// health, output and broker work.
func inFlight(ctx context.Context) {
	r := launch()
	p := r.probe()
	for _, err := range atOnce(ctx, p, 48) {
		check(err == nil, "of 48 at once: %v", err)
	}
	gate := &gate{begun: make(chan struct{}), open: make(chan struct{})}
	id := probe.Offer(p.Broker, func(server *grpc.Server) { probe.RegisterCounterServer(server, gate) }, func() {})
	long := make(chan error)
	go func() {
		_, err := p.Sum(ctx, &probe.SumRequest{Counter: id, Times: 3})
		long <- err
	}()
	for range 2 {
		<-gate.begun
		for range 10 {
			if err := must(r.Client.Client()).Ping(); err != nil {
				panic(err)
			}
		}
		r.signal(syscall.SIGUSR2)
		r.stdout.until(ctx, "told by a signal")
		gate.open <- struct{}{}
	}
	// It is ended by Kill, which takes a call as well.
	<-gate.begun
	r.kill()
	check(<-long != nil, "answered without its last number")
}

// gate is a counter that reports when it was called, and answers when it is opened.
type gate struct {
	probe.UnimplementedCounterServer
	begun, open chan struct{}
}

func (g *gate) Next(ctx context.Context, _ *probe.NextRequest) (*probe.NextReply, error) {
	g.begun <- struct{}{}
	return &probe.NextReply{}, receive(ctx, g.open)
}

func receive(ctx context.Context, from chan struct{}) error {
	select {
	case <-from:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

var jobs atomic.Uint64

// work is one call, and prints its outcome.
func work(ctx context.Context, p *probe.Client, millis uint64) error {
	job := jobs.Add(1)
	_, err := p.Work(ctx, &probe.WorkRequest{Job: job, Millis: millis})
	tell(job, err)
	return err
}

func tell(job uint64, err error) {
	what := "answered"
	if err != nil {
		what = "lost"
	}
	fmt.Println(what, job)
}

// hold makes a call that is in flight when this returns, until the plugin gets SIGUSR1.
func hold(ctx context.Context, p *probe.Client) chan error {
	held, job := make(chan error, 1), jobs.Add(1)
	go func() {
		_, err := p.Hold(ctx, &probe.HoldRequest{Job: job})
		tell(job, err)
		held <- err
	}()
	must(p.Begun(ctx, &probe.BegunRequest{}))
	return held
}

// call starts callers at full speed, of whom each has been answered when this returns. Each goes on until a call is lost.
// The result waits for them, and returns their errors.
func call(ctx context.Context, p *probe.Client, callers int) func() []error {
	errs := make([]error, callers)
	var begun, ended sync.WaitGroup
	for caller := range callers {
		begun.Add(1)
		ended.Add(1)
		go func() {
			defer ended.Done()
			answered := sync.OnceFunc(begun.Done)
			for errs[caller] == nil {
				errs[caller] = work(ctx, p, uint64(caller%4))
				answered()
			}
		}()
	}
	begun.Wait()
	return func() []error {
		ended.Wait()
		return errs
	}
}

// atOnce makes so many calls concurrently.
func atOnce(ctx context.Context, p *probe.Client, calls int) []error {
	errs := make([]error, calls)
	var all sync.WaitGroup
	for n := range calls {
		all.Add(1)
		go func() {
			defer all.Done()
			errs[n] = work(ctx, p, uint64(n%4))
		}()
	}
	all.Wait()
	return errs
}

func (r *run) signal(signal syscall.Signal) {
	if err := syscall.Kill(r.ReattachConfig().Pid, signal); err != nil {
		panic(err)
	}
}

// isGone waits for the end of the process to be known; calls fail then.
func (r *run) isGone(ctx context.Context, p *probe.Client) {
	r.log.until(ctx, "plugin process exited")
	_, err := p.Echo(ctx, &probe.EchoRequest{})
	check(status.Code(err) == codes.Unavailable, "a call of what is gone: %v", err)
}
