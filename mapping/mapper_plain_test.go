package mapping

import (
	"fmt"
	"math/rand"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"opscom-import/mapping/internal/chars"
)

// pieces are what the texts of the tests below are made of.
var pieces = []string{
	"Ann", "Roy", "LEE", "null", "NULL", "Null", "n/a", "NA", "nd", "unknown", "xxx", "-", "--", "?", "??", "'", "’", "''", `"`, "“", "”", "«", "`", "´", "O'Neil", "d’Or", "Beno?t", "Jos¿",
	"Zoë", "é", "â", "Â", "Ä", "Å", "Ô", "Ã", "Ã«", "â€™", "Å\u00a0", "ô", "×", "÷", "þ", "ß", "É", "Ž", "ž", "ł", "‚", "Œ", "ø", "ï¿½", "Ø", "ÿ", "¡", "§", "²", "½", "\u00ad", "\u00a0", "\u200b", "e\u0301", "\ufffd", "中", "ф", "Β", "î", "à", "Î",
	"900123456", "0", "00", "1", "12", "2139", "02139", "90210", "021394307", "9001", "1.0", "1,234", "9E08", "9.0E+08", "1234567890123456", "2004-02-29", "2/3/1998", "13/02/1999", "1999-13-01", "2-Jan", "Jan-02", "T05:00:00", "19:00",
	"613-555-0142", "(613) 555-0142", "+1 613 555 0142", "613 555 014", "ÔÇÖ", "ÔÇô", "ÔÇª", "K1A 0B1", "k1a0b1", "AB1 2CD", "ON", "Ontario", "MA", "TN", "Québec", "QC", "Canada", "India", "US",
	"a@example.ca", "A.B@EXAMPLE.ca", "a at example.ca", "@", "_", "_x000D_", "&amp;", "&eacute;", "<br>", `\u00e9`, "%20", "=1+2", "=", "+", "#N/A", "#REF!", "Err:502", "...", "…", "Loading...", "[object Object]", "Array", "System.String", "www.a.ca", "b'Ann'",
	"Main St", "12 rue", "Apt. 4", "Full Time Student", "FT", "PT", "staff", "Visitor", "\t", "\n", "\x01", " ", "  ", ".", ",", ":", ";", "/", "#", "(", ")", "{", "|", "~", "$",
	"a very long text that is longer than any text of which the outcome is remembered, and than most attributes may be",
}

func randomText(r *rand.Rand) string {
	text := ""
	for range 1 + r.Intn(3)*r.Intn(2) {
		text += pieces[r.Intn(len(pieces))]
	}
	if r.Intn(8) == 0 {
		text = strings.ToUpper(text)
	}
	return text
}

// randomAccents returns a text of the letters from À to ÿ and a few others.
func randomAccents(r *rand.Rand) string {
	text := ""
	for range 1 + r.Intn(6) {
		if r.Intn(3) > 0 {
			text += string(rune(0xc0 + r.Intn(0x40)))
		} else {
			text += string("aAbB -'."[r.Intn(8)])
		}
	}
	return strings.TrimSpace(text)
}

// A mapper that looks at every value closely, and remembers none, gives the same.
func TestPlainAndKnownValuesAreMappedAsAllOthers(t *testing.T) {
	header := []string{"A", "B", "C", "D", "Country", "province", "state"}
	sources := []string{"", "where: 'A != \"FT\"'", "missing_values: [Roy, \"2139\"]"}
	columns := []string{"A", "B", "{column: [A, B]}", "{column: [C, D, A]}", "{column: B, as_is: true}", "{column: [C, D], default: x}", "{column: B, blank: clear}", "{column: C, required: true}", `{expr: 'A + B'}`}
	applied := map[Attribute]string{
		UniqueID: `["pad:9"]`, FirstName: "[title, collapse]", LastName: "[unquote]", Email: "[lower]", Province: "[province]", PostalCode: "[postal_code]", CellPhone: "[phone]", StudentNumber: "[digits]",
	}
	seeds := int64(100)
	if testing.Short() {
		seeds = 20
	}
	for seed := range seeds {
		r := rand.New(rand.NewSource(seed))
		fields := ""
		for _, spec := range Attributes() {
			column := columns[r.Intn(len(columns))]
			a := spec.Attribute
			switch {
			case a == Province && r.Intn(2) == 0:
				column = "{column: [province, state]}"
			case applied[a] != "" && r.Intn(2) == 0:
				column = "{column: [A, C], apply: " + applied[a] + "}"
			case a == UserTypeID && r.Intn(2) == 0:
				column = "{column: B, values: {FT: \"1\", PT: \"2\", NULL: staff}, otherwise: " + []string{"error", "keep", "blank", "staff"}[r.Intn(4)] + "}"
			case a == DateOfBirth:
				column = []string{"C", "{column: C, date: DD/MM/YYYY}", "{column: [C, D], date: excel}"}[r.Intn(3)]
			}
			if a == UniqueID || r.Intn(3) > 0 {
				fields += a.String() + ": " + column + "\n"
			}
		}
		file := parseFields(t, sources[r.Intn(len(sources))], fields)
		options := testOptions()
		options.UserTypesKnown, options.UserTypesByID = r.Intn(2) == 0, r.Intn(4) == 0
		fast, err := Compile(file, header, options)
		if err != nil {
			continue // required and clear, for one
		}
		slow := mustCompile(t, file, header, options)
		for i := range slow.fields {
			slow.fields[i].plain, slow.fields[i].cache = false, nil
		}
		pool := make([]Cell, 3+r.Intn(40))
		for i := range pool {
			pool[i] = Cell{Text: randomText(r)}
			if r.Intn(6) == 0 {
				pool[i].Kind = CellKind(r.Intn(int(UnclearCell) + 1))
			}
			if r.Intn(6) == 0 || pool[i].Kind == NoValueCell {
				pool[i].Text = ""
			}
		}
		var got, want Result
		for n := range 80 {
			row := make([]Cell, len(header)-r.Intn(3)*r.Intn(2))
			for c := range row {
				row[c] = pool[r.Intn(len(pool))]
			}
			if r.Intn(10) == 0 {
				fast.Skip(row, &got)
				slow.Skip(row, &want)
			} else {
				fast.Map(row, &got)
				slow.Map(row, &want)
			}
			if diff := cmp.Diff(show(t, &want), show(t, &got)); diff != "" || got.Profile != want.Profile {
				t.Fatalf("seed %d, row %d, %q\n%s: (-) slow, (+) fast\n%s", seed, n, row, fields, diff)
			}
		}
		number := func(sequence int) int { return sequence + 2 }
		gotReview, gotErr := fast.Review(number)
		wantReview, wantErr := slow.Review(number)
		if diff := cmp.Diff(wantReview, gotReview) + cmp.Diff(fmt.Sprint(wantErr), fmt.Sprint(gotErr)); diff != "" {
			t.Fatalf("seed %d, review, %s: (-) slow, (+) fast\n%s", seed, fields, diff)
		}
	}
}

