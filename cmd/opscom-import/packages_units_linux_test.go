package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"opscom-import/cmd/opscom-import/internal/app"
)

// TestUnitPushesWithTheSkeletonOfTheConfig runs the command of the unit with the
// config file that is beside it, every setting of it switched on.
func TestUnitPushesWithTheSkeletonOfTheConfig(t *testing.T) {
	skipShort(t)
	r := newRootWithDeb(t)
	settings := strings.NewReplacer("\n#client", "\nclient", "\n#mapping: NAME", "\nmapping: students").Replace(r.read(t, "etc/opscom-import/example.yaml"))
	if regexp.MustCompile(`(?m)^#\w`).MatchString(settings) {
		t.Errorf("a setting of the skeleton is not tried:\n%s", settings)
	}
	r.write(t, "etc/opscom-import/students.yaml", settings)
	r.write(t, "etc/opscom-import/token", "a-token\n")
	r.write(t, "etc/opscom-import/students.mapping.yaml", r.read(t, "usr/share/doc/opscom-import/examples/with-faults.mapping.yaml"))
	r.write(t, "var/spool/opscom-import/students.csv", r.read(t, "usr/share/doc/opscom-import/examples/with-faults.csv"))

	var command []string
	export := ""
	for line := range strings.Lines(r.read(t, "usr/lib/systemd/system/opscom-import-push@.service")) {
		line = strings.ReplaceAll(strings.TrimSpace(line), "%i", "students")
		if value, ok := strings.CutPrefix(line, "Environment=EXPORT="); ok {
			export = value
		}
		if value, ok := strings.CutPrefix(line, "ExecStart="); ok {
			command = strings.Fields(strings.ReplaceAll(value, "${EXPORT}", export))
		}
	}
	environment := []string{"OPSCOM_SANDBOX=true", "OPSCOM_RATE=0", "OPSCOM_MAX_CHANGED=off"}
	text, code := r.run(t, environment, []string{"var/lib/opscom-import", "var/spool/opscom-import", "tmp"}, command...)
	if code != app.ExitRows || !strings.Contains(text, "267  pushed") {
		t.Errorf("%s: code %d, want %d\n%s", command, code, app.ExitRows, text)
	}
	for _, name := range []string{"var/lib/opscom-import/journal.db", "var/spool/opscom-import/students.results.csv"} {
		if !r.exists(name) {
			t.Errorf("there is no %s", name)
		}
	}
}

func TestUnitsAreValidAndConfined(t *testing.T) {
	needs(t, "systemd-analyze", "dpkg-deb")
	r := systemRoot(t.TempDir())
	output(t, "dpkg-deb", "-x", debFile(t), string(r))
	units := r.path("usr/lib/systemd/system")
	service := filepath.Join(units, "opscom-import-push@students.service")
	timer := filepath.Join(units, "opscom-import-push@students.timer")
	if err := copyFiles(units, "/usr/lib/systemd/system/*.target", "/usr/lib/systemd/system/*.slice"); err != nil {
		t.Skipf("the units of systemd itself are not here: %v", err)
	}
	for instance, template := range map[string]string{service: "opscom-import-push@.service", timer: "opscom-import-push@.timer"} {
		if err := os.Symlink(template, instance); err != nil {
			t.Fatal(err)
		}
	}
	for _, unit := range []string{service, timer} {
		said := output(t, "systemd-analyze", "verify", "--man=no", "--root="+string(r), filepath.Base(unit))
		if strings.Contains(said, "opscom-import") {
			t.Errorf("%s:\n%s", filepath.Base(unit), said)
		}
	}
	const atMost = "20" // tenths
	output(t, "systemd-analyze", "security", "--offline=true", "--threshold="+atMost, "--root="+string(r), filepath.Base(service))
}

// copyFiles copies the files that fit the patterns into a folder.
func copyFiles(folder string, patterns ...string) error {
	for _, pattern := range patterns {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			return fmt.Errorf("%s: no files (%v)", pattern, err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if errors.Is(err, fs.ErrNotExist) {
				continue // a link to what is not installed
			}
			if err == nil {
				err = os.WriteFile(filepath.Join(folder, filepath.Base(name)), text, 0o644)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}
