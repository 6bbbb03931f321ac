package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"opscom-import/cmd/opscom-import/internal/app"
)

func sandboxCommand(s streams) *cobra.Command {
	var o app.SandboxOptions
	var reset bool
	c := &cobra.Command{
		Use:   "sandbox",
		Short: "Run a mock Controller on this machine, with faults on request",
		Long: `sandbox serves a mock Controller on loopback until it is interrupted. It
accepts profiles as the real one is documented to, keeps the people that "push
--sandbox" keeps, and misbehaves on request. docs/reference/sandbox.md lists the faults.`,
		Example: `  opscom-import sandbox --faults "latency=20ms,429=2%:1s,drop-after=1%" --seed 7
  opscom-import sandbox --reset`,
		Args: noArgument,
		RunE: with(s, func(ctx context.Context, ss *session, _ []string) error {
			if reset {
				if err := app.ResetSandbox(ctx, ss.Env); err != nil {
					return err
				}
				ss.say("The sandbox is empty.")
				return nil
			}
			ctx, release := interruptible(ctx)
			defer release()
			return app.ServeSandbox(ctx, ss.Env, o, func(url, client, token string) {
				fmt.Fprintf(s.stdout, "The sandbox listens on %s\nPush to it:  OPSCOM_API_TOKEN=%s opscom-import push --url %s --client %s FILE\n", url, token, url, client)
			})
		}),
	}
	c.Flags().StringVar(&o.Address, "address", "127.0.0.1:8480", "loopback `ADDRESS` to listen on; port 0 takes a free one")
	c.Flags().StringVar(&o.Faults, "faults", "", "`FAULTS`, such as \"latency=20ms,503=1%\"")
	c.Flags().Uint64Var(&o.Seed, "seed", 1, "a `NUMBER`: the same seed and profiles give the same faults again")
	c.Flags().Float64Var(&o.Limit, "limit", 0, "`NUMBER` of requests per second that are accepted; more are answered with 429; 0 for no limit")
	c.Flags().StringVar(&o.RequestLog, "request-log", "", "`PATH` of a file to which every request is appended as a line of JSON")
	c.Flags().BoolVar(&reset, "reset", false, "forget every person that was pushed to the sandbox, and exit")
	return c
}
