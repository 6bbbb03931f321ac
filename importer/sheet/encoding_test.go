package sheet

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
)

// encoded returns the text in an encoding by its WHATWG name.
func encoded(t testing.TB, text, name string) string {
	t.Helper()
	e, err := htmlindex.Get(name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := e.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// utf32 returns the text in UTF-32 LE, which no one should have to read.
func utf32(text string) string {
	var b strings.Builder
	for _, r := range text {
		b.Write([]byte{byte(r), byte(r >> 8), byte(r >> 16), 0})
	}
	return b.String()
}

// dos returns the text in a code page.
func dos(page *charmap.Charmap, text string) string {
	s, err := page.NewEncoder().String(text)
	if err != nil {
		panic(err)
	}
	return s
}

func TestCodePagesOfDOSByName(t *testing.T) {
	for name, page := range map[string]*charmap.Charmap{
		"cp437": charmap.CodePage437, "CP850": charmap.CodePage850, "cp863": charmap.CodePage863, "IBM850": charmap.CodePage850, "ibm437": charmap.CodePage437,
		"cp865": charmap.CodePage865, "cp860": charmap.CodePage860, "850": charmap.CodePage850,
	} {
		got := readFile(t, writeFile(t, "people.csv", dos(page, "id,nom\n1,Renée\n2,François\n")), Options{Encoding: name})
		if want := []string{"2: 1|Renée", "3: 2|François"}; got.err != nil || !slices.Equal(got.rows, want) {
			t.Errorf("%s: rows %q, error %v", name, got.rows, got.err)
		}
	}
}

// Bytes that no text has are damage of their rows, and say nothing of the encoding.
func TestBytesOfNoText(t *testing.T) {
	for name, tt := range map[string]struct {
		damaged string
		is      bool
	}{
		"twice":               {"Ro\xFF\xFFy", true},
		"a mark of UTF-16":    {"\xFF\xFERoy", true},
		"many":                {strings.Repeat("\xFF", 40), true},
		"alone in a cell":     {"\xFF", true},
		"between digits":      {"12\xFF34", true},
		"between letters":     {"Ha\xFFly", false}, // ÿ
		"after a good letter": {"Zo\xEB", false},
	} {
		t.Run(name, func(t *testing.T) {
			got := readFile(t, writeFile(t, "people.csv", "id,name\n1,Ann\n2,"+tt.damaged+"\n3,Bo\n"), Options{})
			is := len(got.rows) == 3 && strings.HasSuffix(got.rows[1], "!bad_character")
			if got.err != nil || is != tt.is || got.rows[0] != "2: 1|Ann" || got.rows[2] != "4: 3|Bo" {
				t.Errorf("rows %q, notes %q, error %v", got.rows, got.notes, got.err)
			}
		})
	}
}

func TestEncodingsAreFound(t *testing.T) {
	const french = "id,nom,ville\n1,Zoë Bélanger,Montréal\n2,Benoît Lefrançois,Québec\n3,ÉMILIE CÔTÉ,Trois-Rivières\n4,L’Écuyer,Saint-Jérôme\n"
	const russian = "номер,фамилия,город\n1,Иванов,Санкт-Петербург\n2,Кузнецова,Нижний Новгород\n3,Смирнов,Екатеринбург\n4,Попова,Ростов-на-Дону\n"
	late := "id,nom\n" + strings.Repeat("7,Bob\n", 80_000) + "8,Zoë\n"
	tests := map[string]struct {
		text, encoding, mark string // mark: the byte order mark
		note                 string // what the notes must say, in part; "" for none
	}{
		"UTF-8":                                   {text: french, encoding: "utf-8"},
		"UTF-8 with a mark":                       {text: french, encoding: "utf-8", mark: "\uFEFF"},
		"UTF-16 LE with a mark":                   {text: french, encoding: "utf-16le", mark: "\xFF\xFE"},
		"UTF-16 BE with a mark":                   {text: french, encoding: "utf-16be", mark: "\xFE\xFF"},
		"UTF-16, every other a line end":          {text: "i\n1\n2\n3\n", encoding: "utf-16le", mark: "\xFF\xFE"},
		"UTF-16 LE":                               {text: french, encoding: "utf-16le", note: "UTF-16"},
		"UTF-16 BE":                               {text: french, encoding: "utf-16be", note: "UTF-16"},
		"Windows-1252":                            {text: french, encoding: "windows-1252", note: "Windows-1252"},
		"Latin-1":                                 {text: strings.ReplaceAll(french, "’", "'"), encoding: "iso-8859-1", note: "Windows-1252"},
		"Mac Roman":                               {text: french, encoding: "macintosh", note: "Mac Roman"},
		"Windows-1251":                            {text: russian, encoding: "windows-1251", note: "indows-1251"},
		"one letter, in a word":                   {text: "id,nom\n1,Zoë\n", encoding: "windows-1252", note: "Windows-1252"},
		"two letters, in words on a Mac":          {text: "id,nom\n1,Zoë\n2,Renée\n", encoding: "macintosh", note: "Mac Roman"},
		"dashes and dots":                         {text: "id,note\n1,Smith–Jones\n2,since 1990 – or so\n3,later…\n4,• first\n", encoding: "windows-1252", note: "Windows-1252"},
		"Danish":                                  {text: "id,navn\n1,Søren\n2,Åse\n3,Bjørn\n", encoding: "windows-1252", note: "Windows-1252"},
		"apostrophes alone":                       {text: "id,name\n1,O’Neill\n2,D’Arcy\n", encoding: "windows-1252", note: "Windows-1252"},
		"one letter alone":                        {text: "id,nom\n1,é\n", encoding: "windows-1252", note: "Windows-1252"},
		"a sign that is the same in both":         {text: "id,note\n1,©\n", encoding: "windows-1252", note: "Windows-1252"},
		"capitals":                                {text: "ID,NOM\n1,GISÈLE BÉLANGER\n", encoding: "windows-1252", note: "Windows-1252"},
		"capitals on a Mac":                       {text: "ID,NOM\n1,GISÈLE BÉLANGER\n", encoding: "macintosh", note: "Mac Roman"},
		"Icelandic":                               {text: "id,nafn\n1,Guðrún Þórðardóttir\n2,ÞÓRÐUR ÆGISSON\n3,Ýr Öfjörð\n", encoding: "windows-1252", note: "Windows-1252"},
		"sharp s among capitals":                  {text: "id,name\n1,STRAßE\n2,GROß\n3,MÜßIG\n4,Mª LUZ\n", encoding: "windows-1252", note: "Windows-1252"},
		"accents like Japanese":                   {text: "Matricule,Nom,Prénom,Téléphone,Cell\n" + strings.Repeat("2,o’neill,bo,,2\n", 9), encoding: "windows-1252", note: "Windows-1252"},
		"Windows-1252 after a megabyte of ASCII":  {text: late, encoding: "windows-1252", note: "Windows-1252"},
		"UTF-8 after a megabyte of ASCII":         {text: late, encoding: "utf-8"},
		"letters cut by the buffers":              {text: "id,nom\n" + strings.Repeat("1,ëéèêüç€𝒵\n", 30_000), encoding: "utf-8"},
		"UTF-16 letters cut by the buffers":       {text: "id,nom\n" + strings.Repeat("1,ëéèêüç€𝒵\n", 30_000), encoding: "utf-16le", mark: "\xFF\xFE"},
		"CR alone, Windows-1252 after many bytes": {text: strings.ReplaceAll(late, "\n", "\r"), encoding: "windows-1252", note: "Windows-1252"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			want := readFile(t, writeFile(t, "people.csv", tt.text), Options{})
			got := readFile(t, writeFile(t, "people.csv", tt.mark+encoded(t, tt.text, tt.encoding)), Options{})
			if want.err != nil || got.err != nil {
				t.Fatal(want.err, got.err)
			}
			if diff := cmp.Diff(want.header, got.header); diff != "" {
				t.Errorf("header (-want +got):\n%s", diff)
			}
			if !slices.Equal(want.rows, got.rows) {
				t.Errorf("%d rows, the first %.200q, want %d, the first %.200q", len(got.rows), got.rows[:1], len(want.rows), want.rows[:1])
			}
			if notes := strings.Join(got.notes, " "); !strings.Contains(notes, tt.note) || tt.note == "" && notes != "" {
				t.Errorf("notes %q do not say %q", notes, tt.note)
			}
		})
	}
}

func TestEncodingsThatAreAsked(t *testing.T) {
	tests := map[string]struct {
		content string
		options Options
		message string // what it must say, in part
		row     int
	}{
		"letters of DOS":           {content: "id,nom\n1,Montr\x82al\n2,B\x82langer\n", message: "--encoding cp850"},
		"French Canada in DOS":     {content: "id,nom\n1,\x90mile C\x93t\x82\n2,Fran\x87ois\n3,\x91ve\n", message: "--encoding cp863"},
		"Germany in DOS":           {content: dos(charmap.CodePage850, "id,name\n1,Jörg\n2,Schönborn\n"), message: "as DOS text (cp850) ö"},
		"Italy in DOS":             {content: dos(charmap.CodePage850, "id,nome\n1,Nicolò\n2,Cantù\n"), message: "as DOS text (cp850) ò ù"},
		"Denmark in DOS":           {content: dos(charmap.CodePage850, "id,navn\n1,Søren\n2,Åse\n3,Bjørn\n"), message: "as DOS text (cp850) ø Å"},
		"a letter of Mac or DOS":   {content: "id,nom\n1,Zo\x91\n", message: "as Mac Roman ë, as DOS text (cp850) æ"},
		"a few letters of Greece":  {content: encoded(t, "id,name\n1,Γιάννης\n2,Ελένη\n", "iso-8859-7"), message: "--encoding"},
		"a few letters of Japan":   {content: encoded(t, "id,name\n1,山田\n2,佐藤\n", "shift_jis"), message: "--encoding"},
		"a few letters of Israel":  {content: encoded(t, "id,name\n1,כהן\n2,לוי\n", "windows-1255"), message: "--encoding"},
		"letters of Poland":        {content: "id,name\n1," + encoded(t, "Wałęsa", "windows-1250") + "\n", message: "--encoding"},
		"either way a word":        {content: "id,name\n1,K\x9Anig\n", message: "as Mac Roman ö"},
		"UTF-8 and Windows-1252":   {content: "id,name\n1,Zo\xEB\n2,Zoë\n", message: "mixes"},
		"UTF-8 and later not":      {content: "id,name\n1,Zoë\n" + strings.Repeat("7,Bob\n", 100_000) + "8,Zo\xEB\n9,Ren\xE9\n", message: "line 100003", row: 100_003},
		"UTF-32":                   {content: "\xFF\xFE\x00\x00" + utf32("id,name\n1,Ann\n"), message: "UTF-32"},
		"UTF-32 without a mark":    {content: utf32("id,name\n1,Ann\n"), message: "UTF-32"},
		"UTF-32 with a wrong mark": {content: "\xFE\xFF" + utf32("id,name\n1,𝒵oë\n"), message: "UTF-32"},
		"UTF-32 BE":                {content: "\x00\x00\xFE\xFF\x00\x00\x00i\x00\x00\x00d\x00\x00\x00\n", message: "UTF-32"},
		"no text at all":           {content: "id\n\x03\xE4\x04\x00\xFF\x00\x00\n", message: "not text (NUL and others, the first in line 2)"},
		"an encoding of no one":    {content: "id\n1\n", options: Options{Encoding: "replacement"}, message: "not known"},
		"zero bytes in the middle": {content: "id,name\n1,A\x00nn\n", options: Options{HeaderRow: 1}, message: "NUL", row: 2},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path := writeFile(t, "people.csv", tt.content)
			fe := fileError(t, readFile(t, path, tt.options).err, path)
			if fe.Row != tt.row || !strings.Contains(fe.Message, tt.message) {
				t.Errorf("row %d: %s\nwant row %d and %q", fe.Row, fe.Message, tt.row, tt.message)
			}
			if strings.Contains(fe.Message, "nig") || strings.Contains(fe.Message, "Montr") {
				t.Errorf("a name in a message: %s", fe.Message)
			}
		})
	}
}

