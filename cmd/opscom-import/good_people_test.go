package main

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
)

// goodFile is an invented file without a fault.
type goodFile struct {
	number    uint64
	title     string // what is special about it
	format    string // csv or xlsx
	delimiter rune   // of CSV
	western   bool   // in Windows-1252 if that has all letters
	mark      bool   // begins with a byte order mark
	wide      bool   // in UTF-16
	quoted    bool   // with quotes around every value
	lineEnd   string // of CSV

	dateFormat string // of a workbook
	numbers    bool   // of digits alone are numbers in a workbook
	headers    []string
	fields     []string // what each column gives, "" for nothing
	mapping    string   // "" for none
	people     []goodPerson
}

// goodPerson is a row of it.
type goodPerson struct {
	cells map[string]string // by field
	sent  map[string]string // what must arrive
	born  time.Time
}

func (f *goodFile) name() string { return fmt.Sprintf("%d-%s-%s", f.number, f.title, f.format) }

// records returns the header and the rows.
func (f *goodFile) records() [][]string {
	records := [][]string{f.headers}
	for _, person := range f.people {
		record := make([]string, len(f.fields))
		for i, field := range f.fields {
			if record[i] = person.cells[field]; field == "" {
				record[i] = person.cells[f.headers[i]]
			}
		}
		records = append(records, record)
	}
	return records
}

// goodLanguage is a line of testdata/names.tsv.
type goodLanguage struct {
	name                            string
	first, surnames, towns, streets []string
}

// goodLanguages returns the languages of testdata/names.tsv; the last has what looks
// like trouble in any of them.
var goodLanguages = sync.OnceValue(func() (languages []goodLanguage) {
	text, err := os.ReadFile("testdata/names.tsv")
	if err != nil {
		panic(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n")[1:] {
		columns := strings.Split(line, "\t")
		list := func(i int) []string { return strings.Split(columns[i], " | ") }
		languages = append(languages, goodLanguage{columns[0], list(1), list(2), list(3), list(4)})
	}
	return languages
})

// goodStyle is how one office writes its file.
type goodStyle struct {
	random    *rand.Rand
	languages []goodLanguage // to choose from for each person
	special   goodLanguage
	letters   func(string) string // of names, towns and streets
	id        func(i int) string
	phones    []string // patterns, whose 0 is any digit
	postal    string   // pattern for where no province is
	date      string   // of time.Format
	places    bool     // each person lives in a province or state
}

// newGoodFile returns a file of at most so many people.
func newGoodFile(seed, number uint64, most int) *goodFile {
	random := rand.New(rand.NewPCG(seed, number))
	size := 3 + random.IntN(58)
	switch kind := random.IntN(10); {
	case number == 1: // everybody in one file, those who look like trouble among them
		size = most / 5
	case kind == 0:
		size = 1000 + random.IntN(2000)
	case kind < 3:
		size = 100 + random.IntN(300)
	}
	f := &goodFile{number: number, format: pick(random, "csv", "xlsx", "csv"), western: random.IntN(3) == 0, mark: random.IntN(2) == 0, numbers: random.IntN(2) == 0}
	f.quoted, f.wide, f.lineEnd = random.IntN(4) == 0, random.IntN(10) == 0, pick(random, "\n", "\r\n")
	f.dateFormat = pick(random, "yyyy-mm-dd", "m/d/yyyy", "dd/mm/yy", "d-mmm-yy", "[$-409]mmmm d, yyyy", "dd.mm.yyyy", "yyyymmdd", "dddd, d mmmm yyyy")
	s := newGoodStyle(random, f)
	f.delimiter = pick(random, ',', ',', ';', '\t')
	f.layOut(random, s)
	oddLast := -10 // the last person with a special name: not every second one
	for i := range min(size, most) {
		odd := i-oddLast > 8 && random.IntN(15) == 0
		if odd {
			oddLast = i
		}
		f.people = append(f.people, f.seat(s.person(i, odd)))
	}
	return f
}

// seat leaves out what the file has no column for.
func (f *goodFile) seat(p goodPerson) goodPerson {
	maps.DeleteFunc(p.sent, func(field, _ string) bool { return !slices.Contains(f.fields, field) })
	return p
}

func newGoodStyle(random *rand.Rand, f *goodFile) *goodStyle {
	all := goodLanguages()
	s := &goodStyle{random: random, special: all[len(all)-1], languages: all[:len(all)-1], letters: func(text string) string { return text }}
	f.title = "mixed"
	if f.number == 1 {
		f.title, s.languages = "everybody", all
	} else if one := random.IntN(len(s.languages) * 3 / 2); one < len(s.languages) {
		s.languages = s.languages[one : one+1]
		f.title = strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) {
				return r
			}
			return -1
		}, s.languages[0].name)
	}
	hasCase := strings.ToUpper(s.languages[0].first[0]) != strings.ToLower(s.languages[0].first[0])
	switch style := random.IntN(6); {
	case !hasCase: // where nobody else is written so, NULL is not a name
	case style == 0:
		s.letters, f.title = strings.ToUpper, f.title+"-upper"
	case style == 1:
		s.letters, f.title = strings.ToLower, f.title+"-lower"
	}
	s.id = goodIDs(random)
	s.phones = pick(random, goodPhones[:]...)
	s.postal = pick(random, "00000", "0000", "00-000", "000 00", "0000-000", "00000-000", "000-0000", "000000", "0000 LL", "LL0L 0LL", "L00 L000", "000 000", "L0L 0L0")
	s.places = random.IntN(3) == 0
	s.date = "2006-01-02"
	if f.format == "csv" {
		s.date = pick(random, s.date, s.date, "2006/01/02", "02/01/2006", "01/02/2006", "2.1.2006", "2006-01-02 00:00:00", "2006-01-02T00:00:00", "02-Jan-2006", "Jan 2, 2006", "2 January 2006", "20060102")
	}
	return s
}

