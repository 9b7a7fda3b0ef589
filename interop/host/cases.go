package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"interop/probe"
)

var cases = map[string]func(context.Context){
	"calls":            calls,
	"big":              big,
	"errors":           errors,
	"errors-handed-on": errorsHandedOn,
	"details":          details,
	"metadata":         headers,
	"compression":      compression,
	"deadline":         deadline,
	"cancellation":     cancellation,
	"lent":             lent,
	"made":             made,
	"dials":            dials,
	"stdio":            stdio,
	"logs":             logs,
	"ping":             ping,
	"crash":            crash,
	"version":          version,
	"lower-version":    lowerVersion,
	"version-refused":  versionRefused,
	"cookie-missing":   cookieMissing,
}

func calls(ctx context.Context) {
	r := launch()
	p := r.probe()
	for _, data := range []string{"", "x", "a longer one"} {
		reply := must(p.Echo(ctx, &probe.EchoRequest{Data: []byte(data)}))
		check(string(reply.Value) == data, "%q came back as %q", data, reply.Value)
	}
	r.kill()
}

func big(ctx context.Context) {
	r := launch()
	data := bytes.Repeat([]byte("0123456789abcdef"), 4<<20)
	reply := must(r.probe().Echo(ctx, &probe.EchoRequest{Data: data}))
	check(bytes.Equal(reply.Value, data), "64 MiB came back different")
	r.kill()
}

func errors(ctx context.Context) {
	answers(ctx, func(code codes.Code) codes.Code { return code })
}

// A plugin decompresses nothing, and says what it takes instead. The connection goes on.
func compression(ctx context.Context) {
	r := launch()
	p := r.probe()
	_, err := p.Echo(ctx, &probe.EchoRequest{Data: []byte("x")}, grpc.UseCompressor(gzip.Name))
	check(status.Code(err) == codes.Unimplemented, "a compressed request was answered with %v", err)
	reply := must(p.Echo(ctx, &probe.EchoRequest{Data: []byte("y")}))
	check(string(reply.Value) == "y", "%q came back", reply.Value)
	r.kill()
}

// Errors of a plugin that calls another one, in Go. Unavailable or Canceled from that one may mean the end of something
// behind it; a host that received this would take it for the end of the plugin that it runs.
func errorsHandedOn(ctx context.Context) {
	answers(ctx, func(code codes.Code) codes.Code {
		if code == codes.Canceled || code == codes.Unavailable {
			return codes.Aborted
		}
		return code
	})
}

func answers(ctx context.Context, arrives func(codes.Code) codes.Code) {
	r := launch()
	p := r.probe()
	for code := codes.Canceled; code <= codes.Unauthenticated; code++ {
		text := "refused: 100% ü\n" + code.String()
		_, err := p.Fail(ctx, &probe.FailRequest{Code: int32(code), Text: text})
		answer := status.Convert(err)
		check(answer.Code() == arrives(code) && answer.Message() == text, "%v with %q arrived as %v", code, text, err)
	}
	r.kill()
}

// Errors of a type of their own, beside code and text.
func details(ctx context.Context) {
	r := launch()
	p := r.probe()
	taken := must(p.Take(ctx, &probe.TakeRequest{Asked: 9}))
	check(taken.Value == 9, "9 became %d", taken.Value)

	_, err := p.Take(ctx, &probe.TakeRequest{Asked: 10})
	check(status.Code(err) == codes.OutOfRange, "10 were refused as %v", err)
	tooMany := takeError(err).GetTooMany()
	check(tooMany.GetAsked() == 10 && tooMany.GetLimit() == 9, "10 were refused with %v", tooMany)
	text := status.Convert(err).Message()
	check(text == "10 are more than 9", "10 were refused with %q", text)

	_, err = p.Take(ctx, &probe.TakeRequest{})
	check(status.Code(err) == codes.FailedPrecondition && takeError(err).GetClosed() != nil, "none: %v", err)

	_, err = p.Take(ctx, &probe.TakeRequest{Asked: 99})
	answer := status.Convert(err)
	plain := answer.Code() == codes.Internal && answer.Message() == "no detail" && len(answer.Details()) == 0
	check(plain, "99 were refused with %v, %v", err, answer.Details())
	r.kill()
}

// takeError is the one detail of an error.
func takeError(err error) *probe.TakeError {
	all := status.Convert(err).Details()
	check(len(all) == 1, "%v has the details %v", err, all)
	detail, ok := all[0].(*probe.TakeError)
	check(ok, "the detail is %v", all[0])
	return detail
}

