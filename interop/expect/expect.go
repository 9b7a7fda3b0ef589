// Package expect has the assertions of the programs here: on failure they exit, with a message.
package expect

import (
	"bytes"
	"context"
	"fmt"
	"sync"
)

// That ends the case if the condition does not hold.
func That(ok bool, format string, arguments ...any) {
	if !ok {
		panic(fmt.Sprintf(format, arguments...))
	}
}

// Equal ends the case if came is not wanted; what names the value.
func Equal[T comparable](what string, came, wanted T) {
	That(came == wanted, "%s: %v came, %v was expected", what, came, wanted)
}

// No ends the case if there is an error.
func No(err error) {
	if err != nil {
		panic(err)
	}
}

// Must returns the value, and ends the case if there is an error.
func Must[T any](value T, err error) T {
	No(err)
	return value
}

// Log holds what is written to it, so that a part of it can be awaited.
type Log struct {
	mutex sync.Mutex
	bytes bytes.Buffer
	more  chan struct{}
}

func (l *Log) Write(p []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.more != nil {
		close(l.more)
		l.more = nil
	}
	return l.bytes.Write(p)
}

// String is all that was written.
func (l *Log) String() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.bytes.String()
}

// Until waits until text was written.
func (l *Log) Until(ctx context.Context, text string) {
	for {
		l.mutex.Lock()
		if bytes.Contains(l.bytes.Bytes(), []byte(text)) {
			l.mutex.Unlock()
			return
		}
		if l.more == nil {
			l.more = make(chan struct{})
		}
		more := l.more
		l.mutex.Unlock()
		select {
		case <-more:
		case <-ctx.Done():
			panic(fmt.Sprintf("%q never came; this did:\n%s", text, l))
		}
	}
}
