//go:build linux

package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
)

// python is Debian's own, for which Debian's packages are.
const python = "/usr/bin/python3"

// peer returns the path of a script beside this program.
func (b *bench) peer(name string) string { return filepath.Join(b.home, "peers", name) }

// selfCommand starts this program as something else.
func (b *bench) selfCommand(args ...string) func(ctx context.Context) *exec.Cmd {
	return func(ctx context.Context) *exec.Cmd {
		return exec.CommandContext(ctx, b.self, append([]string{"self"}, args...)...)
	}
}

// installed completes a contender that is a program of one of Debian's packages.
func (b *bench) installed(name, debianPackage string, one contender, args ...string) contender {
	one.version = []string{name, "--version"}
	one.command = func(ctx context.Context) *exec.Cmd { return exec.CommandContext(ctx, name, args...) }
	if _, err := exec.LookPath(name); err != nil {
		one.absent = "apt-get install " + debianPackage
	}
	return one
}

// python completes a contender that is a script and needs a module.
func (b *bench) python(module, debianPackage string, one contender, args ...string) contender {
	one = b.installed(python, "python3", one, args...)
	one.version = []string{python, "-c", "import platform, " + module + " as m; print(m.__version__, 'on Python', platform.python_version())"}
	if one.absent == "" && exec.Command(python, "-c", "import "+module).Run() != nil {
		one.absent = "apt-get install " + debianPackage
	}
	return one
}

// node completes a contender that is a script and needs a package of npm.
func (b *bench) node(module string, one contender, args ...string) contender {
	one = b.installed("node", "nodejs", one, args...)
	one.command = func(ctx context.Context) *exec.Cmd {
		command := exec.CommandContext(ctx, "node", args...)
		command.Env = append(os.Environ(), "NODE_PATH="+b.nodeModules)
		return command
	}
	one.version = []string{"node", "-p", "require('" + filepath.Join(b.nodeModules, module, "package.json") + "').version + ' on node ' + process.version"}
	if _, err := os.Stat(filepath.Join(b.nodeModules, module)); one.absent == "" && err != nil {
		one.absent = "npm install " + module + " in " + filepath.Dir(b.nodeModules)
	}
	return one
}
