package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// importCase is a file and what must become of it, as testdata/cases/README.md says.
type importCase struct {
	ID          string      `json:"id"`
	File        string      `json:"file"`
	Control     bool        `json:"control"`
	Right       string      `json:"right"`
	Args        []string    `json:"args"`
	Draft       []string    `json:"draft"`
	NeverSent   []neverSent `json:"never_sent"`
	NeverPerson []string    `json:"never_person"`
	AskOrRefuse bool        `json:"ask_or_refuse"`
	AskNames    []string    `json:"ask_names"`
	caseOutcome
	Or []caseOutcome `json:"or"`

	folder string
}

// neverSent is a value that no profile may have.
type neverSent struct {
	Field    string  `json:"field"` // "*" for any
	Value    *string `json:"value"`
	Contains *string `json:"contains"`
}

// caseOutcome is one that is right.
type caseOutcome struct {
	MustSend       []map[string]any    `json:"must_send"`
	MustSay        []oneOrMany[int]    `json:"must_say"`
	OthersSent     bool                `json:"others_sent"`
	SentAtLeast    int                 `json:"sent_at_least"`
	NothingSent    bool                `json:"nothing_sent"`
	MustMention    []oneOrMany[string] `json:"must_mention"`
	MustNotMention []string            `json:"must_not_mention"`
}

// oneOrMany is a value, or a list of values of which one is enough.
type oneOrMany[T any] []T

func (m *oneOrMany[T]) UnmarshalJSON(data []byte) error {
	if data[0] == '[' {
		return json.Unmarshal(data, (*[]T)(m))
	}
	*m = make([]T, 1)
	return json.Unmarshal(data, &(*m)[0])
}

// judge returns why the case does not hold, nothing when it does.
func (c *importCase) judge(p *casePush) (faults []string) {
	if len(p.undrafted) > 0 { // a person has to write these lines, so that nothing can be wrong in silence
		if c.Control {
			faults = append(faults, "map suggests nothing for "+strings.Join(p.undrafted, ", "))
		}
		return faults
	}
	faults = c.untrue(p)
	if c.AskOrRefuse && c.asked(p) {
		return faults
	}
	lacking := c.lacks(p)
	if slices.ContainsFunc(c.Or, func(o caseOutcome) bool { return len(o.lacks(p)) == 0 }) {
		lacking = nil
	}
	return append(faults, lacking...)
}

// untrue returns what may not be, whatever else comes.
func (c *importCase) untrue(p *casePush) (faults []string) {
	pushed, came := make(map[string]bool), make(map[string]bool)
	for _, result := range p.results {
		if result.status == "pushed" {
			pushed[result.id] = true
		}
	}
	for _, profile := range p.sent {
		came[strings.TrimLeft(fmt.Sprint(profile["unique_id"]), "'")] = true
		for _, field := range slices.Sorted(maps.Keys(profile)) {
			if value := fmt.Sprint(profile[field]); slices.ContainsFunc(c.NeverSent, func(n neverSent) bool { return n.forbids(field, value) }) {
				faults = append(faults, fmt.Sprintf("%s %q was sent for %q", field, value, profile["unique_id"]))
			}
		}
	}
	if len(p.results) > 0 && !maps.Equal(pushed, came) {
		faults = append(faults, fmt.Sprintf("the results call %d people pushed, and %d came", len(pushed), len(came)))
	}
	for _, id := range c.NeverPerson {
		if p.profile(id) != nil {
			faults = append(faults, fmt.Sprintf("%q was sent, and is not a person", id))
		}
	}
	return faults
}

func (n neverSent) forbids(field, value string) bool {
	return field != "login_source" && (n.Field == "*" || n.Field == field) &&
		(n.Value != nil && value == *n.Value || n.Contains != nil && strings.Contains(value, *n.Contains))
}

// asked reports whether nothing was sent, and the message names what the question is
// about.
func (c *importCase) asked(p *casePush) bool {
	return (p.exit == 2 || p.exit == 4) && len(p.sent) == 0 &&
		slices.ContainsFunc(c.AskNames, func(name string) bool { return hasWord(p.text, name) }) &&
		!slices.ContainsFunc(c.MustNotMention, func(words string) bool { return hasFolded(p.text, words) })
}

