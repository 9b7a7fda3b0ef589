package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"sync"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
)

// host runs one plugin after the other. The test waits for one launch before it gives the next order.
type host struct {
	control *control
	client  *plugin.Client
	cmd     *exec.Cmd
	log     *buffer
	peer    *connections
}

func (h *host) do(order message) message {
	switch order.Do {
	case "launch":
		return failed(h.launch(order))
	case "ping":
		protocol, err := h.client.Client()
		if err == nil {
			err = protocol.Ping()
		}
		return failed(err)
	case "kill":
		h.client.Kill()
		return h.exited()
	case "crash":
		return failed(h.cmd.Process.Kill())
	case "exited":
		return h.exited()
	case "log":
		h.log.until(order.Message)
		return message{Log: h.log.String()}
	}
	if h.peer == nil {
		return failed(errors.New("there is no plugin"))
	}
	return h.peer.do(h.control, order)
}

// launch does what Chainlink's tests do: it starts the process, and connects to it.
func (h *host) launch(order message) error {
	if len(order.Cookie) != 2 {
		return fmt.Errorf("a cookie has a key and a value, not %q", order.Cookie)
	}
	h.log, h.peer = newBuffer(), nil
	h.cmd = exec.Command(order.Program, order.Args...)
	h.client = plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  plugin.HandshakeConfig{MagicCookieKey: order.Cookie[0], MagicCookieValue: order.Cookie[1]},
		Plugins:          map[string]plugin.Plugin{"it": dispensed{}},
		Cmd:              h.cmd,
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		Managed:          true,
		Logger:           hclog.New(&hclog.LoggerOptions{Level: hclog.Trace, Output: h.log, JSONFormat: true}),
	})
	protocol, err := h.client.Client()
	if err != nil {
		return err
	}
	it, err := protocol.Dispense("it")
	if err != nil {
		return err
	}
	h.peer = it.(*connections)
	return nil
}

// exited waits for the end of the process.
func (h *host) exited() message {
	h.log.until("plugin process exited")
	// go-plugin logs when it has waited for the process.
	return message{Status: h.cmd.ProcessState.ExitCode()}
}

// dispensed makes the connections to a plugin.
type dispensed struct{ plugin.NetRPCUnsupportedPlugin }

func (dispensed) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error { return nil }

func (dispensed) GRPCClient(_ context.Context, broker *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return &connections{broker: broker, open: map[uint32]*grpc.ClientConn{0: conn}}, nil
}

// buffer holds the log.
type buffer struct {
	mutex sync.Mutex
	bytes bytes.Buffer
	more  *sync.Cond
}

func newBuffer() *buffer {
	b := &buffer{}
	b.more = sync.NewCond(&b.mutex)
	return b
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.more.Broadcast()
	return b.bytes.Write(p)
}

func (b *buffer) String() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.bytes.String()
}

// until waits until text was written.
func (b *buffer) until(text string) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	for !bytes.Contains(b.bytes.Bytes(), []byte(text)) {
		b.more.Wait()
	}
}
