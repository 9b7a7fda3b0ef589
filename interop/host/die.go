package main

import (
	"context"
	"fmt"

	"interop/probe"
)

func init() {
	cases["die"] = die
}

// die prints the process id of its plugin, and waits to be killed.
func die(ctx context.Context) {
	r := launch()
	must(r.probe().Echo(ctx, &probe.EchoRequest{Data: []byte("x")}))
	fmt.Println(r.ReattachConfig().Pid)
	<-ctx.Done()
}
