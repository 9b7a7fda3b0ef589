// A host in Go that runs LOOP plugins in Rust as a Chainlink node does: one case of the tests, in a process of its own.
//
// Usage: loophost CASE PLUGIN [GOLDEN]. Exit code 0: it went as it should; otherwise the last lines of stderr say what
// did not, and what the plugins logged.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/hashicorp/go-plugin"

	"interop/expect"
)

var cases = map[string]func(context.Context){
	"construction":   construction,
	"round":          round,
	"components":     components,
	"health":         health,
	"kill-median":    killMedian,
	"kill-relayer":   killRelayer,
	"kill-in-call":   killInCall,
	"frozen":         frozen,
	"close":          closeObjects,
	"replaced":       replaced,
	"idle":           idle,
	"refusals":       refusals,
	"missing":        missing,
	"never-offered":  neverOffered,
	"panics":         panics,
	"codes":          codesOfHandlers,
	"crash":          crash,
	"one-hop-on":     oneHopOn,
	"health-names":   healthNames,
	"environment":    environment,
	"log-fields":     logFields,
	"golden":         golden,
	"golden-codec":   goldenCodec,
	"golden-clock":   goldenClock,
	"golden-pendle":  goldenPendle,
	"golden-generic": goldenGeneric,
	"golden-reader":  goldenReader,
}

// What all plugins log, for the end of a case that failed.
var logged expect.Log

func main() {
	if len(os.Args) < 3 || cases[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: loophost CASE PLUGIN [GOLDEN]")
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
				fmt.Fprintf(os.Stderr, "%s\nFAILED: %v\n", logged.String(), why)
			}
		}()
		// Longer than any case takes, shorter than the timeout of the test around it.
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Second)
		defer cancel()
		cases[os.Args[1]](ctx)
		failed = false
	}()
	if failed {
		os.Exit(1)
	}
}
