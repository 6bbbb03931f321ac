package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"opscom-import/importer/sandbox"
	"opscom-import/mapping"
)

func TestFilesAreThoseThatAreGenerated(t *testing.T) {
	folder := t.TempDir()
	if err := run(folder); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"term-start.xlsx", "term-start.csv", "with-faults.csv"} {
		if !bytes.Equal(read(t, filepath.Join("..", name)), read(t, filepath.Join(folder, name))) {
			t.Errorf("samples/%s differs from what is generated; run go run ./samples/generate", name)
		}
	}
}

func TestWorkbookShowsWhatTheCSVHolds(t *testing.T) {
	book, err := excelize.OpenFile("../term-start.xlsx")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := book.Close(); err != nil {
			t.Error(err)
		}
	}()
	shown, err := book.GetRows("Students")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(readCSV(t, "../term-start.csv"), shown); diff != "" {
		t.Errorf("differs (-csv +xlsx):\n%s", diff)
	}
	for cell, want := range map[string]excelize.CellType{"B2": excelize.CellTypeUnset, "F2": excelize.CellTypeUnset, "M2": excelize.CellTypeInlineString} {
		if got, err := book.GetCellType("Students", cell); err != nil || got != want {
			t.Errorf("%s is of type %d, %v; want %d", cell, got, err, want)
		}
	}
}

func TestTermStartIsAccepted(t *testing.T) {
	got, people := push(t, newController(t), "../term-start")
	want := map[string]int{"pushed": 1169, "skipped": 31}
	if diff := cmp.Diff(want, got); diff != "" || people != want["pushed"] {
		t.Errorf("%d people, rows differ (-want +got):\n%s", people, diff)
	}
}

// Nothing here looks for what stands in the file twice, so that it is the mock
// Controller that refuses what clashes. It has had the other sample before, as a
// newcomer's has.
func TestWithFaultsHasEveryFault(t *testing.T) {
	controller := newController(t)
	push(t, controller, "../term-start")
	got, _ := push(t, controller, "../with-faults")
	want := map[string]int{
		"pushed": 275, "skipped": 9,
		"required": 3, "bad_email": 2, "bad_date": 2, "unknown_value": 2, "too_long": 2, "bad_region": 2,
		"unlikely_date": 1, "pushed, unusual_character": 1,
		"9019": 3, // the administrator's, and two that are used twice
		"9020": 2, // the administrator's, and one that is used twice
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows differ (-want +got):\n%s", diff)
	}
}

func newController(t *testing.T) *sandbox.Sandbox {
	t.Helper()
	controller, err := sandbox.New(sandbox.Config{Client: "OC_TRIAL", Token: "trial-token"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := controller.Close(); err != nil {
			t.Error(err)
		}
	})
	return controller
}

// push maps every row of the CSV file with this base name and sends it to the
// mock Controller. It counts the rows: by the first rule that they break, by
// the error code of the Controller, as pushed or as skipped.
func push(t *testing.T, controller *sandbox.Sandbox, base string) (counts map[string]int, people int) {
	t.Helper()
	rows := readCSV(t, base+".csv")
	mapper := compile(t, base+".mapping.yaml", rows[0], userTypes(t, controller))
	counts = make(map[string]int)
	for _, row := range rows[1:] {
		cells := make([]mapping.Cell, len(row))
		for i, text := range row {
			cells[i].Text = text
		}
		var result mapping.Result
		mapper.Map(cells, &result)
		counts[outcome(t, controller, &result)]++
	}
	return counts, controller.People()
}

func outcome(t *testing.T, controller http.Handler, result *mapping.Result) string {
	t.Helper()
	if result.Skipped {
		return "skipped"
	}
	warnings := ""
	for _, p := range result.Problems {
		if p.Severity == mapping.SeverityError {
			return string(p.Rule)
		}
		warnings += ", " + string(p.Rule)
	}
	payload, err := result.Profile.AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	status, answer := post(controller, "push", `{"apiToken":"trial-token",`+string(payload[1:]))
	if status == http.StatusOK {
		return "pushed" + warnings
	}
	var refusal struct{ ErrorCode int }
	if err := json.Unmarshal(answer, &refusal); err != nil {
		t.Fatalf("answer %q: %v", answer, err)
	}
	return fmt.Sprint(refusal.ErrorCode)
}

// userTypes asks the Controller for its list.
func userTypes(t *testing.T, controller http.Handler) []mapping.UserType {
	t.Helper()
	_, answer := post(controller, "types/list", `{"apiToken":"trial-token"}`)
	var list struct {
		UserTypes []struct {
			ID   string `json:"id"`
			Name string `json:"type_name"`
			Info string `json:"ext_info"`
		} `json:"user_types"`
	}
	if err := json.Unmarshal(answer, &list); err != nil {
		t.Fatalf("answer %q: %v", answer, err)
	}
	types := make([]mapping.UserType, len(list.UserTypes))
	for i, u := range list.UserTypes {
		types[i] = mapping.UserType(u)
	}
	return types
}

func post(controller http.Handler, call, body string) (status int, answer []byte) {
	request := httptest.NewRequest(http.MethodPost, "/api/OC_TRIAL/v1/profiles/"+call, strings.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	recorder := httptest.NewRecorder()
	controller.ServeHTTP(recorder, request)
	return recorder.Code, recorder.Body.Bytes()
}

func compile(t *testing.T, path string, header []string, types []mapping.UserType) *mapping.Mapper {
	t.Helper()
	file, err := mapping.Parse(path, read(t, path))
	if err != nil {
		t.Fatal(err)
	}
	mapper, err := mapping.Compile(file, header, mapping.Options{
		UserTypes: types, UserTypesKnown: true, Today: time.Date(2026, 12, 15, 0, 0, 0, 0, time.UTC),
	})
	if err != nil {
		t.Fatal(err)
	}
	return mapper
}

// readCSV returns the rows of a file.
func readCSV(t *testing.T, path string) [][]string {
	t.Helper()
	text := bytes.TrimPrefix(read(t, path), []byte("\ufeff"))
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
