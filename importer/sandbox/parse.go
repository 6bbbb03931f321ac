package sandbox

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"opscom-import/mapping"
)

// ParseFaults reads faults from text such as
//
//	latency=20ms,jitter=5ms,slow=1%:1s,429=5%:2s,503=2%,drop-after=1,code=1%:9022,outage=100:50,require=email+city
//
// A fault has a name and a value, and may be given once:
//
//   - latency and jitter: a duration;
//   - slow: the share of answers, and how long they take;
//   - outage and revoke: the number of the first request that is turned away, and
//     how many are, all of them unless given; or both as a duration, the first of
//     them since the first request;
//   - rate: the lowest and the highest limit of requests a second, and the time in
//     which it moves from the one to the other and back;
//   - require: names of attributes with a plus between them;
//   - any Kind: its share of the pushes, or as a plain number the first so many
//     sends of every profile. After a colon: for a status, the time that
//     Retry-After gives; for code, the ErrorCode, which is 9022 unless given; for
//     drip, how long the answer takes, which is 10s unless given.
//
// The empty text means no faults. An unknown name is an error that names the
// nearest one.
func ParseFaults(text string) (Faults, error) {
	var faults Faults
	if strings.TrimSpace(text) == "" {
		return faults, nil
	}
	seen := make(map[string]bool)
	for part := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if seen[name] {
			return Faults{}, fmt.Errorf("fault %q is given twice", name)
		}
		seen[name] = true
		if err := faults.set(name, value); err != nil {
			return Faults{}, err
		}
	}
	if err := faults.validate(); err != nil {
		return Faults{}, err
	}
	return faults, nil
}

// settings returns the names of the faults that are not a Kind, with an example of each.
func settings() [][2]string {
	return [][2]string{
		{"latency", "20ms"}, {"jitter", "5ms"}, {"slow", "1%:1s"}, {"outage", "100:50"},
		{"revoke", "100:50"}, {"rate", "20:200:1m"}, {"require", "email+first_name"},
	}
}

func (f *Faults) set(name, value string) error {
	var err error
	switch name {
	case "latency":
		f.Latency, err = time.ParseDuration(value)
	case "jitter":
		f.Jitter, err = time.ParseDuration(value)
	case "slow":
		f.Slow, err = parseSlow(value)
	case "outage":
		f.Outage, err = parseWindow(value)
	case "revoke":
		f.Revoked, err = parseWindow(value)
	case "rate":
		f.Rate, err = parseSwing(value)
	case "require":
		f.Require, err = parseAttributes(value)
	default:
		return f.addFailure(name, value)
	}
	if err != nil {
		i := slices.IndexFunc(settings(), func(s [2]string) bool { return s[0] == name })
		return fmt.Errorf("fault %q: cannot read %q; write it like %s=%s", name, value, name, settings()[i][1])
	}
	return nil
}

func parseSlow(value string) (slow Slow, err error) {
	share, duration, _ := strings.Cut(value, ":")
	if slow.Share, err = parsePercent(share); err != nil {
		return Slow{}, err
	}
	slow.For, err = time.ParseDuration(duration)
	return slow, err
}

// parseWindow reads "100:50", "100" for all from the 100th on, or "5m:1h".
func parseWindow(value string) (w Window, err error) {
	from, length, hasLength := strings.Cut(value, ":")
	if strings.ContainsAny(value, "hms") { // units of time
		if w.After, err = time.ParseDuration(from); err != nil {
			return Window{}, err
		}
		w.For = math.MaxInt64
		if hasLength {
			w.For, err = time.ParseDuration(length)
		}
		return w, err
	}
	if w.From, err = strconv.ParseInt(from, 10, 64); err != nil {
		return Window{}, err
	}
	w.Length = math.MaxInt64
	if hasLength {
		w.Length, err = strconv.ParseInt(length, 10, 64)
	}
	return w, err
}

func parseSwing(value string) (s MovingRate, err error) {
	low, rest, _ := strings.Cut(value, ":")
	high, period, _ := strings.Cut(rest, ":")
	if s.Low, err = strconv.ParseFloat(low, 64); err != nil {
		return MovingRate{}, err
	}
	if s.High, err = strconv.ParseFloat(high, 64); err != nil {
		return MovingRate{}, err
	}
	s.Period, err = time.ParseDuration(period)
	return s, err
}

func parseAttributes(value string) (attributes []mapping.Attribute, err error) {
	for name := range strings.SplitSeq(value, "+") {
		attribute := mapping.AttributeNamed(strings.TrimSpace(name))
		if attribute == mapping.NoAttribute {
			return nil, strconv.ErrSyntax
		}
		attributes = append(attributes, attribute)
	}
	return attributes, nil
}

func (f *Faults) addFailure(name, value string) error {
	failure := Failure{Kind: Kind(name)}
	if !slices.Contains(kinds(), failure.Kind) {
		return unknownFault(name)
	}
	often, extra, hasExtra := strings.Cut(value, ":")
	var err error
	if strings.HasSuffix(often, "%") {
		failure.Share, err = parsePercent(often)
	} else {
		failure.First, err = strconv.Atoi(often)
	}
	if err != nil {
		return fmt.Errorf("fault %q: cannot read %q; write a share such as 2%%, or a number such as 1 for the first send of every profile", name, often)
	}
	switch {
	case failure.Kind == CodeIn200 && !hasExtra:
		failure.Code = 9022
	case failure.Kind == CodeIn200:
		failure.Code, err = strconv.Atoi(extra)
	case failure.Kind == Drip && !hasExtra:
		failure.Over = 10 * time.Second
	case failure.Kind == Drip:
		failure.Over, err = time.ParseDuration(extra)
	case hasExtra && failure.Kind.status() != 0:
		failure.RetryAfter, err = time.ParseDuration(extra)
	case hasExtra:
		return fmt.Errorf("fault %q takes nothing after the colon: write %s=%s", name, name, often)
	}
	if err != nil {
		return fmt.Errorf("fault %q: cannot read %q; write an ErrorCode such as 9019 for code, a time such as 2s for a status and for drip", name, extra)
	}
	f.Failures = append(f.Failures, failure)
	return nil
}

func unknownFault(name string) error {
	var known []string
	for _, setting := range settings() {
		known = append(known, setting[0])
	}
	for _, kind := range kinds() {
		known = append(known, string(kind))
	}
	near := ""
	if best := mapping.Nearest(name, known); best != "" {
		near = fmt.Sprintf("; the nearest is %q", best)
	}
	return fmt.Errorf("there is no fault %q%s. The faults are %s", name, near, strings.Join(known, ", "))
}

// parsePercent reads a share such as "0.5%".
func parsePercent(text string) (float64, error) {
	number, ok := strings.CutSuffix(text, "%")
	if !ok {
		return 0, strconv.ErrSyntax
	}
	percent, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	return percent / 100, err
}

func formatPercent(share float64) string {
	return strconv.FormatFloat(math.Round(share*1e4)/100, 'f', -1, 64)
}
