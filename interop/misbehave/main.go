// A plugin in Go that misbehaves, for hosts in Rust: genuine go-plugin where it can be made to, bare Go where it cannot.
//
// Usage: misbehave HOW. It appends the directory of its sockets to the file `sockets` in MISBEHAVE_DIR, so that the test
// around it can look for leftovers; every process of a case has that variable, by which it is found.
package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-plugin"

	"interop/probe"
)

// The role of a process that another one leaves behind. It is no plugin, and reports nothing: whether it runs at all
// before the host kills it is a matter of luck.
const heirsLife = "heirs-life"

var ways = map[string]func(){
	// Before the handshake.
	"no-line":     func() {},
	"garbage":     garbage,
	"core":        core,
	"application": func() { serve(9) },
	"hang":        hang,
	"exit":        exit,
	"panic-early": func() { panic("no configuration") },
	"heir-early":  heirEarly,
	"closed":      closed,
	// After it.
	"stdout":           func() { serve(2, flood(os.Stdout, strings.Repeat("y", 100_000))) },
	"logs":             func() { serve(2, flood(os.Stderr, `{"@level":"info","@message":"again"}`)) },
	"ignores-shutdown": func() { serve(2); hang() },
	"hangs-shutdown":   func() { bare(listen("unix"), shutdownHangs) },
	"heir":             func() { leaveHeir(); serve(2) },
	"panic":            func() { serve(2, func() { panic("the probe is broken") }) },
	// Only the service itself, without any of go-plugin's own.
	"mini-unix":     func() { bare(listen("unix")) },
	"mini-abstract": func() { bare(listen("abstract")) },
	"mini-tcp":      func() { bare(listen("tcp")) },
	// What others leave behind.
	heirsLife: hang,
}

func main() {
	how := strings.Join(os.Args[1:], " ")
	if ways[how] == nil {
		names := []string{}
		for name := range ways {
			names = append(names, name)
		}
		sort.Strings(names)
		fmt.Fprintln(os.Stderr, "usage: misbehave HOW, one of", strings.Join(names, ", "))
		os.Exit(64)
	}
	if how != heirsLife {
		report()
	}
	ways[how]()
}

// report writes down for the test where the sockets are.
func report() {
	name := filepath.Join(os.Getenv("MISBEHAVE_DIR"), "sockets")
	file := must(os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600))
	defer file.Close()
	must(fmt.Fprintln(file, os.Getenv("PLUGIN_UNIX_SOCKET_DIR")))
}

func hang() {
	time.Sleep(time.Hour)
}

func garbage() {
	fmt.Println("Welcome to the plugin! Loading modules...")
	hang()
}

func core() {
	fmt.Println("2|2|unix|/nowhere|grpc|")
	hang()
}

func exit() {
	fmt.Fprintln(os.Stderr, "reading plugin.yaml")
	fmt.Fprintln(os.Stderr, "no licence for this machine")
	os.Exit(3)
}

// heirEarly ends with a message and leaves a process behind that holds both pipes.
func heirEarly() {
	leaveHeir()
	exit()
}

func leaveHeir() {
	heir := exec.Command(must(os.Executable()), heirsLife)
	heir.Stdout, heir.Stderr = os.Stdout, os.Stderr
	if err := heir.Start(); err != nil {
		panic(err)
	}
}

// closed announces a socket without a listener.
func closed() {
	listener := listen("unix").(*net.UnixListener)
	listener.SetUnlinkOnClose(false)
	listener.Close()
	announce(listener.Addr())
	hang()
}

// flood writes lines without end, once it is called, to the descriptor that file has now: serving replaces os.Stdout and
// os.Stderr, not those.
func flood(file *os.File, line string) func() {
	return func() {
		go func() {
			for {
				if _, err := fmt.Fprintln(file, line); err != nil {
					return
				}
			}
		}()
	}
}

// serve is what an ordinary plugin does, except for what happens at its first call.
func serve(version int, atFirstCall ...func()) {
	once := sync.OnceFunc(func() {
		for _, f := range atFirstCall {
			f()
		}
	})
	make := func(*plugin.GRPCBroker) probe.ProbeServer { return &server{before: once} }
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig:  probe.Handshake,
		VersionedPlugins: probe.Versions(&probe.Plugin{Serve: make}, []int{version}),
		GRPCServer:       plugin.DefaultGRPCServer,
	})
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
