package main

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/htmlindex"

	"opscom-import/importer"
	"opscom-import/importer/sheet"
	"opscom-import/mapping"
)

// readSwitch returns a function that reads true or false into the field.
func readSwitch(field func(*Settings) *bool) func(*Settings, string) error {
	return func(s *Settings, text string) error {
		switch strings.ToLower(text) {
		case "true", "yes", "on", "1":
			*field(s) = true
		case "false", "no", "off", "0":
			*field(s) = false
		default:
			return fmt.Errorf("%q is neither true nor false", text)
		}
		return nil
	}
}

func readNumber(text string, least, most int) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, fmt.Errorf("%q is not a whole number from %d to %d", text, least, most)
	}
	return n, nil
}

func readChoice(text string, choices ...string) (string, error) {
	for _, choice := range choices {
		if strings.EqualFold(text, choice) {
			return choice, nil
		}
	}
	return "", fmt.Errorf("%q is not one of %s", text, strings.Join(choices, ", "))
}

func readLimit(text string) (importer.Limit, error) { return importer.ParseLimit(text) }

// readURL checks the Controller's address. Its errors do not quote the address,
// which may hold a password.
func readURL(text string) (string, error) {
	const example = "; give one such as " + defaultURL
	u, err := url.Parse(strings.TrimSpace(text))
	switch {
	case err != nil, u.Hostname() == "", u.Scheme != "https" && u.Scheme != "http":
		return "", errors.New("the address does not begin with https:// and a host" + example)
	case u.User != nil:
		return "", errors.New("the address holds a user name or password; take it out")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "", errors.New("the address has a part after ? or #; take it out")
	}
	return strings.TrimRight(u.String(), "/"), nil
}

// checkTransport makes sure that the token does not travel where others can read
// it: http: is for this machine only, unless that is asked for.
func checkTransport(s Settings) error {
	u, err := url.Parse(s.URL)
	if err != nil {
		return errors.New("the address cannot be read")
	}
	host := u.Hostname()
	ip := net.ParseIP(host)
	isLoopback := strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
	if u.Scheme == "https" || isLoopback || s.InsecureHTTP {
		return nil
	}
	return fmt.Errorf("http://%s would send the token where others can read it; use https://, or --insecure-http if you are sure", u.Host)
}

func readClient(text string) (string, error) {
	if strings.ContainsFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune(`/\?#`, r)
	}) {
		return "", fmt.Errorf("%q is not a client code; give the code alone, such as OC_TOMA", text)
	}
	return text, nil
}

func readLoginSource(text string) (string, error) {
	text = strings.TrimSpace(text)
	if most := mapping.LoginSource.Spec().MaxChars; utf8.RuneCountInString(text) > most {
		return "", fmt.Errorf("%q has more than %d characters", text, most)
	}
	return text, nil
}

// readDelimiter reads a character or the name of one.
func readDelimiter(text string) (rune, error) {
	switch strings.ToLower(text) {
	case "":
		return 0, nil
	case "comma":
		return ',', nil
	case "semicolon":
		return ';', nil
	case "tab", `\t`:
		return '\t', nil
	case "pipe":
		return '|', nil
	}
	r, size := utf8.DecodeRuneInString(text)
	if size != len(text) || r == utf8.RuneError || r == '"' || r == '\r' || r == '\n' || unicode.IsLetter(r) || unicode.IsDigit(r) {
		return 0, fmt.Errorf("%q is not a delimiter; give one character such as ; or comma, semicolon, tab, pipe", text)
	}
	return r, nil
}

// readEncoding returns the encoding's name in the WHATWG Encoding Standard.
func readEncoding(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	found, err := htmlindex.Get(text)
	if err != nil {
		return "", fmt.Errorf("%q is not an encoding; give a name such as utf-8, windows-1252, macintosh or utf-16le", text)
	}
	return htmlindex.Name(found)
}

func readFormat(text string) (sheet.Format, error) {
	if text == "" {
		return sheet.Auto, nil
	}
	choice, err := readChoice(text, string(sheet.CSV), string(sheet.XLSX))
	return sheet.Format(choice), err
}

// readRate reads requests in a time (10, 10/s, 600/min) as requests a second.
func readRate(text string) (float64, error) {
	number, unit, _ := strings.Cut(strings.ReplaceAll(text, " ", ""), "/")
	seconds := map[string]float64{"": 1, "s": 1, "sec": 1, "min": 60, "m": 60, "h": 3600}[strings.ToLower(unit)]
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || seconds == 0 || n < 0 || math.IsNaN(n) || math.IsInf(n, 0) {
		return 0, fmt.Errorf("%q is not a rate; give requests a second or a minute, such as 10/s or 600/min, or 0 for no limit", text)
	}
	return n / seconds, nil
}

// readTimeout reads a time with its unit, or a number of seconds.
func readTimeout(text string) (time.Duration, error) {
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

// readFolder returns the folder's absolute path; a relative one is seen from
// workDir.
func readFolder(text, workDir string) (string, error) {
	switch {
	case text == "":
		return "", errors.New("the folder has no name")
	case filepath.IsAbs(text):
		return filepath.Clean(text), nil
	default:
		return filepath.Join(workDir, text), nil
	}
}

func readLevel(text string) (slog.Level, error) {
	var level slog.Level
	choice, err := readChoice(text, "debug", "info", "warn", "error")
	if err == nil {
		err = level.UnmarshalText([]byte(choice))
	}
	return level, err
}