func TestEncodingsThatAreGiven(t *testing.T) {
	tests := map[string]struct {
		content, encoding string
		rows              []string
	}{
		"wins over what would be found": {content: "id,name\n1,Zo\xEB\n", encoding: "macintosh", rows: []string{"2: 1|ZoÎ"}},
		"under an old name":             {content: "id,name\n1,Zo\xEB\n", encoding: "latin1", rows: []string{"2: 1|Zoë"}},
		"a mark is not part of a name":  {content: "\xFF\xFEi\x00d\x00\n\x001\x00\n\x00", encoding: "utf-16", rows: []string{"2: 1"}},
		"bytes that are not letters":    {content: "id,name\n1,Ann\n2,Zo\xEB\n3,\"Zo\xEB, B\"\n", encoding: "utf-8", rows: []string{"2: 1|Ann", "3: 2|Zo\uFFFD !bad_character", "4: 3|Zo\uFFFD, B !bad_character"}},
		"half a unit at the end":        {content: "i\x00d\x00\n\x001\x00\n\x002", encoding: "utf-16le", rows: []string{"2: 1", "3: \uFFFD !bad_character"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := readFile(t, writeFile(t, "people.csv", tt.content), Options{Encoding: tt.encoding, HeaderRow: 1})
			if got.err != nil {
				t.Fatal(got.err)
			}
			if diff := cmp.Diff(tt.rows, got.rows); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

// A single damaged byte in a long file of UTF-8 costs its row, not the file.
func TestDamageInUTF8(t *testing.T) {
	content := "id,name\n" + strings.Repeat("7,Zoë\n", 50) + "8,Zo\xEB\n" + strings.Repeat("7,Zoë\n", 50)
	got := readFile(t, writeFile(t, "people.csv", content), Options{})
	if got.err != nil {
		t.Fatal(got.err)
	}
	faulty := slices.DeleteFunc(got.rows, func(r string) bool { return strings.HasSuffix(r, ": 7|Zoë") })
	if diff := cmp.Diff([]string{"52: 8|Zo\uFFFD !bad_character"}, faulty); diff != "" {
		t.Errorf("rows at fault (-want +got):\n%s", diff)
	}
	if len(got.notes) != 1 || !strings.Contains(got.notes[0], "UTF-8") {
		t.Errorf("notes %q", got.notes)
	}
}

// A program that takes Windows-1252 for Latin-1 makes control characters of letters and
// signs.
func TestC1ControlsAreLetters(t *testing.T) {
	for _, encoding := range []string{"utf-8", "utf-16le"} {
		mark := map[string]string{"utf-16le": "\xFF\xFE"}[encoding]
		for text, want := range map[string]string{
			"id,name\n1,Zoë\n2,O\u0092Brien\n3,\"Ann \u0096 \"\"B\"\"\"\n": "2: 1|Zoë 3: 2|O’Brien 4: 3|Ann – \"B\"",
			"id,name\n1,\u00A0\u008D\n2,Zo\u009C\n":                        "2: 1|\u00A0\u008D 3: 2|Zoœ",
		} {
			got := readFile(t, writeFile(t, "people.csv", mark+encoded(t, text, encoding)), Options{})
			if rows := strings.Join(got.rows, " "); rows != want || got.err != nil {
				t.Errorf("%s: rows %q, want %q, error %v", encoding, rows, want, got.err)
			}
			if notes := strings.Join(got.notes, " "); !strings.Contains(notes, "first in row 3") {
				t.Errorf("%s: notes %q", encoding, notes)
			}
		}
	}
	if got := readFile(t, writeFile(t, "people.csv", "id,name\n1,Zo\u0092\n2,Zo\xFF"+strings.Repeat("é", 20)+"\n"), Options{}); len(got.rows) != 2 || got.rows[1] != "3: 2|Zo\uFFFD"+strings.Repeat("é", 20)+" !bad_character" {
		t.Errorf("rows %q", got.rows)
	}
}
