package importer

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

// constantsIn returns the constants of a type in a file of this package.
func constantsIn(t *testing.T, file, typeName string) []string {
	t.Helper()
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	for _, match := range regexp.MustCompile(` `+typeName+` += "(\w+)"`).FindAllStringSubmatch(string(source), -1) {
		values = append(values, match[1])
	}
	if len(values) == 0 {
		t.Fatalf("found no %s in %s", typeName, file)
	}
	return values
}

func TestEveryStatusHasARow(t *testing.T) {
	kinds := constantsIn(t, "status.go", "StatusKind")
	for _, word := range constantsIn(t, "status.go", "Status") {
		status := Status(word)
		if status == StatusPending {
			continue
		}
		if spec := status.Spec(); spec.Status != status || !slices.Contains(kinds, string(spec.Kind)) || spec.Note == "" {
			t.Errorf("%s has the row %+v", status, spec)
		}
	}
	if spec := StatusPending.Spec(); spec != (StatusSpec{}) || slices.Contains(Statuses(), StatusPending) {
		t.Errorf("a report may show pending rows: %+v", spec)
	}
	if got := StatusNotSent.Label(); got != "not sent" {
		t.Errorf("label %q", got)
	}
}

func TestCountsOfKinds(t *testing.T) {
	counts := Counts{}
	for i, status := range append(Statuses(), StatusPending) {
		counts[status] = 1 << i
	}
	want := map[StatusKind]int{KindDone: 0b11, KindLeft: 0b111100, KindToFix: 0b11000000, KindFailed: 0b100000000, KindOpen: 0b11000000000}
	for kind, rows := range want {
		if got := counts.Of(kind); got != rows {
			t.Errorf("%d rows of kind %s, want %d", got, kind, rows)
		}
	}
	if got := counts.Of(KindToFix, KindFailed); got != 0b111000000 {
		t.Errorf("%d rows of two kinds", got)
	}
}

func TestEveryRunStateHasALabel(t *testing.T) {
	for _, word := range constantsIn(t, "runstate.go", "RunState") {
		if runStateLabels[RunState(word)] == "" {
			t.Errorf("%s has no label", word)
		}
	}
	if got := RunState("newer").Label(); got != "newer" {
		t.Errorf("label %q for an unknown state", got)
	}
}
