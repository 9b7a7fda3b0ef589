package probe

import (
	"encoding/json"
	"fmt"
	"net"
	"os"

	"github.com/hashicorp/go-plugin"
)

// ReattachVariable holds, in the manner of TF_REATTACH_PROVIDERS, where a running probe is found.
const ReattachVariable = "INTEROP_REATTACH"

type reattach struct {
	Protocol        string
	ProtocolVersion int
	Pid             int
	Test            bool
	Addr            struct{ Network, String string }
}

// PrintReattach writes on stdout what ReattachVariable may hold.
func PrintReattach(config *plugin.ReattachConfig) error {
	it := reattach{
		Protocol:        string(config.Protocol),
		ProtocolVersion: config.ProtocolVersion,
		Pid:             config.Pid,
		Test:            config.Test,
	}
	it.Addr.Network, it.Addr.String = config.Addr.Network(), config.Addr.String()
	text, err := json.Marshal(map[string]reattach{"probe": it})
	if err != nil {
		return err
	}
	_, err = fmt.Println(string(text))
	return err
}

// ReadReattach reads ReattachVariable.
func ReadReattach() (*plugin.ReattachConfig, error) {
	all := map[string]reattach{}
	if err := json.Unmarshal([]byte(os.Getenv(ReattachVariable)), &all); err != nil {
		return nil, err
	}
	it := all["probe"]
	address, err := net.ResolveUnixAddr(it.Addr.Network, it.Addr.String)
	return &plugin.ReattachConfig{
		Protocol:        plugin.Protocol(it.Protocol),
		ProtocolVersion: it.ProtocolVersion,
		Addr:            address,
		Pid:             it.Pid,
		Test:            it.Test,
	}, err
}
