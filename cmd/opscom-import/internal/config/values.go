package config

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"opscom-import/importer/controller"
	"opscom-import/importer/sheet"
	"opscom-import/mapping"
)

// defaultURL is the Controller's public address.
const defaultURL = "https://controller.operationscommander.io"

func parseText(text string) (string, error) { return text, nil }

func parsePath(text string) (*string, error) { return &text, nil }

func parseSwitch(text string) (bool, error) {
	switch strings.ToLower(text) {
	case "true", "yes", "on", "1":
		return true, nil
	case "false", "no", "off", "0":
		return false, nil
	}
	return false, fmt.Errorf("%q is neither true nor false", text)
}

// wholeNumber returns a function that parses a number in the range.
func wholeNumber(least, most int) func(string) (int, error) {
	return func(text string) (int, error) {
		n, err := strconv.Atoi(text)
		if err != nil || n < least || n > most {
			return 0, fmt.Errorf("%q is not a whole number from %d to %d", text, least, most)
		}
		return n, nil
	}
}

// oneOf returns a function that parses one of the words, in any case.
func oneOf(words ...string) func(string) (string, error) {
	return func(text string) (string, error) {
		for _, word := range words {
			if strings.EqualFold(text, word) {
				return word, nil
			}
		}
		return "", fmt.Errorf("%q is not one of %s", text, strings.Join(words, ", "))
	}
}

// parseURL checks all of the Controller's address but whether http: is allowed,
// which other settings decide.
func parseURL(text string) (string, error) {
	base, err := controller.ParseURL(strings.TrimSpace(text), true)
	if err != nil {
		return "", err
	}
	return strings.TrimRight(base.String(), "/"), nil
}

func parseClient(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	return text, controller.CheckClient(text)
}

func parseLoginSource(text string) (string, error) {
	text = strings.TrimSpace(text)
	if most := mapping.LoginSource.Spec().MaxChars; utf8.RuneCountInString(text) > most {
		return "", fmt.Errorf("%q has more than %d characters", text, most)
	}
	return text, nil
}

// readHeaderRow reads the number of a row, or that there is none.
func (s *Settings) readHeaderRow(text string) (err error) {
	if s.HeaderRow = 0; strings.EqualFold(text, mapping.NoHeaderRow) {
		s.NoHeader = true
		return nil
	}
	s.NoHeader = false
	s.HeaderRow, err = wholeNumber(1, 1_048_576)(text)
	return err
}

// parseEncoding returns the encoding's standard name.
func parseEncoding(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	name, err := sheet.EncodingName(text)
	if err != nil {
		return "", fmt.Errorf("%q is not an encoding; give a name such as utf-8, windows-1252, macintosh, cp850 or utf-16le", text)
	}
	return name, nil
}

func parseFormat(text string) (sheet.Format, error) {
	if text == "" {
		return sheet.Auto, nil
	}
	choice, err := oneOf(string(sheet.CSV), string(sheet.XLSX))(text)
	return sheet.Format(choice), err
}

// parseRate reads requests in a time (10, 10/s, 600/min) as requests per second.
func parseRate(text string) (float64, error) {
	number, unit, _ := strings.Cut(strings.ReplaceAll(text, " ", ""), "/")
	seconds := map[string]float64{"": 1, "s": 1, "sec": 1, "min": 60, "m": 60, "h": 3600}[strings.ToLower(unit)]
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || seconds == 0 || n < 0 || math.IsNaN(n) || math.IsInf(n, 0) {
		return 0, fmt.Errorf("%q is not a rate; give requests per second or minute, such as 10/s or 600/min, or 0 for no limit", text)
	}
	return n / seconds, nil
}

// parseTimeout reads a time with its unit, or a number of seconds.
func parseTimeout(text string) (time.Duration, error) {
	const most = 10 * time.Minute
	if _, err := strconv.Atoi(text); err == nil {
		text += "s"
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 || d > most {
		return 0, fmt.Errorf("%q is not a time over 0 and at most 10 minutes, such as 30s or 2m", text)
	}
	return d, nil
}

// parsePause reads a time with its unit.
func parsePause(text string) (time.Duration, error) {
	d, err := parseAge(text)
	if err != nil || d == 0 {
		return 0, fmt.Errorf("%q is not a time over 0 and at most 24 hours, such as 90s or 1h", text)
	}
	return d, nil
}

// parseAge reads a time with its unit.
func parseAge(text string) (time.Duration, error) {
	const most = 24 * time.Hour
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || d > most {
		return 0, fmt.Errorf("%q is not a time of at most 24 hours, such as 90s or 5m", text)
	}
	return d, nil
}

// parseKeep reads how long something is kept; 0 means for ever.
func parseKeep(text string) (time.Duration, error) {
	const least = 24 * time.Hour
	if strings.EqualFold(text, "forever") {
		return 0, nil
	}
	age, err := ParseDays(text)
	if err == nil && age < least {
		err = fmt.Errorf("%q is less than a day; give at least 1d, or forever", text)
	}
	return age, err
}

// ParseDays reads a time with its unit: days and weeks (90d, 12w), or those of
// time.ParseDuration.
func ParseDays(text string) (time.Duration, error) {
	const day, most = 24 * time.Hour, 36500
	number, unit := text, 0
	if rest, ok := strings.CutSuffix(text, "d"); ok {
		number, unit = rest, 1
	} else if rest, ok := strings.CutSuffix(text, "w"); ok {
		number, unit = rest, 7
	}
	if unit == 0 {
		if age, err := time.ParseDuration(text); err == nil {
			return age, nil
		}
	} else if n, err := strconv.Atoi(number); err == nil && n >= -most/unit && n <= most/unit {
		return time.Duration(n*unit) * day, nil
	}
	return 0, fmt.Errorf("%q is not a time such as 90d, 12w or 720h", text)
}

// folderIn returns a function that parses a folder's path into an absolute one; a
// relative one is seen from workDir.
func folderIn(workDir string) func(string) (string, error) {
	return func(text string) (string, error) {
		switch {
		case text == "":
			return "", errors.New("the folder has no name")
		case filepath.IsAbs(text):
			return filepath.Clean(text), nil
		default:
			return filepath.Join(workDir, text), nil
		}
	}
}

// parseMetricsFile takes only names that the collector reads: so no other file is replaced
// by mistake.
func parseMetricsFile(text string) (string, error) {
	if text != "" && filepath.Ext(text) != ".prom" {
		return "", fmt.Errorf("%q does not end in .prom, as node_exporter wants it", text)
	}
	return text, nil
}

// parseListen takes an address to listen on.
func parseListen(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	if _, port, err := net.SplitHostPort(text); err != nil || port == "" {
		return "", fmt.Errorf("%q is not an address with a port, such as 127.0.0.1:9480", text)
	}
	return text, nil
}

func parseLevel(text string) (slog.Level, error) {
	var level slog.Level
	choice, err := oneOf("debug", "info", "warn", "error")(text)
	if err == nil {
		err = level.UnmarshalText([]byte(choice))
	}
	return level, err
}
