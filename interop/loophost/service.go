package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"

	"interop/expect"
	"interop/loopnet"
	"interop/pb/loop"
)

// tick is how often a node checks its plugins.
const tick = 5 * time.Second

// service keeps one plugin running, as LOOP's PluginService does: it is checked at every tick, and launched again
// if it does not answer. The root outlives the processes.
type service struct {
	name      string
	handshake plugin.HandshakeConfig
	args      []string
	root      loopnet.Root
	stop      chan struct{}
	ended     chan struct{}
	// How often it was checked, the current check included.
	looks atomic.Int32
	// Of the goroutine that looks, until that has ended.
	client   *plugin.Client
	protocol plugin.ClientProtocol

	// Held while the plugin is launched, and not during the health check, which has no deadline.
	mutex    sync.Mutex
	command  *exec.Cmd
	launches int
	up       chan struct{}
}

// start launches the plugin and waits for its first process.
func start(ctx context.Context, name string, handshake plugin.HandshakeConfig, args ...string) *service {
	s := &service{
		name: name, handshake: handshake, args: args,
		stop: make(chan struct{}), ended: make(chan struct{}), up: make(chan struct{}),
	}
	go s.keepAlive()
	select {
	case <-s.up:
	case <-ctx.Done():
		panic(name + " does not start")
	}
	return s
}

func (s *service) keepAlive() {
	defer close(s.ended)
	for {
		s.look()
		select {
		case <-s.stop:
			return
		case <-time.After(tick):
		}
	}
}

func (s *service) look() {
	if s.client != nil {
		s.looks.Add(1)
		if !s.client.Exited() && s.protocol.Ping() == nil {
			return
		}
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.client != nil {
		s.client.Kill()
	}
	s.command = exec.Command(os.Args[2], s.args...)
	// A plugin sees nothing of its host's environment. What a node's env file adds to it is here where sockets go.
	s.command.Env = append([]string{"TMPDIR=" + os.TempDir()}, loopnet.Environment...)
	s.client = plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  s.handshake,
		Plugins:          plugin.PluginSet{s.name: &grpcPlugin{root: &s.root}},
		Cmd:              s.command,
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		Logger:           hclog.New(&hclog.LoggerOptions{Level: hclog.Debug, Output: &logged, JSONFormat: true}),
		Managed:          true,
		SkipHostEnv:      true,
	})
	protocol, err := s.client.Client()
	if err == nil {
		_, err = protocol.Dispense(s.name)
	}
	if err != nil {
		_, _ = logged.Write([]byte(s.name + ": " + err.Error() + "\n"))
		s.client.Kill()
		s.client = nil
		return
	}
	s.protocol = protocol
	if s.launches++; s.launches == 1 {
		close(s.up)
	}
}

// times is how often the plugin was launched.
func (s *service) times() int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.launches
}

// kill is what an out-of-memory killer does.
func (s *service) kill() { s.signal(syscall.SIGKILL) }

// freeze is what a debugger does. All threads of the process are stopped when it returns.
func (s *service) freeze() {
	s.signal(syscall.SIGSTOP)
	threads := filepath.Join("/proc", strconv.Itoa(s.pid()), "task/*/stat")
	running := func(thread string) bool {
		stat, err := os.ReadFile(thread)
		_, state, found := bytes.Cut(stat, []byte(") "))
		return err == nil && found && state[0] != 'T'
	}
	for slices.ContainsFunc(expect.Must(filepath.Glob(threads)), running) {
		time.Sleep(time.Millisecond)
	}
}

// thaw is what a debugger does when it detaches.
func (s *service) thaw() { s.signal(syscall.SIGCONT) }

func (s *service) signal(signal syscall.Signal) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	expect.No(s.command.Process.Signal(signal))
}

func (s *service) pid() int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.command.Process.Pid
}

// untilLook waits until the node has begun another check of the plugin.
func (s *service) untilLook(ctx context.Context) {
	for before := s.looks.Load(); s.looks.Load() == before; time.Sleep(10 * time.Millisecond) {
		expect.No(ctx.Err())
	}
}

// health is what a node shows of the plugin: the service, the client of its root, and the plugin's own report.
func (s *service) health(ctx context.Context, client string, object loop.ServiceClient) map[string]string {
	report := loopnet.Report(ctx, s.name+"."+client, loop.NewServiceClient(&s.root))
	report[s.name] = ""
	if err := loopnet.Ready(ctx, object); err != nil {
		report[s.name] = err.Error()
	}
	return report
}

// close ends the plugin, which must obey. Its object is closed with a cancelled context, so the call seldom arrives.
func (s *service) close(object loop.ServiceClient) {
	close(s.stop)
	<-s.ended
	if object != nil {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_, _ = object.Close(ctx, &emptypb.Empty{})
	}
	s.client.Kill()
	expect.That(s.client.Exited(), "%s still runs after Kill", s.name)
	expect.That(!strings.Contains(logged.String(), "plugin failed to exit gracefully"), "%s had to be killed", s.name)
}

type grpcPlugin struct {
	plugin.NetRPCUnsupportedPlugin
	root *loopnet.Root
}

// GRPCServer is for plugins.
func (*grpcPlugin) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error {
	return errors.New("this is no plugin")
}

// GRPCClient hands every new connection to the existing root.
func (p *grpcPlugin) GRPCClient(_ context.Context, broker *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	p.root.Refresh(broker, conn)
	return p.root, nil
}