// goodPhones are ways to write telephone numbers, those of a file in a line.
var goodPhones = [...][]string{
	{"613-555-0000"}, {"(613) 555-0000"}, {"613.555.0000"}, {"6135550000"}, {"+1 613 555 0000"}, {"1-613-555-0000"},
	{"613 555 0000", "613-555-0000", "(613)555-0000", "613-555-0000 x00", "613-555-0000 ext. 0"},
	{"06 00 00 00 00", "01.00.00.00.00", "+33 6 00 00 00 00"}, {"600 000 000", "910 000 000"}, {"600.000.000"}, {"600000000"},
	{"0301/000000", "+49 30 000000", "030 000 00-0"}, {"07700 900000", "020 7946 0000", "+44 (0)20 7946 0000"}, {"+47 20 00 00 00", "20 00 00 00"},
	{"138 0000 0000", "+86 138 0000 0000"}, {"090-0000-0000", "03-0000-0000", "+81-3-0000-0000"}, {"+91 98000 00000", "098000 00000", "9800000000"},
	{"044 000 00 00", "+41 44 000 00 00"}, {"(11) 90000-0000", "+55 11 90000 0000"}, {"00 47 20 00 00 00", "555-1000", "5551000", "+000 0 000 0000"},
}

// goodIDs returns a way to write ids. Each has as many digits as the others, or as
// counting gives.
func goodIDs(random *rand.Rand) func(i int) string {
	step := 1 + random.IntN(900)
	counted := func(from int, form string) func(int) string {
		return func(i int) string { return fmt.Sprintf(form, from+i) }
	}
	return pick(random,
		func(i int) string { return strconv.Itoa(900_100_200 + i*step) },
		func(i int) string { return fmt.Sprintf("%09d", 100_200+i*step) },
		func(i int) string { return fmt.Sprintf("A%08d", 4_100+i*step) },
		func(i int) string { return fmt.Sprintf("s%07d", 2_100_000+i*step) },
		func(i int) string { return fmt.Sprintf("2026-%05d", i) },
		func(i int) string { return fmt.Sprintf("S%07d%c", 1_000_000+i*step, 'A'+rune(i%26)) },
		func(i int) string { return fmt.Sprintf("%07d-%d", 1_234_567+i*step, i%10) },
		func(i int) string { return fmt.Sprintf("person%d@example.ca", i) },
		func(i int) string { return fmt.Sprintf("u%d", i) },
		func(i int) string { // a UUID
			return fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x", random.Uint32(), random.IntN(1<<16), random.IntN(1<<12), i&0xfff, random.Int64N(1<<48))
		},
		func(i int) string { return fmt.Sprintf("%08x", uint32(i)*2_654_435_761) }, // some have only digits, some an E between them
		counted(1, "%d"), counted(95, "%d"), counted(990, "%d"), counted(9_995, "%d"), counted(99_990, "%d"), counted(999_980, "%d"), counted(1, "%06d"),
	)
}

