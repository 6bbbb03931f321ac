package main

import (
	"encoding/xml"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// readPackaging returns a file from which packages and releases are made.
func readPackaging(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(moduleRoot, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// checkCommandLine reports a command or a flag that the program does not have.
func checkCommandLine(t *testing.T, where, line string) {
	t.Helper()
	root, _ := newRoot(streams{})
	args := strings.Fields(line)
	c, _, err := root.Find(args)
	if err != nil || c == root {
		t.Errorf("%s: %q has no command: %v", where, line, err)
		return
	}
	for _, arg := range args {
		name, isFlag := strings.CutPrefix(arg, "--")
		if isFlag && c.Flags().Lookup(name) == nil && c.InheritedFlags().Lookup(name) == nil {
			t.Errorf("%s: there is no flag %s", where, arg)
		}
	}
}

func TestUnitsNameFlagsAndManPagesThatExist(t *testing.T) {
	pages := manPagesOfAllCommands(t)
	for _, unit := range []string{"opscom-import-watch.service", "opscom-import-job@.service", "opscom-import-worker@.service"} {
		text := readPackaging(t, ".packaging/systemd/"+unit)
		command := regexp.MustCompile(`(?m)^ExecStart=/usr/bin/opscom-import (.*)$`).FindStringSubmatch(text)
		page := regexp.MustCompile(`(?m)^Documentation=man:(.*)\(1\)$`).FindStringSubmatch(text)
		if command == nil || page == nil {
			t.Fatalf("%s has no command, or no manual page", unit)
		}
		checkCommandLine(t, unit, command[1])
		if pages[page[1]+".1"] == nil {
			t.Errorf("%s: there is no manual page %s", unit, page[1])
		}
	}
}

func TestServicesStartWithTheSystemAndAgainAfterACrash(t *testing.T) {
	for unit, keys := range map[string][]string{
		"opscom-import-watch.service":   {"WatchdogSec=", "RestartSec=", "RestartSteps=", "RestartMaxDelaySec=", "TimeoutStopSec="},
		"opscom-import-worker@.service": {"RestartSec=", "RestartSteps=", "RestartMaxDelaySec=", "TimeoutStopSec="},
	} {
		lines := strings.Split(readPackaging(t, ".packaging/systemd/"+unit), "\n")
		for _, want := range []string{"WantedBy=multi-user.target", "Type=notify", "Restart=on-failure", "StartLimitIntervalSec=0"} {
			if !slices.Contains(lines, want) {
				t.Errorf("%s has no line %s", unit, want)
			}
		}
		for _, key := range keys {
			if !slices.ContainsFunc(lines, func(line string) bool { return strings.HasPrefix(line, key) }) {
				t.Errorf("%s has no %s", unit, key)
			}
		}
	}
}

// windowsTask is what the tests read of a task of the Windows Task Scheduler.
type windowsTask struct {
	XMLName   xml.Name `xml:"http://schemas.microsoft.com/windows/2004/02/mit/task Task"`
	Boot      *string  `xml:"Triggers>BootTrigger>Delay"`
	Every     string   `xml:"Triggers>TimeTrigger>Repetition>Interval"`
	Daily     string   `xml:"Triggers>CalendarTrigger>StartBoundary"`
	User      string   `xml:"Principals>Principal>UserId"`
	Limit     string   `xml:"Settings>ExecutionTimeLimit"`
	Instances string   `xml:"Settings>MultipleInstancesPolicy"`
	Command   string   `xml:"Actions>Exec>Command"`
	Arguments string   `xml:"Actions>Exec>Arguments"`
}

func TestWindowsTasksAreValid(t *testing.T) {
	read := func(name string) (task windowsTask) {
		t.Helper()
		text := readPackaging(t, ".packaging/windows/"+name)
		if err := xml.Unmarshal([]byte(text), &task); err != nil {
			t.Fatal(err)
		}
		const localService = "S-1-5-19"
		if task.User != localService || task.Instances != "IgnoreNew" || !strings.HasSuffix(task.Command, `\opscom-import.exe`) {
			t.Errorf("%s: user %q, instances %q, command %q", name, task.User, task.Instances, task.Command)
		}
		checkCommandLine(t, name, task.Arguments)
		// schtasks refuses a file whose encoding is not the one that it names.
		if strings.Contains(text, "encoding=") || strings.ContainsFunc(text, func(r rune) bool { return r > '~' }) {
			t.Errorf("%s names an encoding, or has characters that are not in ASCII", name)
		}
		return task
	}
	if task := read("opscom-import-watch-task.xml"); task.Boot == nil || task.Every == "" || task.Limit != "PT0S" {
		t.Errorf("watch is not started with the system, or not again when it has ended, or is ended after a time: %+v", task)
	}
	if task := read("opscom-import-job-task.xml"); task.Daily == "" {
		t.Error("the job has no time")
	}
}

func TestImageRunsAsNobodyWithAStateVolume(t *testing.T) {
	text := readPackaging(t, ".packaging/Dockerfile")
	version := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(readPackaging(t, "go.mod"))[1]
	for _, want := range []string{"FROM golang:" + version + " AS build", "USER 65532:65532", "ENV OPSCOM_STATE=/state", "VOLUME /state", `ENTRYPOINT ["/usr/bin/opscom-import"]`} {
		if !slices.Contains(strings.Split(text, "\n"), want) {
			t.Errorf("the Dockerfile has no line %s", want)
		}
	}
}

// release is what the tests read of .goreleaser.yaml.
type release struct {
	Builds []struct {
		Main           string
		Flags, Ldflags []string
	}
	Archives []struct{ Files []any }
	Casks    []struct{ Manpages []string } `yaml:"homebrew_casks"`
}

func readRelease(t *testing.T, path string) release {
	t.Helper()
	var config release
	text, err := os.ReadFile(path)
	if err == nil {
		err = yaml.Unmarshal(text, &config)
	}
	if err != nil || len(config.Builds) != 1 || len(config.Archives) != 1 || len(config.Casks) != 1 {
		t.Fatalf("%s: %v, unexpected: %+v", path, err, config)
	}
	return config
}

func TestReleaseFitsTheRepository(t *testing.T) {
	config := readRelease(t, filepath.Join(moduleRoot, ".goreleaser.yaml"))
	build := config.Builds[0]
	flags := strings.Join(build.Flags, " ") + " -ldflags=" + strings.Join(build.Ldflags, " ") + " -o"
	for _, name := range []string{".packaging/build", ".packaging/Dockerfile"} {
		if text := readPackaging(t, name); !strings.Contains(text, "CGO_ENABLED=0 go build "+flags) || !strings.Contains(text, build.Main) {
			t.Errorf("%s does not build %s with %s, as a release does", name, build.Main, flags)
		}
	}
	for _, file := range config.Archives[0].Files {
		pattern, _ := file.(string)
		if pattern == "" {
			continue // made by .packaging/build
		}
		if found, err := filepath.Glob(filepath.Join(moduleRoot, strings.ReplaceAll(pattern, "**", "*"))); err != nil || len(found) == 0 {
			t.Errorf("the archives have %s, and there is no such file (%v)", pattern, err)
		}
	}
}
