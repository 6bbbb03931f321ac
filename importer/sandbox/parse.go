package sandbox

import (
	"cmp"
	"fmt"
	"math"
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
//     how many are (the default is all); or both as a duration, the first of them
//     since the first request;
//   - rate: the lowest and the highest limit of requests a second, and the time in
//     which it moves from the one to the other and back;
//   - require: names of attributes, joined by a plus;
//   - any Kind: its share of the pushes, or as a plain number the first so many
//     pushes of every profile. After a colon: for a status, the time for
//     Retry-After; for code, the ErrorCode (the default is 9022); for drip, how long
//     the answer takes (the default is 10s).
//
// The empty text means no faults. The error for an unknown name suggests the
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

// setting is a fault that is not a Kind.
type setting struct {
	name, example string
	set           func(value string) error
}

func (f *Faults) settings() []setting {
	return []setting{
		{"latency", "20ms", into(&f.Latency, time.ParseDuration)},
		{"jitter", "5ms", into(&f.Jitter, time.ParseDuration)},
		{"slow", "1%:1s", into(&f.Slow, parseSlow)},
		{"outage", "100:50", into(&f.Outage, parseWindow)},
		{"revoke", "100:50", into(&f.Revoked, parseWindow)},
		{"rate", "20:200:1m", into(&f.Rate, parseMovingRate)},
		{"require", "email+first_name", into(&f.Require, parseAttributes)},
	}
}

// into returns a function that parses a value and stores it.
func into[T any](to *T, parse func(string) (T, error)) func(string) error {
	return func(value string) (err error) {
		*to, err = parse(value)
		return err
	}
}

func (f *Faults) set(name, value string) error {
	for _, s := range f.settings() {
		if s.name != name {
			continue
		}
		if err := s.set(value); err != nil {
			return fmt.Errorf("fault %q: cannot read %q; write it like %s=%s", name, value, name, s.example)
		}
		return nil
	}
	return f.addFailure(name, value)
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

func parseMovingRate(value string) (m MovingRate, err error) {
	var period string
	if _, err = fmt.Sscanf(value, "%g:%g:%s", &m.Low, &m.High, &period); err != nil {
		return MovingRate{}, err
	}
	m.Period, err = time.ParseDuration(period)
	return m, err
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
	behavior, known := failure.Kind.behavior()
	if !known {
		return f.unknownFault(name)
	}
	often, extra, hasExtra := strings.Cut(value, ":")
	var err error
	if strings.HasSuffix(often, "%") {
		failure.Share, err = parsePercent(often)
	} else {
		failure.First, err = strconv.Atoi(often)
	}
	if err != nil {
		return fmt.Errorf("fault %q: cannot read %q; write a share such as 2%%, or a number such as 1 for the first push of every profile", name, often)
	}
	switch {
	case failure.Kind == CodeIn200:
		failure.Code, err = strconv.Atoi(cmp.Or(extra, "9022"))
	case failure.Kind == Drip:
		failure.Over, err = time.ParseDuration(cmp.Or(extra, "10s"))
	case hasExtra && behavior.status != 0:
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

func (f *Faults) unknownFault(name string) error {
	var known []string
	for _, setting := range f.settings() {
		known = append(known, setting.name)
	}
	for i := range behaviors {
		known = append(known, string(behaviors[i].kind))
	}
	nearest := mapping.Nearest(name, known)
	if nearest != "" {
		nearest = fmt.Sprintf("; the nearest is %q", nearest)
	}
	return fmt.Errorf("there is no fault %q%s. The faults are %s", name, nearest, strings.Join(known, ", "))
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