// lacks returns what is missing for the outcome.
func (o *caseOutcome) lacks(p *casePush) (faults []string) {
	loose := make(map[int]bool) // rows that others_sent does not count
	for _, person := range o.MustSend {
		faults = append(faults, lacksPerson(person, p, loose)...)
	}
	for _, rows := range o.MustSay {
		for _, row := range rows {
			loose[row] = true
		}
		if !slices.ContainsFunc(rows, func(row int) bool { return p.named[row] }) {
			faults = append(faults, fmt.Sprint("nothing is said of row ", rows))
		}
	}
	if o.OthersSent {
		faults = append(faults, p.unsent(loose)...)
	}
	people := make(map[any]bool)
	for _, profile := range p.sent {
		people[profile["unique_id"]] = true
	}
	if len(people) < o.SentAtLeast {
		faults = append(faults, fmt.Sprintf("%d people came, at least %d should", len(people), o.SentAtLeast))
	}
	if o.NothingSent && len(people) > 0 {
		faults = append(faults, fmt.Sprintf("%d people were sent, and nobody should be", len(people)))
	}
	for _, words := range o.MustMention {
		if !slices.ContainsFunc(words, func(word string) bool { return hasFolded(p.text, word) }) {
			faults = append(faults, fmt.Sprintf("no message mentions any of %q", []string(words)))
		}
	}
	for _, word := range o.MustNotMention {
		if hasFolded(p.text, word) {
			faults = append(faults, fmt.Sprintf("a message says %q", word))
		}
	}
	return faults
}

// lacksPerson returns what is missing of a person who must be sent, whose row it adds
// to loose if it may be said instead.
func lacksPerson(person map[string]any, p *casePush, loose map[int]bool) (faults []string) {
	number, _ := person["row"].(float64) // 0 where it does not count
	row := int(number)
	if person["or_said"] == true {
		if loose[row] = true; p.named[row] {
			return nil
		}
	}
	ids := alternatives(person["unique_id"])
	got := p.profile(ids...)
	if got == nil {
		return []string{fmt.Sprintf("%q of row %d was not sent: %s", ids, row, p.results[row].message)}
	}
	for _, field := range slices.Sorted(maps.Keys(person)) {
		switch field {
		case "row", "unique_id", "or_said":
		case "absent":
			for _, name := range alternatives(person[field]) {
				if value := got[fmt.Sprint(name)]; value != nil && value != "" {
					faults = append(faults, fmt.Sprintf("%s %q was sent for %q, where nothing should be", name, value, ids))
				}
			}
		default:
			want, sent := alternatives(person[field]), got[field]
			if sent == "" {
				sent = nil // blank is as good as left out
			}
			if !slices.Contains(want, sent) {
				faults = append(faults, fmt.Sprintf("%s of %q is %q in place of %q", field, ids, sent, want))
			}
		}
	}
	return faults
}

// unsent returns that rows were not sent which are without a fault.
func (p *casePush) unsent(loose map[int]bool) []string {
	var left []int
	for row, result := range p.results {
		if !loose[row] && result.status != "pushed" && result.status != "duplicate" {
			left = append(left, row)
		}
	}
	if len(left) == 0 && len(p.results) > 0 {
		return nil
	}
	slices.Sort(left)
	return []string{fmt.Sprint("rows without a fault were not sent: ", left)}
}

// profile returns the last profile that came under one of some ids, nil for none.
func (p *casePush) profile(ids ...any) map[string]any {
	for _, profile := range slices.Backward(p.sent) {
		if slices.Contains(ids, profile["unique_id"]) {
			return profile
		}
	}
	return nil
}

// alternatives returns the values of a list, or the only one.
func alternatives(value any) []any {
	if list, ok := value.([]any); ok {
		return list
	}
	return []any{value}
}

func hasFolded(text, words string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(words))
}

// hasWord reports whether the text has the name, and not as a part of a longer word.
func hasWord(text, name string) bool {
	return regexp.MustCompile(`(?:^|[^\pL\pN_])` + regexp.QuoteMeta(name) + `(?:[^\pL\pN_]|$)`).MatchString(text)
}