// layOut chooses the columns, and the mapping for them.
func (f *goodFile) layOut(random *rand.Rand, s *goodStyle) {
	f.fields = []string{
		"unique_id", "last_name", "first_name", "email", "user_name", "street", "street2", "city", "province", "postal_code",
		"phone_cell", "student_phone", "date_of_birth", "driver_licence_num", "", "",
	}
	f.headers = pick(random,
		[]string{"Student ID", "Surname", "Given Name", "E-mail", "Login", "Address", "Unit", "City", "State/Province", "Postal/ZIP", "Cell", "Home Phone", "Birth Date", "Licence", "Country", "Notes"},
		[]string{"Matricule", "Nom", "Prénom", "Courriel", "Identifiant", "Adresse", "Apt", "Ville", "Province", "Code postal", "Cellulaire", "Téléphone", "Date de naissance", "Permis", "Pays", "Remarques"},
		[]string{"PIDM", "LNAME", "FNAME", "MAIL", "UID", "ADDR1", "ADDR2", "TOWN", "ST", "ZIP", "MOBILE", "PHONE", "DOB", "DL", "CTRY", "MISC"})
	isOwn := s.date == "2006-01-02" && random.IntN(4) == 0
	if isOwn { // the API's own names need no mapping
		f.headers = append(slices.Clone(f.fields[:len(f.fields)-2]), "Country", "Notes")
	}
	if some := random.IntN(3); some == 0 { // not every file has every column
		var headers, fields []string
		for i, field := range f.fields {
			if i < 3 || random.IntN(3) == 0 {
				headers, fields = append(headers, f.headers[i]), append(fields, field)
			}
		}
		f.headers, f.fields = headers, fields
	}
	if isOwn {
		return
	}
	var text strings.Builder
	text.WriteString("version: 1\nfields:\n")
	for i, field := range f.fields {
		switch {
		case field == "":
		case field == "date_of_birth" && f.format == "csv":
			form := strings.NewReplacer(" 00:00:00", "", "T00:00:00", "", "2006", "YYYY", "January", "MMMM", "Jan", "MMM", "01", "MM", "02", "DD", "2", "D", "1", "M").Replace(s.date)
			fmt.Fprintf(&text, "  %s: {column: %q, date: %q}\n", field, f.headers[i], form)
		default:
			fmt.Fprintf(&text, "  %s: %q\n", field, f.headers[i])
		}
	}
	f.mapping = text.String()
}

