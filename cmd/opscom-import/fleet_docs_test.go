package main

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v4"

	"opscom-import/cmd/opscom-import/internal/config"
)

// The files of docs/fleet must be what Docker Compose and Kubernetes take, and name only
// what the program has.

// yamlDocuments decodes all documents of a file, each into a T. Keys that T does not have are ignored.
func yamlDocuments[T any](t *testing.T, name string) []T {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(moduleRoot, name))
	if err != nil {
		t.Fatal(err)
	}
	var documents []T
	for decoder := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var document T
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return documents
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		documents = append(documents, document)
	}
}

// checkVariables reports variables of the program that do not exist, and secrets.
func checkVariables(t *testing.T, where string, names []string) {
	t.Helper()
	known := []string{config.FileVariable}
	for _, row := range config.All(config.Environment{}) {
		known = append(known, row.Variable())
	}
	for _, name := range names {
		if strings.HasPrefix(name, "OPSCOM_") && !slices.Contains(known, name) {
			t.Errorf("%s: there is no variable %s, or it holds a secret that belongs into a file", where, name)
		}
		if strings.Contains(name, "PASS") && !strings.HasSuffix(name, "FILE") {
			t.Errorf("%s: %s holds a password, which belongs into a file", where, name)
		}
	}
}

// composeFile is what the tests read of compose.yaml.
type composeFile struct {
	Services map[string]struct {
		Image       string
		Entrypoint  []string
		Command     []string
		Environment map[string]string
		Secrets     []string
		Volumes     []string
		Ports       []string
		Healthcheck *struct{ Test []string }
		Profiles    []string
		Grace       string                                `yaml:"stop_grace_period"`
		DependsOn   map[string]struct{ Condition string } `yaml:"depends_on"`
		Deploy      struct{ Replicas int }
	}
	Volumes map[string]any
	Secrets map[string]struct{ File string }
}

func TestComposeFileIsValid(t *testing.T) {
	const name = "docs/fleet/compose.yaml"
	file := yamlDocuments[composeFile](t, name)[0]
	sameWords(t, name, slices.Collect(maps.Keys(file.Services)), []string{"database", "migrate", "worker", "submit", "river-ui"})
	for service, s := range file.Services {
		where := name + ", " + service
		if s.Image == "opscom-import" {
			if len(s.Entrypoint) > 0 {
				s.Command = append(s.Entrypoint[1:], s.Command...)
			}
			checkCommandLine(t, where, strings.Join(s.Command, " "))
			if s.Healthcheck != nil {
				checkCommandLine(t, where, strings.Join(s.Healthcheck.Test[2:], " "))
			}
		}
		checkVariables(t, where, slices.Collect(maps.Keys(s.Environment)))
		for variable, value := range s.Environment {
			if regexp.MustCompile(`://[^/]*:[^/]*@`).MatchString(value) {
				t.Errorf("%s: %s has a password in it", where, variable)
			}
			if secret, ok := strings.CutPrefix(value, "/run/secrets/"); ok && !slices.Contains(s.Secrets, secret) {
				t.Errorf("%s: it is not given the secret %s", where, secret)
			}
		}
		for _, secret := range s.Secrets {
			if file.Secrets[secret].File == "" {
				t.Errorf("%s: the secret %s is not a file", where, secret)
			}
		}
		for _, volume := range s.Volumes {
			source, _, _ := strings.Cut(volume, ":")
			if _, exists := file.Volumes[source]; !exists && !strings.HasPrefix(source, ".") {
				t.Errorf("%s: there is no volume %s", where, source)
			}
		}
		for _, port := range s.Ports {
			if !strings.HasPrefix(port, "127.0.0.1:") {
				t.Errorf("%s: others can reach the port %s", where, port)
			}
		}
		for other := range s.DependsOn {
			if _, exists := file.Services[other]; !exists {
				t.Errorf("%s: there is no service %s", where, other)
			}
		}
	}
	if image := file.Services["database"].Image; image != "postgres:17" {
		t.Errorf("the database is %s", image)
	}
	for _, service := range []string{"database", "worker", "river-ui"} {
		if check := file.Services[service].Healthcheck; check == nil || len(check.Test) < 2 || check.Test[0] != "CMD" {
			t.Errorf("%s has no healthcheck, or one that needs a shell", service)
		}
	}
	worker := file.Services["worker"]
	if worker.Deploy.Replicas != 2 || worker.DependsOn["migrate"].Condition != "service_completed_successfully" {
		t.Errorf("there are %d workers, which begin after migrate %s", worker.Deploy.Replicas, worker.DependsOn["migrate"].Condition)
	}
	if grace, err := time.ParseDuration(worker.Grace); err != nil || grace <= requestTimeout(t) {
		t.Errorf("a worker is killed after %s (%v), and a request may take %s", worker.Grace, err, requestTimeout(t))
	}
}

// requestTimeout is how long an answer in flight may be awaited.
func requestTimeout(t *testing.T) time.Duration {
	t.Helper()
	for _, row := range config.All(config.Environment{}) {
		if row.Flag == "timeout" {
			timeout, err := time.ParseDuration(row.Default)
			if err != nil {
				t.Fatal(err)
			}
			return timeout
		}
	}
	t.Fatal("there is no setting timeout")
	return 0
}

