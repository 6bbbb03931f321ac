package mapping

import (
	"testing"
	"unicode/utf8"
)

// FuzzMap puts arbitrary cells through a mapping that has everything, and through
// one that has only columns. Whatever is sent is fit to be sent.
func FuzzMap(f *testing.F) {
	header := []string{"A"}
	rich := mustCompile(f, parseFields(f, `where: 'A != "skip"'`, `
unique_id: {column: A, apply: [digits, "pad:9"], default: none}
login_source: {column: A, values: {a: LDAP}, otherwise: SSO}
first_name: {column: A, apply: [title, collapse]}
last_name: {expr: 'upper(A) + (len(A) > 3 ? A[1:3] : "")'}
email: {column: A, apply: [lower]}
city: {column: A, values: {x: y}, otherwise: keep, blank: clear}
province: {column: A, apply: [province]}
postal_code: {column: A, apply: [postal_code]}
phone_cell: {column: A, apply: [phone]}
user_type_id: {column: A, values: {FT: Full Time Student}, otherwise: keep}
date_of_birth: {column: A, date: D-MMM-YY}`), header, testContext())
	plain := "unique_id: A\nlogin_source: A"
	for _, spec := range Attributes() {
		if !spec.Required {
			plain += "\n" + spec.Attribute.String() + ": A"
		}
	}
	mappers := []*Mapper{rich, mustCompile(f, parseFields(f, "", plain), header, testContext())}
	for _, text := range []string{"", "skip", "Zoë", "1998-03-02", "2 août 98", "613-555-0123 x12", "k1a0b1", "ann@example.ca", "N.-É.", "\u00a0\ufeff", "a\xffb\n", "VAN DER MCDONALD III"} {
		for kind := TextCell; kind <= NoValueCell; kind++ {
			f.Add(text, uint8(kind))
		}
	}
	f.Fuzz(func(t *testing.T, text string, kind uint8) {
		var r Result
		for _, m := range mappers {
			m.Map([]Cell{{text, CellKind(kind) % (NoValueCell + 1)}}, &r)
			checkResult(t, &r)
		}
	})
}

// checkResult holds a result against what the Controller's page demands.
func checkResult(t *testing.T, r *Result) {
	t.Helper()
	failed := make(map[Attribute]bool)
	for _, p := range r.Problems {
		if p.Rule == "" || p.Text() == "" || !utf8.ValidString(p.Text()) {
			t.Errorf("problem without a rule, or a message that is not text: %+v", p)
		}
		failed[p.Attribute] = failed[p.Attribute] || p.Severity == SeverityError
	}
	if r.Skipped && len(r.Problems) > 0 {
		t.Errorf("a skipped row has problems: %+v", r.Problems)
	}
	for _, spec := range Attributes() {
		value, sent := r.Profile.Get(spec.Attribute)
		switch {
		case !sent && spec.Required && !failed[spec.Attribute] && !r.Skipped:
			t.Errorf("%s is missing, and nothing says so", spec.Attribute)
		case !sent:
			continue
		case failed[spec.Attribute]:
			t.Errorf("%s is sent as %q in spite of an error", spec.Attribute, value)
		case !utf8.ValidString(value) || trim(value) != value:
			t.Errorf("%s is sent as %q", spec.Attribute, value)
		case spec.MaxChars > 0 && utf8.RuneCountInString(value) > spec.MaxChars:
			t.Errorf("%s is sent as %q, which is too long", spec.Attribute, value)
		case spec.Required && value == "":
			t.Errorf("%s is sent blank", spec.Attribute)
		case spec.Kind == DateKind && newBirthLimits(today()).check("", value) != nil:
			t.Errorf("%s is sent as %q", spec.Attribute, value)
		}
	}
	if _, err := r.Profile.AppendJSON(nil); err != nil {
		t.Error(err)
	}
}
