// Package loopnet is what LOOP's hosts and plugins in Go have in common: handshakes, the broker's connections and their
// renewal, and the service that every object with a lifecycle has.
package loopnet

import (
	"fmt"
	"os"
	"strconv"

	"github.com/hashicorp/go-plugin"
)

// Relayer is the handshake of relayer plugins.
var Relayer = plugin.HandshakeConfig{
	MagicCookieKey:   "CL_PLUGIN_RELAYER_MAGIC_COOKIE",
	MagicCookieValue: "dae753d4542311b33cf041b930db0150647e806175c2818a0c88a9ab745e45aa",
}

// Median is the handshake of median plugins.
var Median = plugin.HandshakeConfig{
	MagicCookieKey:   "CL_PLUGIN_MEDIAN_MAGIC_COOKIE",
	MagicCookieValue: "b12a697e19748cd695dd1690c09745ee7cc03717179958e8eadd5a7ca4646728",
}

// Environment is what a node gives to every plugin, beside go-plugin's own variables.
var Environment = []string{
	"CL_PROMETHEUS_PORT=0",
	"CL_MERCURY_TRANSMITTER_TRANSMIT__QUEUE_MAX_SIZE=10000",
	"CL_MERCURY_TRANSMITTER_TRANSMIT_CONCURRENCY=100",
}

// RequireEnvironment ends a plugin without the variables that plugins in Go require.
func RequireEnvironment() {
	for name, bits := range map[string]int{
		"CL_PROMETHEUS_PORT":                              31,
		"CL_MERCURY_TRANSMITTER_TRANSMIT__QUEUE_MAX_SIZE": 32,
		"CL_MERCURY_TRANSMITTER_TRANSMIT_CONCURRENCY":     32,
	} {
		if _, err := strconv.ParseUint(os.Getenv(name), 10, bits); err != nil {
			fmt.Fprintf(os.Stderr, "failed to parse environment: %s: %v\n", name, err)
			os.Exit(1)
		}
	}
}
