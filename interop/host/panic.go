package main

import (
	"context"
	"encoding/json"
	"flag"
	"os/exec"
	"strings"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"interop/probe"
)

func init() {
	cases["panic"] = panics
}

// A panic in Rust is the error of one call, and an error in the log; the process lives.
func panics(ctx context.Context) {
	r := launch(func(config *plugin.ClientConfig) {
		config.Cmd = exec.Command(flag.Arg(1), "--be-a-plugin", "--broken")
	})
	p := r.probe()
	for range 2 {
		_, err := p.Echo(ctx, &probe.EchoRequest{})
		answer := status.Convert(err)
		check(answer.Code() == codes.Internal && strings.Contains(answer.Message(), "panicked"), "it is %v", err)
	}
	must(p.Counters(ctx, &probe.CountersRequest{}))
	r.log.until(ctx, "panic: the probe is broken")
	for line := range strings.Lines(r.log.String()) {
		record := map[string]any{}
		check(json.Unmarshal([]byte(line), &record) == nil, "the host logged %q", line)
		if message, _ := record["@message"].(string); strings.HasPrefix(message, "panic: ") {
			check(record["@level"] == "error", "at level %v: %s", record["@level"], message)
		}
	}
	r.kill()
}
