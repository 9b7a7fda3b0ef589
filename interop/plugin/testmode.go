package main

import (
	"context"
	"io"
	"os"

	"github.com/hashicorp/go-plugin"

	"interop/probe"
)

// testMode serves in go-plugin's test mode, prints how to reattach on stdout, and ends with its stdin.
func testMode(config *plugin.ServeConfig) {
	ctx, cancel := context.WithCancel(context.Background())
	found, closed := make(chan *plugin.ReattachConfig, 1), make(chan struct{})
	config.Test = &plugin.ServeTestConfig{Context: ctx, ReattachConfigCh: found, CloseCh: closed}
	go plugin.Serve(config)
	if err := probe.PrintReattach(<-found); err != nil {
		panic(err)
	}
	io.Copy(io.Discard, os.Stdin)
	cancel()
	<-closed
}
