package mapping

import (
	"strings"
	"testing"
)

// TestRulesAreDescribed: every rule has words for a person, once.
func TestRulesAreDescribed(t *testing.T) {
	seen := make(map[Rule]bool)
	for _, spec := range Rules() {
		if seen[spec.Rule] || len(spec.Severities) == 0 || spec.Title == "" || spec.Advice == "" {
			t.Errorf("%s is described twice, or in part: %+v", spec.Rule, spec)
		}
		seen[spec.Rule] = true
		if strings.EqualFold(spec.Title, strings.ReplaceAll(string(spec.Rule), "_", " ")) {
			t.Errorf("the title of %s is only its word", spec.Rule)
		}
	}
	if got := Rule("error code 9019").Spec(); got.Title != "Error code 9019" || got.Advice != "" {
		t.Errorf("a word that is not a rule: %+v", got)
	}
	if got := Rule("").Spec().Title; got != "" {
		t.Errorf("title %q", got)
	}
}