// person returns the i-th person; that of an odd one has a name or an address that
// looks like trouble.
func (s *goodStyle) person(i int, odd bool) goodPerson {
	language := pick(s.random, s.languages...)
	first, last, town, street := pick(s.random, language.first...), pick(s.random, language.surnames...), pick(s.random, language.towns...), pick(s.random, language.streets...)
	if odd { // one of them: no two in a row look like nothing
		switch s.random.IntN(5) {
		case 0:
			first = pick(s.random, s.special.first...)
		case 1, 2:
			last = pick(s.random, s.special.surnames...)
		case 3:
			town = pick(s.random, s.special.towns...)
		default:
			street = pick(s.random, s.special.streets...)
		}
	}
	if s.random.IntN(100) == 0 {
		first = "" // some people have one name
	}
	born := time.Date(1960+s.random.IntN(48), time.Month(1+s.random.IntN(12)), 1+s.random.IntN(28), 0, 0, 0, 0, time.UTC)
	if i == 0 {
		born = time.Date(2003, 12, 28, 0, 0, 0, 0, time.UTC) // proves the order of day and month
	}
	digits := func(pattern string) string {
		if last := strings.LastIndexByte(pattern, '0'); last >= 0 { // zeros alone are no number
			pattern = pattern[:last] + "N" + pattern[last+1:]
		}
		return strings.Map(func(r rune) rune {
			switch r {
			case '0':
				return '0' + rune(s.random.IntN(10))
			case 'N':
				return '1' + rune(s.random.IntN(9))
			case 'L':
				return rune("ABCEGHJKLM"[s.random.IntN(10)])
			}
			return r
		}, pattern)
	}
	cells := map[string]string{
		"unique_id": s.id(i), "first_name": s.letters(first), "last_name": s.letters(last), "city": s.letters(town),
		"street":     s.letters(strings.ReplaceAll(street, "%", strconv.Itoa(1+s.random.IntN(9_999)))),
		"street2":    pick(s.random, "", "", "", "#4", "Apt #4", "1/2", "B", "4", "12-B", "Unit 12", "c/o Lee", "1-2", "2nd floor", "P.O. 7", "Room B/4", "012"),
		"email":      pick(s.random, fmt.Sprintf("p.%d@example.ca", i), fmt.Sprintf("O'Hara_%d+x@mail.example.edu", i), fmt.Sprintf("P%d@EXAMPLE.COM", i)),
		"user_name":  pick(s.random, fmt.Sprintf("jdoe%d", i), fmt.Sprintf("j.doe-%d", i), fmt.Sprintf("mar%d", i), fmt.Sprintf(`EX\jdoe%d`, i)),
		"phone_cell": digits(pick(s.random, s.phones...)), "student_phone": digits(pick(s.random, append(s.phones, "")...)),
		"postal_code": digits(s.postal), "driver_licence_num": digits(pick(s.random, "", "L0000-00000-00000", "L000-0000-0000", "0000000", "LLL**000LL")),
		"date_of_birth": born.Format(s.date),
		"Notes":         pick(s.random, "", "", "NULL", "#N/A", "=B2", "n/a", "?", "Total", "see Lee, J.", "\"quoted\"", "1.5E+08", "Zoé", "-"),
		"Country":       pick(s.random, "", "Canada", "CA", "NA"),
	}
	if s.places {
		place := pick(s.random, [][2]string{{"ON", "K0A 0B0"}, {"QC", "J0A 0L0"}, {"NS", "B0J 0L0"}, {"NY", "10000"}, {"MA", "02000"}, {"CA", "90000"}, {"GA", "30000-0000"}, {"BC", "V0A 0L0"}}...)
		cells["province"], cells["postal_code"] = place[0], digits(place[1])
	}
	if i > 0 && s.random.IntN(20) == 0 { // of some hardly anything is known
		for field := range cells {
			if !slices.Contains([]string{"unique_id", "last_name", "first_name", "user_name"}, field) {
				cells[field] = ""
			}
		}
	}
	sent := make(map[string]string, len(cells))
	for field, value := range cells {
		sent[field] = value
	}
	delete(sent, "Notes")
	delete(sent, "Country")
	if sent["date_of_birth"] != "" {
		sent["date_of_birth"] = born.Format("2006-01-02")
	}
	return goodPerson{cells, sent, born}
}

func pick[T any](random *rand.Rand, from ...T) T { return from[random.IntN(len(from))] }