func headers(ctx context.Context) {
	r := launch()
	p := r.probe()
	with := metadata.AppendToOutgoingContext(ctx, "traceparent", "00-feed-beef-01")
	value := must(p.Header(with, &probe.HeaderRequest{Name: "traceparent"})).Value
	check(value != nil && *value == "00-feed-beef-01", "traceparent arrived as %v", value)
	value = must(p.Header(ctx, &probe.HeaderRequest{Name: "traceparent"})).Value
	check(value == nil, "traceparent arrived unasked as %v", value)
	r.kill()
}

func deadline(ctx context.Context) {
	r := launch()
	p := r.probe()
	check(must(p.TimeLeft(context.Background(), &probe.TimeLeftRequest{})).Value == nil, "a deadline out of nowhere")
	hour, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	left := must(p.TimeLeft(hour, &probe.TimeLeftRequest{})).Value
	check(left != nil && *left > 3_500_000 && *left <= 3_600_000, "of an hour, %v ms arrived", left)

	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	_, err := p.Wait(short, &probe.WaitRequest{})
	check(status.Code(err) == codes.DeadlineExceeded, "the deadline passed as %v", err)
	must(p.GivenUp(ctx, &probe.GivenUpRequest{}))
	r.kill()
}

func cancellation(ctx context.Context) {
	r := launch()
	p := r.probe()
	waiting, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		_, err := p.Wait(waiting, &probe.WaitRequest{})
		ended <- err
	}()
	must(p.Begun(ctx, &probe.BegunRequest{}))
	cancel()
	err := <-ended
	check(status.Code(err) == codes.Canceled, "the call was cancelled as %v", err)
	must(p.GivenUp(ctx, &probe.GivenUpRequest{}))
	r.kill()
}

// A service that the host lends.
func lent(ctx context.Context) {
	r := launch()
	p := r.probe()
	for start := uint64(1); start <= 3; start++ {
		id := probe.OfferCounter(p.Broker, start, func() {})
		sum := must(p.Sum(ctx, &probe.SumRequest{Counter: id, Times: 3})).Value
		check(sum == 3*start+3, "%d, %d and %d are not %d", start, start+1, start+2, sum)
	}
	r.kill()
}

// A service that the plugin makes.
func made(ctx context.Context) {
	r := launch()
	p := r.probe()
	id := must(p.NewCounter(ctx, &probe.NewCounterRequest{Start: 40})).Value
	conn := must(p.Broker.Dial(id))
	counter := probe.NewCounterClient(conn)
	for want := uint64(40); want < 43; want++ {
		got := must(counter.Next(ctx, &probe.NextRequest{})).Value
		check(got == want, "the counter gave %d for %d", got, want)
	}
	check(must(p.Counters(ctx, &probe.CountersRequest{})).Value == 1, "the counter is not there while it is used")
	must(counter.Close(ctx, &probe.CloseRequest{}))
	conn.Close()
	// The plugin ends the object after the reply.
	for must(p.Counters(ctx, &probe.CountersRequest{})).Value != 0 {
		time.Sleep(10 * time.Millisecond)
	}
	r.kill()
}

// 500 services that the plugin makes, and as many that the host lends: all at once, or one after another where they are
// multiplexed. go-plugin demands that of its users, for it can mix streams up otherwise.
func dials(ctx context.Context) {
	r := launch()
	p := r.probe()
	// In go-plugin an announcement and its dial time out after five seconds, which a busy machine cannot always meet for
	// 500 at once.
	limit := 100
	if *mux {
		limit = 1
	}
	var all sync.WaitGroup
	turns, failures, ended := make(chan struct{}, limit), make(chan any, 500), make(chan struct{}, 500)
	for n := range uint64(500) {
		turns <- struct{}{}
		all.Go(func() {
			defer func() {
				if why := recover(); why != nil {
					failures <- why
				}
				<-turns
			}()
			conn := must(p.Broker.Dial(must(p.NewCounter(ctx, &probe.NewCounterRequest{Start: n})).Value))
			defer conn.Close()
			counter := probe.NewCounterClient(conn)
			got := must(counter.Next(ctx, &probe.NextRequest{})).Value
			check(got == n, "counter %d gave %d", n, got)
			must(counter.Close(ctx, &probe.CloseRequest{}))

			id := probe.OfferCounter(p.Broker, n, func() { ended <- struct{}{} })
			sum := must(p.Sum(ctx, &probe.SumRequest{Counter: id, Times: 2})).Value
			check(sum == 2*n+1, "%d and its successor are not %d", n, sum)
		})
	}
	all.Wait()
	if len(failures) > 0 {
		panic(fmt.Sprint(len(failures), " failed, the first: ", <-failures))
	}
	r.kill()
	// go-plugin removes their sockets when it ends them, after Kill has returned.
	for range 500 {
		select {
		case <-ended:
		case <-ctx.Done():
			panic("what was lent is served for ever")
		}
	}
}

