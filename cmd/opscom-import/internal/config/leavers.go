package config

import (
	"errors"
	"fmt"
	"strings"

	"opscom-import/importer"
)

// LeaverMode says what to do about people whom the last complete run had and the file has
// not. Its zero value is to do nothing.
type LeaverMode struct {
	Text     string // as it is set: report or type:NAME; "" for off
	UserType string // name or id of the type that they are pushed with; "" when they are only reported
}

// IsOn reports whether leavers are looked for.
func (m LeaverMode) IsOn() bool { return m.Text != "" }

// String returns the mode as it is set: off, report or type:NAME.
func (m LeaverMode) String() string {
	if m.IsOn() {
		return m.Text
	}
	return "off"
}

// ReportLeavers is the mode that only reports.
func ReportLeavers() LeaverMode { return LeaverMode{Text: "report"} }

// StoredLeavers returns the mode with that text, as a run was planned with it.
func StoredLeavers(text string) LeaverMode {
	mode, _ := parseLeavers(text)
	return mode
}

func parseLeavers(text string) (LeaverMode, error) {
	word, name, hasName := strings.Cut(text, ":")
	word, name = strings.ToLower(strings.TrimSpace(word)), strings.TrimSpace(name)
	switch {
	case !hasName && (word == "off" || word == "false" || word == "no"): // off is false in YAML
		return LeaverMode{}, nil
	case !hasName && word == "report":
		return ReportLeavers(), nil
	case word == "type" && name != "":
		return LeaverMode{Text: "type:" + name, UserType: name}, nil
	}
	return LeaverMode{}, fmt.Errorf("%q is not off, report, or type:NAME with the name or number of a user type", text)
}

// parseMaxLeavers reads a limit, which there always is.
func parseMaxLeavers(text string) (importer.Limit, error) {
	limit, err := importer.ParseLimit(text)
	if err == nil && !limit.Set {
		err = errors.New("leavers always have a limit: give a number of people such as 25, or a percentage such as 5%")
	}
	return limit, err
}
