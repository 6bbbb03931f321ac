package simulation_test

import (
	"fmt"
	"io"
	"strconv"

	"opscom-import/importer"
	"opscom-import/mapping"
)

// simulatedMapping is the mapping of every file.
const simulatedMapping = `version: 1
source: {where: 'col("Status") != "WD"'}
fields: {unique_id: ID, login_source: {value: SSO}, first_name: First, user_name: User, email: E-mail, city: {column: City, blank: clear}}
`

// file is one file, and how it is pushed. It is the file before it with changes:
// rows differ, are gone, or are as they were two files earlier.
type file struct {
	number      int // from 1
	headerRow   int
	records     [][]string // below the header
	onlyChanges bool
	crashes     int  // processes that may die
	abandoned   bool // if it is not complete at the first try, the next file follows
}

func (n *file) String() string {
	return fmt.Sprintf("%d rows below row %d, only changes %v, up to %d crashes, abandoned %v",
		len(n.records), n.headerRow, n.onlyChanges, n.crashes, n.abandoned)
}

// newFiles draws the files.
func newFiles(seed uint64) []*file {
	random := draw(seed, "files")
	people := pick(random, 10, 30, 60, 120, 250)
	people += random.IntN(people / 5)
	headerRow := 1 + random.IntN(300) // so that the rows lie across the journal's chunks now and then
	files := make([]*file, 1+random.IntN(4))
	for i := range files {
		files[i] = &file{
			number: i + 1, headerRow: headerRow, onlyChanges: chance(random, 0.7), crashes: random.IntN(5),
			abandoned: i+1 < len(files) && chance(random, 0.3),
		}
		for person := range people {
			files[i].records = append(files[i].records, newRecords(seed, person, i)...)
		}
	}
	return files
}

// newRecords returns the rows about one person in one file: none, one, or several.
func newRecords(seed uint64, person, number int) [][]string {
	who := draw(seed, "person", person)
	now := draw(seed, "person on a night", person, number)
	city := "Gatineau"
	if number > 0 && chance(now, 0.3) {
		city = pick(now, "Ottawa", "")
	}
	n := strconv.Itoa(person)
	record := []string{fmt.Sprintf("9%08d", person), "Zoë", "user" + n, addressOf(seed, person, number), city, "AS"}
	switch what := who.Float64(); {
	case what < 0.03:
		record[3] = "no address"
	case what < 0.06:
		record[5] = "WD"
	case what < 0.09:
		record[2] = "admin" // who is somebody else
	case what < 0.12:
		return [][]string{record, record}
	case what < 0.14:
		other := append([]string{}, record...)
		other[4] = "Hull" // which contradicts the row above
		return [][]string{record, other}
	case what < 0.16:
		record[3] = "shared" + strconv.Itoa(person/40) + "@example.edu"
	case what < 0.20 && number%2 == 1:
		return nil
	}
	return [][]string{record}
}

// neighbours is how many people hand on their addresses to each other.
const neighbours = 5

// addressOf returns a person's address in a file. Some neighbours hand theirs on from time to
// time, to the person above or below: one gets a new address.
func addressOf(seed uint64, person, number int) string {
	group, at := person/neighbours, person%neighbours
	random := draw(seed, "neighbours", group)
	if !chance(random, 0.4) {
		return "p" + strconv.Itoa(person) + "@example.edu"
	}
	if chance(random, 0.5) {
		at = neighbours - 1 - at
	}
	for file := range number {
		if chance(draw(seed, "neighbours on a night", group, file), 0.5) {
			at++
		}
	}
	return fmt.Sprintf("n%d-%d@example.edu", group, at)
}

// header names the columns.
func header() []string { return []string{"ID", "First", "User", "E-mail", "City", "Status"} }

// source reads the file.
func (n *file) source() *source { return &source{file: n} }

// source is an importer.Source.
type source struct {
	*file
	next int
}

func (s *source) Header() importer.Header {
	return importer.Header{Row: s.headerRow, Names: header()}
}

func (s *source) Next(row *importer.Row) error {
	if s.next == len(s.records) {
		return io.EOF
	}
	row.Number, row.Cells, row.Problems = s.headerRow+1+s.next, row.Cells[:0], nil
	for _, text := range s.records[s.next] {
		row.Cells = append(row.Cells, mapping.Cell{Text: text})
	}
	s.next++
	return nil
}
