package loopnet

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/types/known/emptypb"

	"interop/pb/loop"
)

// Life is the service that every object with a lifecycle has. Called is its name in health reports.
type Life struct {
	loop.UnimplementedServiceServer
	Called string
	Parts  []*Life
	closed atomic.Bool
}

// Ready fails once the object is closed.
func (l *Life) Ready(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	if l.closed.Load() {
		return nil, errors.New(l.Called + " is closed")
	}
	return &emptypb.Empty{}, nil
}

// HealthReport reports the health of the object and of its parts.
func (l *Life) HealthReport(context.Context, *emptypb.Empty) (*loop.HealthReportReply, error) {
	report := map[string]string{}
	l.report("", report)
	return &loop.HealthReportReply{HealthReport: report}, nil
}

func (l *Life) report(within string, into map[string]string) {
	name := within + l.Called
	into[name] = ""
	if l.closed.Load() {
		into[name] = l.Called + " is closed"
	}
	for _, part := range l.Parts {
		part.report(name+".", into)
	}
}

// Close ends the object; a second call is an error.
func (l *Life) Close(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	if l.closed.Swap(true) {
		return nil, errors.New(l.Called + " has already been stopped")
	}
	return &emptypb.Empty{}, nil
}

// Ready checks whether an object is ready. LOOP's hosts wait for 1 s.
func Ready(ctx context.Context, of loop.ServiceClient) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	_, err := of.Ready(ctx, &emptypb.Empty{})
	return err
}

// Report is the health report of a host's client called name: its own, and the object's under its name.
func Report(ctx context.Context, name string, of loop.ServiceClient) map[string]string {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	report := map[string]string{name: ""}
	reply, err := of.HealthReport(ctx, &emptypb.Empty{})
	if err != nil {
		report[name] = err.Error()
		return report
	}
	for part, health := range reply.HealthReport {
		report[name+"."+part] = health
	}
	return report
}
