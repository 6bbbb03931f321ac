package mapping

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"opscom-import/mapping/internal/chars"
)

// errorShape is the shape of the errors that spreadsheets and databases show in any
// language: #REF!, #¿NOMBRE?, #DIV/0!, #Deleted, Err:502. Only their first letter
// tells #NV, German for #N/A, from a unit #4B.
var errorShape = regexp.MustCompile(`^#[¡¿]?[\p{L}][\p{L}\d_/]*[!?]$` + // #REF!, #VALEUR!, #DIV/0!, #NOM?
	`|^#(?:N/[ADBV]|NV|I/T|Н/Д|Δ/Υ|YOK|HIÁNYZIK|PUUTTUU|NEDOSTUPNÝ|NENÍ_K_DISPOZICI|GETTING_DATA|(?i:error|deleted|null|busy|unknown|ref|value|spill|calc|name|num))$` +
	`|^##+$` + // a column that was too narrow
	`|^(?i:err|error|fehler|erreur|errore|erro|fout|fel|fejl|feil|virhe|hiba|chyba|błąd) ?: ?\d{3}$` + // LibreOffice
	`|^(?i:loading|chargement|cargando|carregando|caricamento|laden|wird geladen)(?:\.\.\.|…)$`) // Google Sheets

// mayBeError reports whether a text, which is not blank, may be an error that was saved
// as text. Hardly any text that is none gets through.
func mayBeError(text string) bool {
	first, last := text[0], text[len(text)-1]
	switch {
	case first == '#':
		return true
	case !chars.IsVisibleASCII(first): // an invisible character, or a letter
		return strings.IndexByte(text, '#') > 0
	case first < 'A':
		return false
	case last >= '0' && last <= '9': // Err:502
		return strings.IndexByte(text, ':') > 0 && strings.IndexByte("efvhbc", first|0x20) >= 0
	case last == '.', last >= utf8.RuneSelf:
		return mayBeLoading(text)
	}
	return false
}

func mayBeLoading(text string) bool {
	return strings.HasSuffix(text, "...") || strings.HasSuffix(text, "…")
}

// isErrorText reports whether a text, which is trimmed, is one of the errors that
// spreadsheets and databases show in place of a value.
func isErrorText(text string) bool {
	const longest = len("#HIÁNYZIK") + len("wird geladen")
	return len(text) >= 2 && len(text) <= longest && errorShape.MatchString(text)
}
