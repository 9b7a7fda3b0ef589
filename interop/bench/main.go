// Host and plugin in Go, for `cargo bench -p loop-benches --bench table`, which writes one command per line to the host
// and reads one answer per line, as from the hosts in Rust (benches/shared): nanoseconds, a zero, and the ids of the
// plugin's process.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"interop/probe"
)

// nap is how long a call takes when thousands are in flight.
const nap = 50 * time.Millisecond

var handshake = plugin.HandshakeConfig{
	ProtocolVersion:  1,
	MagicCookieKey:   "LOOP_BENCH_PLUGIN",
	MagicCookieValue: "table",
}

func main() {
	if os.Getenv(handshake.MagicCookieKey) != "" {
		serve()
		return
	}
	if err := obey(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		plugin.CleanupClients()
		os.Exit(1)
	}
	plugin.CleanupClients()
}

// worker handles the calls of the bench.
type worker struct {
	probe.UnimplementedProbeServer
	broker *plugin.GRPCBroker
}

func (w *worker) Echo(_ context.Context, request *probe.EchoRequest) (*probe.EchoReply, error) {
	return &probe.EchoReply{Value: request.Data}, nil
}

// Wait answers here, after a while.
func (w *worker) Wait(context.Context, *probe.WaitRequest) (*probe.WaitReply, error) {
	time.Sleep(nap)
	return &probe.WaitReply{}, nil
}

func (w *worker) NewCounter(_ context.Context, request *probe.NewCounterRequest) (*probe.NewCounterReply, error) {
	return &probe.NewCounterReply{Value: probe.OfferCounter(w.broker, request.Start, func() {})}, nil
}

func serve() {
	made := &probe.Plugin{Serve: func(broker *plugin.GRPCBroker) probe.ProbeServer { return &worker{broker: broker} }}
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: handshake,
		Plugins:         plugin.PluginSet{"probe": made},
		Logger:          hclog.NewNullLogger(),
		GRPCServer:      func(options []grpc.ServerOption) *grpc.Server { return grpc.NewServer(options...) },
	})
}

// running is a plugin that was started.
type running struct {
	*plugin.Client
	probe *probe.Client
}

func start() (*running, error) {
	client := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  handshake,
		Plugins:          plugin.PluginSet{"probe": &probe.Plugin{}},
		Cmd:              exec.Command(os.Args[0]),
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		Logger:           hclog.NewNullLogger(),
		SyncStdout:       io.Discard,
		SyncStderr:       io.Discard,
		Managed:          true,
		AutoMTLS:         os.Getenv("LOOP_BENCH_AUTO_MTLS") != "",
	})
	protocol, err := client.Client()
	if err != nil {
		return nil, err
	}
	dispensed, err := protocol.Dispense("probe")
	if err != nil {
		return nil, err
	}
	return &running{Client: client, probe: dispensed.(*probe.Client)}, nil
}

func (r *running) pid() int {
	return r.ReattachConfig().Pid
}

func (r *running) echo(data []byte) error {
	reply, err := r.probe.Echo(context.Background(), &probe.EchoRequest{Data: data})
	if err == nil && len(reply.Value) != len(data) {
		err = errors.New("another length came back")
	}
	return err
}

// load makes calls, inFlight at a time, and returns the total time.
func load(inFlight, calls int, call func() error) (time.Duration, error) {
	began, errs := time.Now(), make([]error, inFlight)
	var callers sync.WaitGroup
	for n := range inFlight {
		callers.Go(func() {
			for range calls / inFlight {
				if err := call(); err != nil {
					errs[n] = err
					return
				}
			}
		})
	}
	callers.Wait()
	return time.Since(began), errors.Join(errs...)
}

// object has the plugin make a counter, calls it, and closes it.
func (r *running) object() error {
	made, err := r.probe.NewCounter(context.Background(), &probe.NewCounterRequest{})
	if err != nil {
		return err
	}
	conn, err := r.probe.Broker.Dial(made.Value)
	if err != nil {
		return err
	}
	defer conn.Close()
	counter := probe.NewCounterClient(conn)
	if _, err := counter.Next(context.Background(), &probe.NextRequest{}); err != nil {
		return err
	}
	_, err = counter.Close(context.Background(), &probe.CloseRequest{})
	return err
}

func obey() error {
	current, err := start()
	if err != nil {
		return err
	}
	fmt.Println(0, 0, current.pid())
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		numbers := []int{}
		for _, word := range words[1:] {
			number, err := strconv.Atoi(word)
			if err != nil {
				return err
			}
			numbers = append(numbers, number)
		}
		var took time.Duration
		if current, took, err = run(current, words[0], numbers); err != nil {
			return err
		}
		fmt.Println(took.Nanoseconds(), 0, current.pid())
	}
	return lines.Err()
}

// run runs one command, and returns the plugin that runs afterwards.
func run(current *running, command string, numbers []int) (*running, time.Duration, error) {
	small := make([]byte, 64)
	switch command {
	case "unary":
		data := make([]byte, numbers[0])
		took, err := load(numbers[1], numbers[2], func() error { return current.echo(data) })
		return current, took, err
	case "flood":
		took, err := load(numbers[0], numbers[0], func() error {
			_, err := current.probe.Wait(context.Background(), &probe.WaitRequest{})
			return err
		})
		return current, took, err
	case "broker":
		took, err := load(1, numbers[0], current.object)
		return current, took, err
	case "start":
		began := time.Now()
		other, err := start()
		if err != nil {
			return current, 0, err
		}
		err = other.echo(small)
		took := time.Since(began)
		other.Kill()
		return current, took, err
	case "notice":
		began := time.Now()
		if err := syscall.Kill(current.pid(), syscall.SIGKILL); err != nil {
			return current, 0, err
		}
		for !current.Exited() {
			// go-plugin has no event for it.
			time.Sleep(50 * time.Microsecond)
		}
		took := time.Since(began)
		current.Kill()
		next, err := start()
		return next, took, err
	case "recover":
		began := time.Now()
		if err := syscall.Kill(current.pid(), syscall.SIGKILL); err != nil {
			return current, 0, err
		}
		for current.echo(small) != nil {
			go current.Kill()
			next, err := start()
			if err != nil {
				return current, 0, err
			}
			current = next
		}
		return current, time.Since(began), nil
	}
	return current, 0, fmt.Errorf("no such command: %s", command)
}
