package config

import (
	"os"
	"strings"
)

// Given is a setting with the text that it was given, or its default.
type Given struct {
	Key    string
	Text   string
	Origin string // "--rate", "OPSCOM_RATE", or "config file, line 3"; "" for a default
	Path   bool
}

// Given returns every setting. The texts are as they were given, and may name files and
// people.
func (s Settings) Given() []Given {
	var all []Given
	for _, setting := range All(Environment{}) {
		key := setting.Key()
		origin := s.origins[key]
		if line, ok := strings.CutPrefix(origin, s.ConfigFile+":"); ok && s.ConfigFile != "" {
			number, _, _ := strings.Cut(line, ":")
			origin = "config file, line " + number
		}
		all = append(all, Given{Key: key, Text: s.texts[key], Origin: origin, Path: setting.path})
	}
	return all
}

// Home returns the user's home folder, "" where there is none.
func (s Settings) Home() string {
	if home := s.getenv("HOME"); home != "" {
		return home
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return home
}

// ProxyVariables returns the customary variables about proxies that are set.
func (s Settings) ProxyVariables() (names []string) {
	for _, variable := range []string{"https_proxy", "http_proxy", "no_proxy"} {
		if name, value := s.firstVariable(variable); value != "" {
			names = append(names, name)
		}
	}
	return names
}
