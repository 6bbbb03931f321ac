package sheet

import (
	"fmt"
	"unicode/utf8"

	"github.com/dustin/go-humanize/english"

	"opscom-import/importer"
	"opscom-import/mapping"
)

// Characters at which programs cut values off: columns of databases, and Excel's cells.
const (
	databaseCut = 255
	excelCut    = 32_767
)

// cutValues finds values of exactly as many characters as some program keeps.
type cutValues struct {
	count int
	where string // the first of them
}

func (c *cutValues) observe(row *importer.Row) {
	for column := range row.Cells {
		text := row.Cells[column].Text
		if len(text) < databaseCut {
			continue
		}
		if length := utf8.RuneCountInString(text); length == databaseCut || length == excelCut {
			if c.count++; c.count == 1 {
				c.where = fmt.Sprintf("Row %d, column %s has a value of exactly %d characters", row.Number, mapping.ColumnLetter(column), length)
			}
		}
	}
}

// note says that values may be cut, "" when none is.
func (c *cutValues) note() string {
	const advice = ", which is where programs cut values off. Compare it with the system that the file comes from."
	switch c.count {
	case 0:
		return ""
	case 1:
		return c.where + advice
	}
	return fmt.Sprintf("%s, and so has %s%s", c.where, english.Plural(c.count-1, "other value", ""), advice)
}