// A judge that lets everything pass proves nothing: each line breaks one expectation
// of a push, which holds without it.
func TestCaseJudgement(t *testing.T) {
	pushed := &casePush{
		output: "row 3: Town", text: "row 3: Town",
		sent:    []map[string]any{{"unique_id": "1", "city": "Ottawa", "login_source": "SSO"}},
		results: map[int]caseResult{2: {"1", "pushed", ""}, 3: {"2", "invalid", "Town"}},
		named:   map[int]bool{3: true},
	}
	holds := []string{
		`{"must_send":[{"row":2,"unique_id":"1","city":"Ottawa","absent":["zip"]}],"must_say":[3],"others_sent":true,"sent_at_least":1}`,
		`{"must_send":[{"row":2,"unique_id":["9","1"],"city":["Rome","Ottawa"],"zip":null}],"must_say":[[2,3]]}`,
		`{"must_send":[{"row":3,"unique_id":"2","or_said":true}],"others_sent":true,"must_mention":["TOWN",["x","w"]],"must_not_mention":["city"]}`,
		`{"never_sent":[{"field":"city","value":"Otta"},{"field":"zip","contains":"O"}],"never_person":["2"]}`,
		`{"nothing_sent":true,"or":[{"sent_at_least":2},{"sent_at_least":1}]}`,
	}
	fails := []string{
		`{"must_send":[{"row":3,"unique_id":"2"}]}`,
		`{"must_send":[{"row":2,"unique_id":"1","city":"ottawa"}]}`,
		`{"must_send":[{"row":2,"unique_id":"1","city":null}]}`,
		`{"must_send":[{"row":2,"unique_id":"1","absent":["city"]}]}`,
		`{"must_send":[{"row":2,"unique_id":"2","or_said":true}]}`,
		`{"must_say":[2]}`,
		`{"must_say":[[2,4]]}`,
		`{"others_sent":true}`,
		`{"sent_at_least":2}`,
		`{"nothing_sent":true}`,
		`{"nothing_sent":true,"or":[{"sent_at_least":2}]}`,
		`{"must_mention":[["city","tower"]]}`,
		`{"must_not_mention":["town"]}`,
		`{"never_sent":[{"field":"city","value":"Ottawa"}]}`,
		`{"never_sent":[{"field":"*","contains":"taw"}]}`,
		`{"never_person":["1"]}`,
		`{"ask_or_refuse":true,"ask_names":["Town"],"nothing_sent":true}`, // somebody was sent
	}
	judge := func(pushed *casePush, text string) []string {
		var c importCase
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return c.judge(pushed)
	}
	for _, text := range holds {
		if faults := judge(pushed, text); len(faults) > 0 {
			t.Errorf("%s: %q", text, faults)
		}
	}
	for _, text := range fails {
		if faults := judge(pushed, text); len(faults) == 0 {
			t.Errorf("%s holds", text)
		}
	}

	asked := &casePush{exit: 4, text: "Town: is this a town?"}
	for text, want := range map[string]int{
		`{"ask_or_refuse":true,"ask_names":["Town"],"sent_at_least":1}`:                              0,
		`{"ask_or_refuse":true,"ask_names":["Tow"],"sent_at_least":1}`:                               1,
		`{"ask_or_refuse":true,"ask_names":["Town"],"sent_at_least":1,"must_not_mention":["IS TH"]}`: 2,
	} {
		if faults := judge(asked, text); len(faults) != want {
			t.Errorf("%s: %q, want %d faults", text, faults, want)
		}
	}
	if faults := judge(&casePush{results: pushed.results}, `{}`); len(faults) != 1 {
		t.Errorf("results that call a person pushed who did not come: %q", faults)
	}
	for control, want := range map[bool]int{true: 1, false: 0} {
		if faults := judge(&casePush{undrafted: []string{"city"}}, `{"draft":["city"],"control":`+strconv.FormatBool(control)+`}`); len(faults) != want {
			t.Errorf("nothing suggested, control %v: %q", control, faults)
		}
	}
}
