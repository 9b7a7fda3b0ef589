// A host in Go, for plugins in Rust: one case of the tests, in a process of its own.
//
// Usage: host [-auto-mtls] [-mux] CASE PLUGIN. Exit code 0: it went as it should; otherwise the last lines of stderr say what did not.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"

	"interop/probe"
)

var (
	autoMTLS = flag.Bool("auto-mtls", false, "secure the connections with go-plugin's mutual TLS")
	mux      = flag.Bool("mux", false, "multiplex the connections over one socket")
)

func main() {
	flag.Parse()
	if flag.NArg() != 2 || cases[flag.Arg(0)] == nil {
		fmt.Fprintln(os.Stderr, "usage: host [-auto-mtls] [-mux] CASE PLUGIN")
		for name := range cases {
			fmt.Fprintln(os.Stderr, " ", name)
		}
		os.Exit(2)
	}
	failed := true
	func() {
		defer plugin.CleanupClients()
		defer func() {
			if why := recover(); why != nil {
				fmt.Fprintln(os.Stderr, "FAILED:", why)
			}
		}()
		// Longer than any case takes, shorter than the timeout of the test around it.
		ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
		defer cancel()
		cases[flag.Arg(0)](ctx)
		failed = false
	}()
	if failed {
		os.Exit(1)
	}
}

// run is one plugin, being run.
type run struct {
	*plugin.Client
	log, stdout, stderr *buffer
}

// launch describes a plugin to go-plugin; it starts when it is first needed.
func launch(change ...func(*plugin.ClientConfig)) *run {
	r := &run{log: &buffer{}, stdout: &buffer{}, stderr: &buffer{}}
	config := &plugin.ClientConfig{
		HandshakeConfig:  probe.Handshake,
		VersionedPlugins: probe.Versions(&probe.Plugin{}, []int{1, 2}),
		Cmd:              exec.Command(flag.Arg(1), "--be-a-plugin"),
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		Logger:           hclog.New(&hclog.LoggerOptions{Level: hclog.Trace, Output: r.log, JSONFormat: true}),
		SyncStdout:       r.stdout,
		SyncStderr:       r.stderr,
		Managed:          true,
		AutoMTLS:         *autoMTLS,
		// The plugin must support it, or it is refused.
		GRPCBrokerMultiplex: *mux,
	}
	for _, f := range change {
		f(config)
	}
	r.Client = plugin.NewClient(config)
	return r
}

// probe connects to the plugin.
func (r *run) probe() *probe.Client {
	protocol := must(r.Client.Client())
	return must(protocol.Dispense("probe")).(*probe.Client)
}

// kill ends the plugin, which must obey.
func (r *run) kill() {
	r.Kill()
	check(r.Exited(), "the plugin still runs after Kill")
	check(!r.log.has("plugin failed to exit gracefully"), "the plugin had to be killed:\n%s", r.log)
}

// buffer holds what is written to it, so that a part of it can be awaited.
type buffer struct {
	mutex sync.Mutex
	bytes bytes.Buffer
	more  chan struct{}
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if b.more != nil {
		close(b.more)
		b.more = nil
	}
	return b.bytes.Write(p)
}

func (b *buffer) String() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.bytes.String()
}

func (b *buffer) has(text string) bool {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return bytes.Contains(b.bytes.Bytes(), []byte(text))
}

// until waits until text was written.
func (b *buffer) until(ctx context.Context, text string) {
	for {
		b.mutex.Lock()
		if bytes.Contains(b.bytes.Bytes(), []byte(text)) {
			b.mutex.Unlock()
			return
		}
		if b.more == nil {
			b.more = make(chan struct{})
		}
		more := b.more
		b.mutex.Unlock()
		select {
		case <-more:
		case <-ctx.Done():
			panic(fmt.Sprintf("%q never came; this did:\n%s", text, b))
		}
	}
}

// check ends the case if the condition does not hold.
func check(ok bool, format string, arguments ...any) {
	if !ok {
		panic(fmt.Sprintf(format, arguments...))
	}
}

// must ends the case if there is an error.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
