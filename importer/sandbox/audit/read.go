package audit

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"opscom-import/importer"
)

// ReadResults reads a results file as docs/reference/files.md describes it, without
// what was put before texts to keep a spreadsheet from taking them for formulas.
func ReadResults(r io.Reader) ([]importer.Result, error) {
	lines := csv.NewReader(r)
	header, err := lines.Read()
	if err != nil {
		return nil, fmt.Errorf("read the results: %w", err)
	}
	header[0] = strings.TrimPrefix(header[0], "\uFEFF")
	results := []importer.Result{} // not nil: there is a file
	for {
		record, err := lines.Read()
		if err == io.EOF {
			return results, nil
		}
		var result importer.Result
		for i := 0; err == nil && i < len(record); i++ {
			if err = setColumn(&result, header[i], unescapeFormula(record[i])); err != nil {
				err = fmt.Errorf("column %s: %w", header[i], err)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("read the results: line %d: %w", len(results)+2, err)
		}
		results = append(results, result)
	}
}

func setColumn(result *importer.Result, column, text string) (err error) {
	texts := map[string]*string{
		"unique_id": &result.UniqueID, "login_source": &result.LoginSource, "status": (*string)(&result.Status),
		"reference_id": &result.ReferenceID, "error_code": &result.ErrorCode, "field": &result.Field,
		"message": &result.Message, "warnings": &result.Warnings,
	}
	switch to, isText := texts[column]; {
	case isText:
		*to = text
	case column == "row":
		result.Row, err = strconv.Atoi(text)
	case column == "attempts":
		result.Attempts, err = strconv.Atoi(text)
	case column != "finished_at":
		err = errors.New("there is no such column")
	case text != "":
		result.FinishedAt, err = time.Parse(time.RFC3339, text)
	}
	return err
}

// unescapeFormula removes what keeps a spreadsheet from taking a text for a formula.
func unescapeFormula(text string) string {
	if rest, found := strings.CutPrefix(text, "'"); found && rest != "" && strings.ContainsRune("=+-@\t\r", rune(rest[0])) {
		return rest
	}
	return text
}

// ReadTotals reads the line of JSON with which a command sums up a run.
func ReadTotals(name string, line []byte) (Totals, error) {
	var members map[string]json.RawMessage
	err := json.Unmarshal(line, &members)
	totals := Totals{Name: name, Counts: importer.Counts{}}
	for key, to := range map[string]*int{"rows": &totals.Rows, "attempts": &totals.Attempts, "exit": &totals.Exit} {
		err = errors.Join(err, json.Unmarshal(members[key], to))
	}
	for _, status := range importer.Statuses() {
		if text, found := members[string(status)]; found {
			var n int
			err = errors.Join(err, json.Unmarshal(text, &n))
			totals.Counts[status] = n
		}
	}
	if err != nil {
		return totals, fmt.Errorf("read the %s: %w", name, err)
	}
	return totals, nil
}
