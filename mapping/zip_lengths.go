package mapping

import (
	"fmt"
	"slices"
	"strings"

	"opscom-import/mapping/internal/chars"
)

// zipLengths collects how long the postal codes of one column are, to find ZIP codes
// that lost their zeros where no state says so: codes of four digits beside codes of
// five, none of which begins with a zero.
type zipLengths struct {
	country int  // the column with the country, or NoColumn
	short   bool // the row's code is a digit or two shorter than a ZIP code
	whole   int  // ZIP codes that do not begin with a zero
	padded  int  // ZIP codes that do
	suspect []shortZIP
	count   int // short ones, also those that are not remembered
}

type shortZIP struct {
	text     string
	sequence int
}

// add takes the postal code of one row.
func (z *zipLengths) add(sequence int, _ Cell, value string) {
	switch zip, _, _ := strings.Cut(value, "-"); {
	case z.short:
		z.short = false
		if z.count++; len(z.suspect) < questionRows {
			z.suspect = append(z.suspect, shortZIP{value, sequence})
		}
	case len(zip) != 5 && len(zip) != 9 || !chars.IsDigits(zip):
	case zip[0] == '0':
		z.padded++
	default:
		z.whole++
	}
}

// review reports each short code, or asks when they are many. Where nearly all are
// short, they are of a country whose codes have four digits.
func (z *zipLengths) review(f *fieldMapper, _ func(int) int, review *Review) (key, question string) {
	switch {
	case z.padded > 0, 10*z.whole < z.count:
		return "", ""
	case z.count > questionRows:
		return "", fmt.Sprintf("in %s %d codes are shorter than a ZIP code, and %d are ZIP codes: leading zeros may be lost. Take the column from the student system again as text, or map the state, so that apply: [postal_code] can add them; if the codes are right, add as_is: true", f.source, z.count, z.whole)
	}
	for _, zip := range z.suspect {
		f.reportProposing(review, zip.sequence, zip.text, "0"+zip.text, RuleLostZeros, f.check.about(zip.text)+"is shorter than the ZIP codes of other rows: a spreadsheet may have dropped its leading zero.",
			"Write the zero; if the code is of another country, add as_is: true to the field.")
	}
	return "", ""
}

// isAbroad reports whether the country of a row's address has no ZIP codes.
func (z *zipLengths) isAbroad(row []Cell) bool {
	return isAbroad(chars.Trim(cellAt(row, z.country).Text))
}

// compileZIPs has the lengths of ZIP codes compared where the mapping has no state
// that says which of them begin with a zero.
func (c *compiler) compileZIPs(f *Field, m *fieldMapper) {
	region := map[Attribute]Attribute{PostalCode: Province, PostalCode2: Province2}[f.Attribute]
	if slices.ContainsFunc(c.file.Fields, func(other Field) bool { return other.Attribute == region }) {
		return
	}
	m.zips = &zipLengths{country: NoColumn}
	if columns := columnsWhere(c.header, func(h string) bool { return countryHeaders[chars.Fold(h)] }); len(columns) == 1 {
		m.zips.country = columns[0]
	}
	m.evidence = append(m.evidence, m.zips)
}
