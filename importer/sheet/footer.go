package sheet

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"opscom-import/importer"
	"opscom-import/importer/sheet/internal/rows"
	"opscom-import/mapping"
)

// mayBeFooter reports whether the row is not a person but a total or a note, if no person
// follows it. In doubt it is a person: a lone cell that may be an id is.
func (b *body) mayBeFooter(row *importer.Row) bool {
	first := slices.IndexFunc(row.Cells, rows.HasValue)
	if first < 0 || len(row.Problems) > 0 {
		return false
	}
	text := rows.TextAt(row, first)
	rest := row.Cells[first+1:]
	if !slices.ContainsFunc(rest, rows.HasValue) {
		return isFooterText(text) || (b.named >= 3 && b.isApart(row) && isSentence(row.Cells[first]))
	}
	if !isTotal(text) {
		return false
	}
	return !slices.ContainsFunc(rest, func(c mapping.Cell) bool { return rows.HasValue(c) && !isAmount(c) })
}

// isSeparator reports whether the row is the line that database programs draw below the
// header: each of its cells is dashes and the like, two or more.
func isSeparator(row *importer.Row) bool {
	if !isDashes(rows.TextAt(row, 0)) && !isDashes(rows.TextAt(row, 1)) { // as most rows are not
		return false
	}
	return !slices.ContainsFunc(row.Cells, func(c mapping.Cell) bool { return rows.HasValue(c) && !isDashes(strings.TrimSpace(c.Text)) })
}

func isDashes(text string) bool {
	const dashes = "-=_+|"
	return len(text) >= 2 && strings.IndexByte(dashes, text[0]) >= 0 && strings.Trim(text, dashes) == ""
}

// isApart reports whether there is a blank row, or another footer, above the row.
func (b *body) isApart(row *importer.Row) bool {
	return len(b.pending) > 0 || row.Number > b.last+1
}

// isSentence reports whether a cell has several words, as no id does.
func isSentence(c mapping.Cell) bool {
	return c.Kind == mapping.TextCell && len(strings.Fields(c.Text)) > 1 && !strings.Contains(c.Text, "@")
}

// isTotal reports whether a text begins as a total does, in English or French.
func isTotal(text string) bool {
	return beginsWith(text, "total", "totals", "grand total", "subtotal", "sub-total", "sub total", "sous-total", "totaux")
}

// isFooterText reports whether a lone text is what reports end with.
func isFooterText(text string) bool {
	text = strings.TrimLeftFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	if isTotal(text) || isCount(text) {
		return true
	}
	if word := strings.TrimRightFunc(text, func(r rune) bool { return !unicode.IsLetter(r) }); strings.EqualFold(word, "end") || strings.EqualFold(word, "eof") || strings.EqualFold(word, "fin") {
		return true
	}
	return strings.ContainsFunc(text, isPause) && beginsWith(text,
		"end of", "fin de", "fin du", "generated", "généré", "printed", "imprimé", "produced", "prepared", "created", "exported", "run date", "run on", "run by",
		"report", "rapport", "record count", "row count", "count", "number of", "nombre", "source", "note", "notes", "page", "confidential", "confidentiel",
		"applied filters", "filters", "as of", "legend", "légende")
}

// isCount reports whether a text is such as "312 students" or "(42 rows affected)".
func isCount(text string) bool {
	words := strings.FieldsFunc(text, isPause)
	if len(words) < 2 || strings.ContainsFunc(words[0], func(r rune) bool { return !unicode.IsDigit(r) && r != ',' && r != '.' }) {
		return false
	}
	return slices.Contains([]string{
		"row", "rows", "record", "records", "student", "students", "person", "persons", "people", "user", "users", "employee", "employees", "entry", "entries",
		"ligne", "lignes", "enregistrement", "enregistrements", "étudiant", "étudiants", "étudiante", "étudiantes", "personne", "personnes", "employé", "employés",
	}, strings.ToLower(words[1]))
}

// isPause reports whether a character separates words.
func isPause(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(":()[]*=-–—", r) }

// beginsWith reports whether a text begins with one of some words, whatever their
// case, and no letter follows.
func beginsWith(text string, words ...string) bool {
	for _, word := range words {
		if len(text) < len(word) || (text[0]^word[0])&^0x20 != 0 { // nearly all end here
			continue
		}
		if strings.EqualFold(text[:len(word)], word) {
			if next, _ := utf8.DecodeRuneInString(text[len(word):]); !unicode.IsLetter(next) {
				return true
			}
		}
	}
	return false
}

// isAmount reports whether a cell is a number, however it is written.
func isAmount(c mapping.Cell) bool {
	return c.Kind == mapping.NumberCell || c.Kind == mapping.UnclearCell ||
		strings.ContainsFunc(c.Text, unicode.IsDigit) && !strings.ContainsFunc(c.Text, func(r rune) bool { return unicode.IsLetter(r) || r == '@' })
}
