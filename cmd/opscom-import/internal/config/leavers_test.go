package config

import "testing"

func TestLeaverMode(t *testing.T) {
	for text, want := range map[string]LeaverMode{
		"off": {}, "false": {}, "Off": {}, // YAML programs write off as false
		"report": {"report", ""}, " Report ": {"report", ""},
		"type:Alumni": {"type:Alumni", "Alumni"}, "TYPE: Former: Staff ": {"type:Former: Staff", "Former: Staff"}, "type:7": {"type:7", "7"},
	} {
		got, err := parseLeavers(text)
		if err != nil || got != want || got.IsOn() != (want.Text != "") || StoredLeavers(got.String()) != got {
			t.Errorf("%q is %+v, error %v", text, got, err)
		}
	}
	for _, text := range []string{"", "type", "type: ", "report:7", "on", "type=7"} {
		if got, err := parseLeavers(text); err == nil {
			t.Errorf("%q is %+v", text, got)
		}
	}
}