// manifest is what the tests read of an object of Kubernetes.
type manifest struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Metadata   struct{ Name, Namespace string }
	Data       map[string]string
	Spec       struct {
		Replicas       int
		MaxUnavailable any `yaml:"maxUnavailable"`
		Selector       struct {
			Labels map[string]string `yaml:"matchLabels"`
		}
		Template struct {
			Metadata struct{ Labels map[string]string }
			Spec     podSpec
		}
	}
}

type podSpec struct {
	RestartPolicy string `yaml:"restartPolicy"`
	Grace         int    `yaml:"terminationGracePeriodSeconds"`
	Security      struct {
		NonRoot bool `yaml:"runAsNonRoot"`
	} `yaml:"securityContext"`
	Containers []struct {
		Image     string
		Args      []string
		Env       []struct{ Name, Value string }
		Startup   any `yaml:"startupProbe"`
		Readiness any `yaml:"readinessProbe"`
		Liveness  any `yaml:"livenessProbe"`
		Security  struct {
			ReadOnly bool `yaml:"readOnlyRootFilesystem"`
		} `yaml:"securityContext"`
		Mounts []struct {
			Name string
			Path string `yaml:"mountPath"`
		} `yaml:"volumeMounts"`
	}
	Volumes []struct {
		Name      string
		ConfigMap *struct{ Name string } `yaml:"configMap"`
	}
}

func TestKubernetesManifestsAreValid(t *testing.T) {
	const name = "docs/fleet/kubernetes.yaml"
	versions := map[string]string{"ConfigMap": "v1", "Job": "batch/v1", "Deployment": "apps/v1", "PodDisruptionBudget": "policy/v1"}
	var kinds []string
	objects := map[string]manifest{}
	for _, m := range yamlDocuments[manifest](t, name) {
		kinds = append(kinds, m.Kind)
		objects[m.Kind] = m
		if m.APIVersion != versions[m.Kind] || m.Metadata.Name == "" || m.Metadata.Namespace != "opscom-import" {
			t.Errorf("%s %q of %q in %q", m.Kind, m.Metadata.Name, m.APIVersion, m.Metadata.Namespace)
		}
	}
	sameWords(t, name, kinds, slices.Collect(maps.Keys(versions)))

	worker := objects["Deployment"].Spec
	if worker.Replicas < 2 || len(worker.Selector.Labels) == 0 || !maps.Equal(worker.Selector.Labels, worker.Template.Metadata.Labels) {
		t.Errorf("%d workers, chosen by %v, labelled %v", worker.Replicas, worker.Selector.Labels, worker.Template.Metadata.Labels)
	}
	if grace := time.Duration(worker.Template.Spec.Grace) * time.Second; grace <= requestTimeout(t) {
		t.Errorf("a worker is killed after %s, and a request may take %s", grace, requestTimeout(t))
	}
	if c := worker.Template.Spec.Containers[0]; c.Startup == nil || c.Readiness == nil || c.Liveness == nil {
		t.Error("a worker lacks a probe")
	}
	if budget := objects["PodDisruptionBudget"].Spec; budget.MaxUnavailable != 1 || !maps.Equal(budget.Selector.Labels, worker.Selector.Labels) {
		t.Errorf("the budget is %v for %v", budget.MaxUnavailable, budget.Selector.Labels)
	}
	if policy := objects["Job"].Spec.Template.Spec.RestartPolicy; policy != "OnFailure" {
		t.Errorf("the job has the restart policy %q", policy)
	}
	for _, kind := range []string{"Job", "Deployment"} {
		checkPod(t, name+", "+kind, objects[kind].Spec.Template.Spec, objects["ConfigMap"].Metadata.Name)
	}
	checkSettings(t, name, objects["ConfigMap"].Data["opscom-import.yaml"])
}

func checkPod(t *testing.T, where string, pod podSpec, configMap string) {
	t.Helper()
	if !pod.Security.NonRoot || len(pod.Containers) != 1 || !pod.Containers[0].Security.ReadOnly {
		t.Errorf("%s: not one container that is not root and cannot change its files", where)
		return
	}
	c := pod.Containers[0]
	checkCommandLine(t, where, strings.Join(c.Args, " "))
	var variables []string
	for _, variable := range c.Env {
		variables = append(variables, variable.Name)
	}
	checkVariables(t, where, variables)
	var mounted, volumes []string
	for _, mount := range c.Mounts {
		mounted = append(mounted, mount.Name)
	}
	for _, volume := range pod.Volumes {
		volumes = append(volumes, volume.Name)
		if volume.ConfigMap != nil && volume.ConfigMap.Name != configMap {
			t.Errorf("%s: there is no ConfigMap %s", where, volume.ConfigMap.Name)
		}
	}
	sameWords(t, where+", volumes", mounted, volumes)
}

// checkSettings reports what the program would not take of a config file.
func checkSettings(t *testing.T, where, text string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "opscom-import.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	config.AddFlags(flags)
	if err := flags.Set("config", path); err != nil {
		t.Fatal(err)
	}
	settings, err := config.Load(flags, config.Environment{OS: "linux", Variables: []string{"OPSCOM_STATE=/state"}}) // as the image has it
	if err != nil || settings.Journal.IsZero() {
		t.Errorf("%s: settings with the journal %q: %v", where, settings.Journal, err)
	}
}
