package app

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"opscom-import/importer/journal"
	"opscom-import/importer/sandbox"
)

// sandboxClient is the client by which the journal knows what was pushed to the mock Controller.
const sandboxClient = "sandbox"

// ofFolder stands before the name of a state folder in the target of its sandbox.
const ofFolder = sandboxClient + " of "

// IsSandbox reports whether what is pushed to the target goes to a mock Controller inside the program.
func IsSandbox(target string) bool {
	return target == sandboxClient || strings.HasPrefix(target, ofFolder)
}

// SandboxTarget is the target by which the journal knows what was pushed to the mock Controller of
// the state folder. In a journal that other machines use it has the name of the folder: each has a
// mock Controller of its own.
func (e Env) SandboxTarget() string {
	if e.Settings.Journal.IsZero() {
		return sandboxClient
	}
	name, err := e.sandboxName()
	if err != nil { // then nothing can be pushed to it either, which will be said
		name = "this machine"
	}
	return ofFolder + name
}

// sandboxName returns what tells the sandbox of the state folder from others, and makes it the first
// time: the name of the machine, and eight random characters.
func (e Env) sandboxName() (string, error) {
	path := filepath.Join(e.Settings.State, sandboxFolder, "name")
	name, err := os.ReadFile(path)
	if !errors.Is(err, os.ErrNotExist) {
		return string(name), err
	}
	host, err := os.Hostname()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	made, err := os.CreateTemp(filepath.Dir(path), ".name-*")
	if err != nil {
		return "", err
	}
	name = fmt.Appendf(nil, "%.60s-%s", host, strings.ToLower(rand.Text()[:8]))
	_, err = made.Write(name)
	if err = errors.Join(err, made.Close()); err == nil {
		err = os.Rename(made.Name(), path)
	}
	if err != nil {
		return "", errors.Join(err, os.Remove(made.Name()))
	}
	return string(name), nil
}

// sandboxToken is the token that the mock Controller asks for unless another is set.
// It protects nothing.
const sandboxToken = "sandbox-token"

// sandboxFolder is its folder in the state folder.
const sandboxFolder = "sandbox"

// peopleFile is where the sandbox keeps its people, so that a second push updates the
// same ones.
func (e Env) peopleFile() (string, error) {
	folder := filepath.Join(e.Settings.State, sandboxFolder)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", fmt.Errorf("make the sandbox's folder: %w", err)
	}
	return filepath.Join(folder, "people.jsonl"), nil
}

// sandboxConfig is the mock Controller that push --sandbox meets.
func (e Env) sandboxConfig() (sandbox.Config, error) {
	people, err := e.peopleFile()
	return sandbox.Config{
		Client: sandboxClient, Token: sandboxToken, PeopleFile: people,
		LoginSources: []string{"OPSCOM", "SSO", "SAML", "LDAP"},
	}, err
}

// startSandbox starts the mock Controller inside the process.
func startSandbox(env Env) (*sandbox.Server, error) {
	config, err := env.sandboxConfig()
	if err != nil {
		return nil, err
	}
	return listen(config, "127.0.0.1:0")
}

// startEmptySandbox starts one that nobody is pushed to.
func startEmptySandbox(env Env) (*sandbox.Server, error) {
	config, err := env.sandboxConfig()
	if err != nil {
		return nil, err
	}
	config.PeopleFile = ""
	return listen(config, "127.0.0.1:0")
}

func listen(config sandbox.Config, address string) (*sandbox.Server, error) {
	box, err := sandbox.New(config)
	if err != nil {
		return nil, err
	}
	server, err := box.Listen(address)
	if err != nil {
		return nil, errors.Join(err, box.Close())
	}
	return server, nil
}

// SandboxOptions are how the command sandbox serves the mock Controller.
type SandboxOptions struct {
	Address    string // on loopback
	Faults     string
	Seed       uint64
	Limit      float64 // requests per second; 0 for no limit
	RequestLog string  // file to which every request is appended; "" for none
}

// ServeSandbox serves the mock Controller until the context is cancelled. It calls
// ready once it listens, with "…" for a token that was set.
func ServeSandbox(ctx context.Context, env Env, o SandboxOptions, ready func(url, client, token string)) (err error) {
	config, err := env.sandboxConfig()
	if err != nil {
		return err
	}
	config.Client = cmp.Or(env.Settings.Client, sandboxClient)
	config.Token = cmp.Or(env.Settings.SandboxToken(), sandboxToken)
	config.Seed, config.Rate, config.RequestLogFile = o.Seed, o.Limit, o.RequestLog
	if config.Faults, err = sandbox.ParseFaults(o.Faults); err != nil {
		return err
	}
	server, err := listen(config, o.Address)
	if err != nil {
		return err
	}
	token := "…" // not shown: it may be a real one
	if config.Token == sandboxToken {
		token = sandboxToken
	}
	ready(server.URL, config.Client, token)
	<-ctx.Done()
	return server.Close()
}

// ResetSandbox removes the people of the sandbox, and what the journal knows of them.
func ResetSandbox(ctx context.Context, env Env) error {
	forget := func(j journal.Journal) error { return j.ForgetTarget(ctx, env.SandboxTarget()) }
	if err := env.withJournal(ctx, forget); err != nil {
		return err
	}
	people, err := env.peopleFile()
	if err != nil {
		return err
	}
	if err := os.Remove(people); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("empty the sandbox: %w", err)
	}
	return nil
}
