package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// message is a line in either direction.
//
// The test sends orders, with an id and what to do; the answer has that id. It receives incoming calls, with the
// number of the question, and answers with that number.
type message struct {
	ID int    `json:"id,omitempty"`
	Do string `json:"do,omitempty"`
	// launch: what to run, with which cookie.
	Program string   `json:"program,omitempty"`
	Args    []string `json:"args,omitempty"`
	Cookie  []string `json:"cookie,omitempty"`
	// dial, serve: a broker id.
	Broker uint32 `json:"broker,omitempty"`
	// dial: after how many idle milliseconds the connection is dropped, to be dialed anew by the next call; 0 is gRPC's
	// half an hour.
	Idle int `json:"idle,omitempty"`
	// Which connection: 0 is the main one, others have the broker id that they were dialed or served by.
	On uint32 `json:"on,omitempty"`
	// call, and what came in.
	Method string `json:"method,omitempty"`
	Body   string `json:"body,omitempty"`
	// The number of a call that came in.
	Question int `json:"question,omitempty"`
	// The status of a call, if it has no body. In an order to show the log: what to wait for.
	Code    uint32 `json:"code,omitempty"`
	Message string `json:"message,omitempty"`
	// The error of an order that failed.
	Error string `json:"error,omitempty"`
	// exited: the status of the process.
	Status int `json:"status,omitempty"`
	// log: what the plugin logged.
	Log string `json:"log,omitempty"`
}

// failed is the answer to an order that failed.
func failed(err error) message {
	if err == nil {
		return message{}
	}
	return message{Error: err.Error()}
}

// control is the line to the test.
type control struct {
	conn net.Conn

	mutex     sync.Mutex
	questions []chan message
}

func dialControl(socket string) *control {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return &control{conn: conn}
}

// run runs orders until the test disconnects.
func (c *control) run(do func(message) message) {
	lines := bufio.NewReader(c.conn)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var order message
		if err := json.Unmarshal(line, &order); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return
		}
		if order.Question > 0 {
			c.mutex.Lock()
			answer := c.questions[order.Question-1]
			c.mutex.Unlock()
			answer <- order
			continue
		}
		go func() {
			done := do(order)
			done.ID = order.ID
			c.write(done)
		}()
	}
}

func (c *control) write(line message) {
	text, err := json.Marshal(line)
	if err != nil {
		panic(err)
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	// If the test has disconnected, run ends.
	_, _ = c.conn.Write(append(text, '\n'))
}

// ask has the test answer a call.
func (c *control) ask(ctx context.Context, on uint32, method string, body []byte) ([]byte, error) {
	answer := make(chan message, 1)
	c.mutex.Lock()
	c.questions = append(c.questions, answer)
	question := len(c.questions)
	c.mutex.Unlock()
	c.write(message{Question: question, On: on, Method: method, Body: hex.EncodeToString(body)})
	select {
	case said := <-answer:
		if said.Code != 0 {
			return nil, status.Error(codes.Code(said.Code), said.Message)
		}
		return hex.DecodeString(said.Body)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
