package main

import "testing"

func TestDistinctLines(t *testing.T) {
	for text, want := range map[string]string{
		"full":                     "full",
		"full\nfull\nclosed\nfull": "full\nclosed",
		"one\n\ntwo\n\none":        "one\n\ntwo\n",
	} {
		if got := distinctLines(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
