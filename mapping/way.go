package mapping

import (
	"regexp"
	"strconv"
)

// Way is something that a mapping can say of an attribute so that a question about its
// column is answered. One of its members is set.
type Way struct {
	Apply   string // what to apply to the values, such as pad:9
	Missing string // a text that stands for no value in the whole table
	AsIs    bool   // the values are right as they are
}

var (
	applyWay   = regexp.MustCompile(`\badd apply: \[([a-z_]+(?::\d+)?)\]`)
	missingWay = regexp.MustCompile(`\badd missing_values: \[("(?:[^"\\]|\\.)*")\]`)
	asIsWay    = regexp.MustCompile(`\badd as_is: true\b`)
)

// waysOf returns the ways that a question names, each in the words of a mapping file.
func waysOf(question string) (ways []Way) {
	if found := applyWay.FindStringSubmatch(question); found != nil {
		ways = append(ways, Way{Apply: found[1]})
	}
	if found := missingWay.FindStringSubmatch(question); found != nil {
		if text, err := strconv.Unquote(found[1]); err == nil {
			ways = append(ways, Way{Missing: text})
		}
	}
	if asIsWay.MatchString(question) {
		ways = append(ways, Way{AsIs: true})
	}
	return ways
}