// edges are what the texts that nearly need a closer look are made of.
var edges = []string{
	"0", "1", "2", "9", "12", "19", "31", "98", "123", "000", "1998", "2003", "9001", "90210", "613555", "1234567890",
	".", ",", "-", "/", " ", ":", ";", "'", "''", "(", ")", "+", "$", "€", "^", "*", "!", "@", "_", "%", "&", "#", "?", "{", "}", `"`,
	"E", "e", "x", "X", "T", "Z", "E+", "E08", "x10", "a", "b", "n", "b'", "d'", "O'", "'s", "h", "PM",
	"Jan", "jan", "MAR", "May", "Sept", "janv", "Mrz", "märz", "févr", "2-Jan", "1-2-2003", "2004/02/29", "2004-2-29", "29.02.2004", "30/09/2004", "00:00",
	"_x000D_", "_x0041_", "_x00e9_", "_xD83D_", "_X000d_", "true", "FALSE", "VRAI", "NaN", "Err:502", "Infinity", "null", "NULL",
	"Array", "Object", "stdClass Object", "System.String", "Microsoft.", "Optional.empty", "java.lang", "java.util.Date", "com.", "org.", "net.", "NET.", "www.", "WWW.", "@12ab", "@cafe", "@example.ca", "Roy.", "ca",
	"Ann", "Mary", "Rue", "St", "é", "É", "Ã", "Ô", "Õ", "Ç", "À", "ÿ", "×", "÷", "þ", "Þ", "Â", "å", "ø", "á", "ä",
}

func randomEdges(r *rand.Rand) string {
	const characters = " 0123456789012345.,-/'()+Ee:;xX$_@"
	text := ""
	for range 1 + r.Intn(5) {
		if n := r.Intn(len(edges) + 10); n < len(edges) {
			text += edges[n]
		} else {
			text += string(characters[r.Intn(len(characters))])
		}
	}
	return text
}

// A text that is plain by its signs is right as it is at a closer look, for every kind.
func TestPlainTextsAreSound(t *testing.T) {
	texts := 60_000
	if testing.Short() {
		texts = 6_000
	}
	r := rand.New(rand.NewSource(1))
	plain := 0
	for n := range texts {
		text := ""
		switch n % 4 {
		case 0:
			text = randomText(r)
		case 1:
			text = randomAccents(r)
		default:
			text = randomEdges(r)
		}
		plain += checkPlain(t, text)
	}
	if plain < texts/2 {
		t.Errorf("only %d texts were plain", plain)
	}
}

func TestEdgesOfPlainTexts(t *testing.T) {
	for _, text := range []string{
		"2/3/1998", "2003-01-02", "2003/1/2", "12/jan", "jan 12", "2 May", "May/12", "Sept.-98", "1.0", "5,-", "9001.", "$9001", "9001$", "5.E8", "1,2349E08", "7. E240", "5*10^3", "5*103",
		"ann@example.ca_x000D_", "ann_x0041_@example.ca", "_X000d_aroy", "java.lang.String", "com.example.Person", "com.user", "ann.Roy@12ab", "System.String", "www.example.ca", "www.é", "b'Ann'", "0 jan", "02.janv",
		"Ôäé", "ÔäÁ", "ÔÇÖ", "Zoë", "Ãé", "12 rue Ãü", // Ôäé is a letterlike sign that was read as another code page
	} {
		checkPlain(t, text)
	}
}

func FuzzPlainTextsAreSound(f *testing.F) {
	for _, text := range edges {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { checkPlain(t, text) })
}

// checkPlain looks closely at a text where it is plain by its signs, and returns for how
// many kinds it is.
func checkPlain(t *testing.T, text string) (plain int) {
	if text = chars.Trim(text); text == "" || text[0] <= ' ' || text[len(text)-1] <= ' ' {
		return 0
	}
	for kind := freeText; kind <= dateValue; kind++ {
		d := damageDetector{label: "x", kind: kind}
		if !d.isPlain(text, signsOf(text)) {
			continue
		}
		plain++
		found, sound, problem := d.examine(Cell{Text: text}, nil, 0)
		if found != text || !sound || problem != nil || d.quotes != (quotesSeen{}) || d.ends.certain > 0 || len(d.ends.seen) > 0 || d.pages.counts != [len(misreadings)]int{} || len(d.pages.unclear) > 0 {
			t.Errorf("%q of kind %d is plain, but becomes %q, %v, %v", text, kind, found, sound, problem)
		}
	}
	return plain
}
