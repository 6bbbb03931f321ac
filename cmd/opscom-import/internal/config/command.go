package config

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"
)

// commandTime is how long a program that prints a secret may take.
const commandTime = 30 * time.Second

// limited keeps the first bytes that are written to it.
type limited struct {
	text []byte
	most int
}

func (l *limited) Write(data []byte) (int, error) {
	l.text = append(l.text, data[:min(len(data), l.most-len(l.text))]...)
	return len(data), nil
}

// output starts a program without a shell, and returns the first bytes that it prints. What it
// prints, also as errors, is shown to nobody: it may hold the secret.
func (s Settings) output(ctx context.Context, command []string, most int) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	printed := limited{most: most}
	process := exec.CommandContext(ctx, command[0], command[1:]...)
	process.Env = s.CommandEnvironment()
	process.Stdout = &printed
	process.WaitDelay = 2 * time.Second // a program that it left behind may hold standard output
	err := process.Run()
	var exit *exec.ExitError
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return nil, fmt.Errorf("the program %s did not end in %s; it must not ask anybody", command[0], commandTime)
	case ctx.Err() != nil:
		return nil, fmt.Errorf("wait for the program %s: %w", command[0], ctx.Err())
	case errors.As(err, &exit):
		return nil, fmt.Errorf("the program %s ended with %s; run it yourself to see why: what it prints is not shown, because it may hold a secret", command[0], exit.ProcessState)
	case err != nil && !errors.Is(err, exec.ErrWaitDelay): // what it left behind has nothing to say
		return nil, fmt.Errorf("the program %s cannot be run: %w", command[0], commandFault(err))
	}
	return printed.text, nil
}

// commandFault returns why a program was not started, without its path.
func commandFault(err error) error {
	if failed := new(exec.Error); errors.As(err, &failed) {
		return failed.Err
	}
	return err
}
