package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"opscom-import/importer/journal"
	"opscom-import/importer/sandbox"
)

// sandboxToken is the token that the mock Controller asks for unless another
// is set. It protects nothing.
const sandboxToken = "sandbox-token"

// sandboxFlags are the flags that only the command sandbox has.
type sandboxFlags struct {
	address, faults, requestLog string
	seed                        uint64
	limit                       float64
	reset                       bool
}

func sandboxCommand(s streams) *cobra.Command {
	var f sandboxFlags
	c := &cobra.Command{
		Use:   "sandbox",
		Short: "Run a mock Controller on this machine, with faults on request",
		Long: `sandbox serves a mock Controller on loopback until it is interrupted. It
takes profiles as the real one is documented to, keeps the people that "push
--sandbox" keeps, and misbehaves on request. docs/reference/sandbox.md lists the faults.`,
		Example: `  opscom-import sandbox --faults "latency=20ms,429=2%:1s,drop-after=1%" --seed 7
  opscom-import sandbox --reset`,
		Args: noArgument,
		RunE: func(c *cobra.Command, _ []string) error {
			return withSession(c, s, func(ss *session) error {
				if f.reset {
					return ss.resetSandbox(c)
				}
				return ss.serveSandbox(c, f)
			})
		},
	}
	c.Flags().StringVar(&f.address, "address", "127.0.0.1:8480", "loopback address to listen on; port 0 takes a free one")
	c.Flags().StringVar(&f.faults, "faults", "", `faults, such as "latency=20ms,503=1%"`)
	c.Flags().Uint64Var(&f.seed, "seed", 1, "the same seed and profiles give the same faults again")
	c.Flags().Float64Var(&f.limit, "limit", 0, "requests a second that are taken before 429 is answered; 0 for no limit")
	c.Flags().StringVar(&f.requestLog, "request-log", "", "file to which every request is appended as a line of JSON")
	c.Flags().BoolVar(&f.reset, "reset", false, "forget every person that was pushed to the sandbox, and end")
	return c
}

// peopleFile is where the sandbox keeps its people.
func (s *session) peopleFile() (string, error) {
	folder := filepath.Join(s.settings.State, "sandbox")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", fmt.Errorf("make the sandbox's folder: %w", err)
	}
	return filepath.Join(folder, "people.jsonl"), nil
}

// sandboxConfig is the mock Controller that push --sandbox meets.
func (s *session) sandboxConfig() (sandbox.Config, error) {
	people, err := s.peopleFile()
	return sandbox.Config{
		Client: sandboxClient, Token: sandboxToken, PeopleFile: people,
		LoginSources: []string{"OPSCOM", "SSO", "SAML", "LDAP"},
	}, err
}

func (s *session) serveSandbox(c *cobra.Command, f sandboxFlags) (err error) {
	config, err := s.sandboxConfig()
	if err != nil {
		return err
	}
	config.Client = cmp.Or(s.settings.Client, sandboxClient)
	config.Token = cmp.Or(s.settings.SandboxToken(), sandboxToken)
	config.Seed, config.Rate, config.RequestLogFile = f.seed, f.limit, f.requestLog
	if config.Faults, err = sandbox.ParseFaults(f.faults); err != nil {
		return err
	}
	box, err := sandbox.New(config)
	if err != nil {
		return err
	}
	server, err := box.Listen(f.address)
	if err != nil {
		return errors.Join(err, box.Close())
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	ctx, release := interruptible(c.Context())
	defer release()
	fmt.Fprintf(s.stdout, "The sandbox listens on %s\nPush to it:  OPSCOM_API_TOKEN=… opscom-import push --url %s --client %s FILE\n", server.URL, server.URL, config.Client)
	<-ctx.Done()
	return nil
}

// resetSandbox forgets the people of the sandbox, and what the journal knows of
// them.
func (s *session) resetSandbox(c *cobra.Command) error {
	s.settings.Sandbox = true
	var err error
	if s.journal, err = journal.Open(c.Context(), s.settings.State); err != nil {
		return err
	}
	if err := s.journal.ForgetTarget(c.Context(), s.target()); err != nil {
		return err
	}
	people, err := s.peopleFile()
	if err != nil {
		return err
	}
	if err := os.Remove(people); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("empty the sandbox: %w", err)
	}
	s.say("The sandbox is empty.")
	return nil
}
