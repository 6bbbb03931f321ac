package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"strconv"
	"time"

	"opscom-import/cmd/opscom-import/internal/config"
)

// variablePrefix begins the names of the variables that a command gets.
const variablePrefix = "OPSCOM_IMPORT_"

// maxVariable is the most characters of a text in a variable: systems limit them, Windows
// to 32,767 in all. Standard input has the whole text.
const maxVariable = 8000

// Variables returns the names of the variables that a command gets.
func Variables() []string {
	var names []string
	for _, v := range (Message{}).variables() {
		names = append(names, v.name)
	}
	return names
}

// variable is a variable of a command's environment.
type variable struct{ name, value string }

func (m Message) variables() []variable {
	return []variable{
		{variablePrefix + "EVENT", string(m.Event)}, {variablePrefix + "TITLE", beginning(m.Title, maxVariable)},
		{variablePrefix + "TEXT", beginning(m.Text, maxVariable)}, {variablePrefix + "FILE", beginning(m.File, maxVariable)}, {variablePrefix + "RUN", strconv.FormatInt(m.Run, 10)}, {variablePrefix + "EXIT", strconv.Itoa(m.Exit)},
	}
}

// command starts a program once, without a shell: the message is in its environment, and
// as JSON on its standard input. What it prints is not read: it may be anything.
func (n *Notifier) command(ctx context.Context, command []string, message Message) error {
	body, err := message.body(config.StyleJSON)
	if err != nil {
		return permanent(err)
	}
	process := exec.CommandContext(ctx, command[0], command[1:]...)
	process.Env = n.options.Settings.CommandEnvironment()
	for _, v := range message.variables() {
		process.Env = append(process.Env, v.name+"="+v.value)
	}
	process.Stdin = bytes.NewReader(append(body, '\n'))
	process.WaitDelay = 2 * time.Second // a program that it left behind may hold standard input
	err = process.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s did not end in time", command[0])
	case errors.As(err, &exit):
		return fmt.Errorf("%s ended with %s", command[0], exit.ProcessState)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission), errors.Is(err, exec.ErrNotFound), errors.Is(err, exec.ErrDot):
		return permanent(fmt.Errorf("start %s: %w", command[0], err))
	default:
		return fmt.Errorf("run %s: %w", command[0], err)
	}
}
