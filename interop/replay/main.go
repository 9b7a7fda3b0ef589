// A peer of go-plugin that knows no messages: it sends and receives bytes, as ordered by a test.
//
// Usage: replay host SOCKET: runs plugins. replay plugin SOCKET COOKIE VALUE: is run by a host.
//
// The test listens on SOCKET. Both sides write one JSON object a line; control.go says which.
package main

import (
	"fmt"
	"os"

	"github.com/hashicorp/go-plugin"
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == "host" {
		c := dialControl(os.Args[2])
		h := &host{control: c}
		c.run(h.do)
		plugin.CleanupClients()
		return
	}
	if len(os.Args) == 5 && os.Args[1] == "plugin" {
		p := &guest{cookie: plugin.HandshakeConfig{MagicCookieKey: os.Args[3], MagicCookieValue: os.Args[4]}}
		p.serve(os.Args[2])
		return
	}
	fmt.Fprintln(os.Stderr, "usage: replay host SOCKET | replay plugin SOCKET COOKIE VALUE")
	os.Exit(2)
}
