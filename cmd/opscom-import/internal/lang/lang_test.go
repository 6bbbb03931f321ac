package lang

import (
	"testing"
	"time"
)

func TestMatch(t *testing.T) {
	for accept, want := range map[string]Lang{
		"": English, "*": English, "de": English, "nonsense;;": English,
		"en-CA,en;q=0.9,fr;q=0.5": English, "fr-CA,fr;q=0.9,en;q=0.8": French, "fr": French,
		"de,fr;q=0.5": French, "es, fr;q=0.3, en;q=0.8": English,
	} {
		if got := Match(accept); got != want {
			t.Errorf("Match(%q) = %s, want %s", accept, got, want)
		}
	}
}

func TestTexts(t *testing.T) {
	day := time.Date(2026, time.September, 1, 14, 5, 0, 0, time.Local)
	for _, test := range []struct{ got, want string }{
		{English.T("Run %d", 1234), "Run 1234"},
		{French.T("Runs"), "Envois"},
		{French.T("a text without translation: %d %%", 1), "a text without translation: 1 %"},
		{French.T("100 %%"), "100 %"},
		{English.N(1, "Push %s person", "Push %s people"), "Push 1 person"},
		{English.N(0, "Push %s person", "Push %s people"), "Push 0 people"},
		{English.N(1234, "Push %s person", "Push %s people"), "Push 1,234 people"},
		{French.N(0, "Push %s person", "Push %s people"), "Envoyer 0 personne"},
		{French.N(1234, "Push %s person", "Push %s people"), "Envoyer 1\u00a0234 personnes"},
		{French.N(0, "The row is fine.", "All %s rows are fine."), "Les 0 lignes sont bonnes."},
		{French.N(1, "The row is fine.", "All %s rows are fine."), "La ligne est bonne."},
		{French.T("Not a name"), "Pas un nom"}, // of the engine
		{English.N(1, "This row of %s", "%s rows of %s", "a.csv"), "This row of a.csv"},
		{English.N(2, "This row of %s", "%s rows of %s", "a.csv"), "2 rows of a.csv"},
		{English.Date(day), "September 1, 2026"},
		{French.Date(day), "1er\u00a0septembre\u00a02026"},
		{French.DateTime(day), "1er\u00a0septembre\u00a02026 à 14\u00a0h\u00a005"},
		{English.DateTime(day), "September 1, 2026, 14:05"},
	} {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}
