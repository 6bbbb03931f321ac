package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"opscom-import/cmd/opscom-import/internal/config"
	"opscom-import/cmd/opscom-import/internal/inbox"
)

// TestCheckJobs finds jobs that take what belongs to another, whatever their paths look like.
func TestCheckJobs(t *testing.T) {
	env := newEnv(t, "--sandbox")
	root := t.TempDir()
	for _, folder := range []string{"in", "in/done", "in/done/x", "other"} {
		if err := os.MkdirAll(filepath.Join(root, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(root, "in"), filepath.Join(root, "link")); err != nil {
		t.Skip("no links here")
	}
	mapping := filepath.Join(root, "m.yaml")
	if err := os.WriteFile(mapping, []byte("version: 1\nfields:\n  unique_id: {column: id}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	settings := env.Settings
	settings.Mapping = mapping
	folder := func(name, path string, patterns ...string) config.Job {
		return config.Job{Name: name, Origin: name, Settings: settings, Folder: filepath.Join(root, path), Files: patterns, Complete: inbox.Settled}
	}
	file := func(name, path string) config.Job {
		return config.Job{Name: name, Origin: name, Settings: settings, File: filepath.Join(root, path)}
	}
	results := filepath.Join(root, "all.csv")
	redirected := file("b", "other/y.csv")
	redirected.Settings.Results = &results
	alsoRedirected := file("a", "other/x.csv")
	alsoRedirected.Settings.Results = &results
	noMapping := folder("a", "in", "*.csv")
	noMapping.Settings.Mapping = ""
	state := folder("a", "in", "*.csv")
	state.Settings.State = state.Folder
	stateInDone := folder("a", "in", "*.csv")
	stateInDone.Settings.State = filepath.Join(root, "in", "done", "state")
	secret := folder("a", "in", "*")
	secret.Settings.TokenFile = filepath.Join(root, "other", "token")
	ownToken := folder("a", "in", "*")
	ownToken.Settings.TokenFile = filepath.Join(root, "link", "token")
	ownMapping := folder("a", ".", "*.yaml")
	unknownTransform := folder("a", "in", "*.csv")
	unknownTransform.Settings.Mapping = filepath.Join(root, "unknown.yaml")
	if err := os.WriteFile(unknownTransform.Settings.Mapping, []byte("version: 1\nfields:\n  unique_id: {column: id, apply: [lower, shuffle]}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		jobs []config.Job
		want string // "" when nothing is wrong
	}{
		"two folders":                  {[]config.Job{folder("a", "in", "*.csv"), folder("b", "other", "*.csv")}, ""},
		"two patterns":                 {[]config.Job{folder("a", "in", "a*.csv"), folder("b", "in", "b*.csv")}, ""},
		"one pattern":                  {[]config.Job{folder("a", "in", "*.csv"), folder("b", "in", "*.csv")}, "that job a takes too"},
		"one pattern through a link":   {[]config.Job{folder("a", "in", "s*.csv"), folder("b", "link", "*t.csv")}, "that job a takes too"},
		"a folder in done":             {[]config.Job{folder("a", "in", "*.csv"), folder("b", "in/done/x", "*.csv")}, "belongs to job a"},
		"a folder that has it in done": {[]config.Job{folder("b", "in/done/x", "*.csv"), folder("a", "in", "*.csv")}, "belongs to job a"},
		"its file":                     {[]config.Job{folder("a", "in", "*.csv"), file("b", "in/x.csv")}, "job a takes"},
		"its file through a link":      {[]config.Job{file("b", "link/x.csv"), folder("a", "in", "*.csv")}, "job a takes"},
		"another file":                 {[]config.Job{folder("a", "in", "a*.csv"), file("b", "in/x.xlsx")}, ""},
		"its reports":                  {[]config.Job{folder("a", "in", "*.csv"), file("b", "in/x.xlsx")}, "a report of job b"},
		"another job's token":          {[]config.Job{folder("a", "other", "t*"), secret}, "which the program works with"},
		"the same reports":             {[]config.Job{file("a", "other/x.csv"), file("b", "other/x.xlsx")}, "would both be"},
		"the same results":             {[]config.Job{alsoRedirected, redirected}, "would both be"},
		"two files":                    {[]config.Job{file("a", "other/x.csv"), file("b", "other/y.csv")}, ""},
		"the state folder":             {[]config.Job{state}, "the program's own state"},
		"a state folder in done":       {[]config.Job{stateInDone}, "the program's own state"},
		"its token":                    {[]config.Job{ownToken}, "which the program works with"},
		"its mapping":                  {[]config.Job{ownMapping}, "which the program works with"},
		"beside its mapping":           {[]config.Job{folder("a", ".", "*.csv")}, ""},
		"no mapping":                   {[]config.Job{noMapping}, "no mapping"},
		"an unknown transform":         {[]config.Job{unknownTransform}, "unknown.yaml:3: unique_id.apply: "},
		"no folder":                    {[]config.Job{folder("a", "nowhere", "*.csv")}, "there is no folder"},
	} {
		env.Settings.Jobs = tc.jobs
		err := JobsFault(t.Context(), env)
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
	}
}
