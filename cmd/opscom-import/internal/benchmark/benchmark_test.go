package benchmark

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestMain lets the test binary be the server.
func TestMain(m *testing.M) {
	if os.Getenv("OPSCOM_BENCH_SERVER") == "" {
		os.Exit(m.Run())
	}
	if err := Serve(0, 0, os.Stdin, os.Stdout); err != nil {
		panic(err)
	}
}

func TestServerGetsWhatTheBareLoopSends(t *testing.T) {
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), "OPSCOM_BENCH_SERVER=1")
	server, err := StartServer(command)
	if err != nil {
		t.Fatal(err)
	}
	if err := BareLoop(server.PushURL(), ProfileBodies(50), 4); err != nil {
		t.Error(err)
	}
	response, err := http.Post(server.PushURL(), "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := io.ReadAll(response.Body); err != nil || string(answer) != `{"status":"success","reference_id":51}` {
		t.Errorf("the next profile's answer is %s, %v; want that of the 51st", answer, err)
	}
	if err := response.Body.Close(); err != nil {
		t.Error(err)
	}
	if err := BareLoop(server.URL+"/nowhere", ProfileBodies(1), 1); err == nil {
		t.Error("a request that was refused counts as one that was accepted")
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
}

func TestFilesHaveTheirRows(t *testing.T) {
	for name, write := range map[string]func(string, int) error{"export": WriteExportCSV, "profiles": WriteProfiles} {
		path := filepath.Join(t.TempDir(), name+".csv")
		if err := write(path, 5); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(string(text)), "\n")
		if len(lines) != 6 {
			t.Errorf("%s has %d lines", name, len(lines))
		}
		for _, line := range lines {
			if strings.Count(line, ",") != strings.Count(lines[0], ",") {
				t.Errorf("%s: %q has a different number of cells from the header", name, line)
			}
		}
	}
	if n := len(exportHeader); n != 27 {
		t.Errorf("an export has %d columns", n)
	}
}
