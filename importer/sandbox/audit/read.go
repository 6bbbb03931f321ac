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

// ReadResults reads a results file as docs/reference/files.md describes it. What
// was put before a text to keep a spreadsheet from taking it for a formula is
// taken off again.
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
		if err == nil {
			result, err = readResult(header, record)
		}
		if err != nil {
			return nil, fmt.Errorf("read the results: line %d: %w", len(results)+2, err)
		}
		results = append(results, result)
	}
}

func readResult(header, record []string) (result importer.Result, err error) {
	for i, column := range header {
		if fieldErr := setColumn(&result, column, unescapeFormula(record[i])); fieldErr != nil {
			err = errors.Join(err, fmt.Errorf("column %s: %w", column, fieldErr))
		}
	}
	return result, err
}

func setColumn(result *importer.Result, column, text string) (err error) {
	switch column {
	case "row":
		result.Row, err = strconv.Atoi(text)
	case "unique_id":
		result.UniqueID = text
	case "login_source":
		result.LoginSource = text
	case "status":
		result.Status = importer.Status(text)
	case "reference_id":
		result.ReferenceID = text
	case "error_code":
		result.ErrorCode = text
	case "field":
		result.Field = text
	case "message":
		result.Message = text
	case "warnings":
		result.Warnings = text
	case "attempts":
		result.Attempts, err = strconv.Atoi(text)
	case "finished_at":
		if text != "" {
			result.FinishedAt, err = time.Parse(time.RFC3339, text)
		}
	default:
		err = errors.New("there is no such column")
	}
	return err
}

// harmful undoes what makes a text harmless in a spreadsheet.
func unescapeFormula(text string) string {
	if rest, found := strings.CutPrefix(text, "'"); found && rest != "" && strings.ContainsRune("=+-@\t\r", rune(rest[0])) {
		return rest
	}
	return text
}

// ReadClaim reads the line of JSON with which a command sums up a run.
func ReadTotals(name string, line []byte) (Totals, error) {
	var members map[string]json.RawMessage
	err := json.Unmarshal(line, &members)
	claim := Totals{Name: name, Counts: importer.Counts{}}
	for key, to := range map[string]*int{"rows": &claim.Rows, "attempts": &claim.Attempts, "exit": &claim.Exit} {
		err = errors.Join(err, json.Unmarshal(members[key], to))
	}
	for _, status := range importer.Statuses() {
		if text, found := members[string(status)]; found {
			var n int
			err = errors.Join(err, json.Unmarshal(text, &n))
			claim.Counts[status] = n
		}
	}
	if err != nil {
		return claim, fmt.Errorf("read the %s: %w", name, err)
	}
	return claim, nil
}
