package main

import (
	"context"
	"flag"
	"os"
	"os/exec"

	"github.com/hashicorp/go-plugin"

	"interop/probe"
)

func init() {
	cases["leave"] = leave
	cases["attach"] = attach
}

// leave starts the plugin, uses it, prints how to reattach, and exits without ending it.
func leave(ctx context.Context) {
	r := launch(func(config *plugin.ClientConfig) {
		config.Cmd = exec.Command(flag.Arg(1), "--be-a-plugin", "--outlive")
		config.Managed = false
	})
	must(r.probe().Echo(ctx, &probe.EchoRequest{Data: []byte("x")}))
	lendTo(ctx, r.probe())
	if err := probe.PrintReattach(r.ReattachConfig()); err != nil {
		panic(err)
	}
	os.Exit(0)
}

// attach reattaches to the plugin in its environment, uses it, and ends it, unless it is in test mode: then Kill does
// nothing.
func attach(ctx context.Context) {
	config := must(probe.ReadReattach())
	r := launch(func(client *plugin.ClientConfig) {
		client.Cmd, client.Managed = nil, false
		client.Plugins = plugin.PluginSet{"probe": &probe.Plugin{}}
		client.Reattach = config
	})
	p := r.probe()
	must(p.Echo(ctx, &probe.EchoRequest{Data: []byte("again")}))
	lendTo(ctx, p)
	check(must(p.Broker.Dial(must(p.NewCounter(ctx, &probe.NewCounterRequest{Start: 40})).Value)) != nil, "no counter")
	protocol := must(r.Client.Client())
	must(0, protocol.Ping())
	r.Kill()
	if config.Test {
		check(r.NegotiatedVersion() == config.ProtocolVersion, "version %d", r.NegotiatedVersion())
		must(p.Echo(ctx, &probe.EchoRequest{Data: []byte("still there")}))
		return
	}
	check(r.Exited(), "the plugin still runs after Kill")
	check(!r.log.has("plugin failed to exit gracefully"), "the plugin had to be killed:\n%s", r.log)
}

// lendTo has the plugin call a counter of this host.
func lendTo(ctx context.Context, p *probe.Client) {
	id := probe.OfferCounter(p.Broker, 5, func() {})
	sum := must(p.Sum(ctx, &probe.SumRequest{Counter: id, Times: 2})).Value
	check(sum == 11, "5 and 6 are not %d", sum)
}
