package loopnet

import (
	"context"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Conn is a connection to an object that a call makes: lazily, and again whenever the object is lost. It
// does what LOOP's hosts do, their weaknesses included: every call that fails with Unavailable is retried, the
// lock is held while the object is made, and failures in that are retried until the caller's deadline.
type Conn struct {
	name   string
	broker *Broker
	create func(context.Context) (id uint32, lent []func(), err error)

	mutex sync.RWMutex
	conn  *grpc.ClientConn
	lent  []func()
	made  int
}

// NewConn makes nothing yet. create returns the object's broker id, and the functions that end what was lent to it.
func NewConn(name string, broker *Broker, create func(context.Context) (uint32, []func(), error)) *Conn {
	return &Conn{name: name, broker: broker, create: create}
}

// Made is how many times the object was made.
func (c *Conn) Made() int {
	c.mutex.RLock()
	defer c.mutex.RUnlock()
	return c.made
}

// Invoke calls, and retries if the object was lost; but a call of Close returns the error.
func (c *Conn) Invoke(ctx context.Context, method string, args, reply any, options ...grpc.CallOption) error {
	return c.do(ctx, method, func(conn *grpc.ClientConn) error {
		return conn.Invoke(ctx, method, args, reply, options...)
	})
}

// NewStream opens a stream, of which only the opening is retried.
func (c *Conn) NewStream(
	ctx context.Context, desc *grpc.StreamDesc, method string, options ...grpc.CallOption,
) (stream grpc.ClientStream, err error) {
	err = c.do(ctx, method, func(conn *grpc.ClientConn) (err error) {
		stream, err = conn.NewStream(ctx, desc, method, options...)
		return err
	})
	return stream, err
}

func (c *Conn) do(ctx context.Context, method string, call func(*grpc.ClientConn) error) error {
	var lost *grpc.ClientConn
	for {
		conn, err := c.current(ctx, lost)
		if err != nil {
			return err
		}
		err = call(conn)
		if status.Code(err) != codes.Unavailable || method == "/loop.Service/Close" {
			return err
		}
		lost = conn
	}
}

// current is a connection that is not the lost one.
func (c *Conn) current(ctx context.Context, lost *grpc.ClientConn) (*grpc.ClientConn, error) {
	c.mutex.RLock()
	conn := c.conn
	c.mutex.RUnlock()
	if conn != nil && conn != lost {
		return conn, nil
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.conn != nil && c.conn != lost {
		return c.conn, nil
	}
	c.drop()
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		conn, err := c.dial(ctx)
		if err == nil {
			c.conn = conn
			return conn, nil
		}
		select {
		case <-ctx.Done():
			return nil, status.FromContextError(
				fmt.Errorf("%w: last error: %s", context.Cause(ctx), err.Error())).Err()
		case <-time.After(wait):
		}
	}
}

func (c *Conn) dial(ctx context.Context) (*grpc.ClientConn, error) {
	id, lent, err := c.create(ctx)
	if err == nil {
		var conn *grpc.ClientConn
		if conn, err = c.broker.Dial(c.name, id); err == nil {
			c.lent = lent
			c.made++
			return conn, nil
		}
	}
	for _, stop := range lent {
		stop()
	}
	return nil, err
}

// Close ends the connection, and what was lent to the object.
func (c *Conn) Close() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.drop()
}

func (c *Conn) drop() {
	if c.conn != nil {
		_ = c.conn.Close()
		c.conn = nil
	}
	for _, stop := range c.lent {
		stop()
	}
	c.lent = nil
}

// StopLent ends one of the services that were lent to the object, counted from 0.
func (c *Conn) StopLent(number int) {
	c.mutex.RLock()
	defer c.mutex.RUnlock()
	c.lent[number]()
}