func stdio(ctx context.Context) {
	r := launch()
	p := r.probe()
	must(p.Print(ctx, &probe.PrintRequest{Stdout: "to stdout", Stderr: "to stderr"}))
	r.stdout.until(ctx, "to stdout\n")
	r.stderr.until(ctx, "to stderr\n")
	long := strings.Repeat("x", 1<<20)
	must(p.Print(ctx, &probe.PrintRequest{Stdout: long, Stderr: ""}))
	r.stdout.until(ctx, long+"\n")
	r.kill()
}

func logs(ctx context.Context) {
	r := launch()
	must(r.probe().Log(ctx, &probe.LogRequest{Text: "look here"}))
	r.log.until(ctx, `"@level":"error","@message":"look here"`)
	seen := []string{}
	for line := range strings.Lines(r.log.String()) {
		var record map[string]any
		check(json.Unmarshal([]byte(line), &record) == nil, "the host logged %q", line)
		if record["@message"] == "look here" {
			seen = append(seen, record["@level"].(string))
			check(record["answer"] == 42.0, "the answer arrived as %v", record["answer"])
		}
	}
	// Plugins omit tracing's lowest level unless RUST_LOG enables it.
	check(strings.HasSuffix(strings.Join(seen, " "), "debug info warn error"), "the levels were %v", seen)
	r.kill()
}

func ping(context.Context) {
	r := launch()
	client := must(r.Client.Client())
	for range 2 {
		must(0, client.Ping())
	}
	r.kill()
	check(client.Ping() != nil, "a dead plugin answers")
}

func crash(ctx context.Context) {
	r := launch()
	p := r.probe()
	_, err := p.Crash(ctx, &probe.CrashRequest{})
	check(status.Code(err) == codes.Unavailable, "the crash arrived as %v", err)
	r.log.until(ctx, "plugin process exited")
	for !r.Exited() {
		time.Sleep(10 * time.Millisecond)
	}
	r.Kill()
}

func version(context.Context) {
	r := launch()
	r.probe()
	check(r.NegotiatedVersion() == 2, "version %d was negotiated", r.NegotiatedVersion())
	r.kill()
}

func lowerVersion(context.Context) {
	r := launch(func(config *plugin.ClientConfig) {
		config.VersionedPlugins = probe.Versions(&probe.Plugin{}, []int{1, 7})
	})
	r.probe()
	check(r.NegotiatedVersion() == 1, "version %d was negotiated", r.NegotiatedVersion())
	r.kill()
}

func versionRefused(context.Context) {
	r := launch(func(config *plugin.ClientConfig) {
		config.VersionedPlugins = probe.Versions(&probe.Plugin{}, []int{8, 9})
	})
	_, err := r.Start()
	check(err != nil && strings.Contains(strings.ToLower(err.Error()), "incompatible api version"), "it says %v", err)
	r.Kill()
}

func cookieMissing(ctx context.Context) {
	r := launch(func(config *plugin.ClientConfig) {
		config.HandshakeConfig.MagicCookieKey = "ANOTHER_COOKIE"
	})
	_, err := r.Start()
	check(err != nil, "a plugin without its cookie starts")
	r.log.until(ctx, "plugin process exited")
	check(r.log.has("exit status 1"), "it ended otherwise:\n%s", r.log)

	// A person who runs it gets an explanation, and stdout stays empty.
	command := exec.Command(flag.Arg(1), "--be-a-plugin")
	var out, err2 bytes.Buffer
	command.Stdout, command.Stderr = &out, &err2
	check(command.Run() != nil && command.ProcessState.ExitCode() == 1, "run by hand, it ended with %v", command.ProcessState)
	check(out.Len() == 0 && strings.Contains(err2.String(), "plugin"), "run by hand, it says %q, %q", out.String(), err2.String())
}
