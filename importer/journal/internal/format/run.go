package format

import (
	"encoding/json"
	"errors"
	"fmt"

	"opscom-import/importer"
)

// reportsColumn is the JSON of a run's column reports. What is not about reports came later;
// older runs have it not.
type reportsColumn struct {
	importer.Reports
	File      string            `json:"file,omitempty"`
	LineEnded bool              `json:"line_ended,omitempty"`
	Leavers   *importer.Leavers `json:"leavers_found,omitempty"`
}

// PackRun returns the JSON of a run's columns held and reports: an array of sentences, and
// where each report goes, with what else is known of the file.
func PackRun(r *importer.RunInfo) (held, reports []byte, err error) {
	if held, err = json.Marshal(r.Held); err != nil {
		return nil, nil, err
	}
	column := reportsColumn{r.Reports, PathText(r.File), r.LineEnded, r.Leavers}
	for _, path := range column.Paths() {
		*path = PathText(*path)
	}
	reports, err = json.Marshal(column)
	return held, reports, err
}

// ReadRun sets what PackRun has packed of a run. The error is ErrDamaged.
func ReadRun(r *importer.RunInfo, held, reports []byte) error {
	var column reportsColumn
	if err := errors.Join(json.Unmarshal(held, &r.Held), json.Unmarshal(reports, &column)); err != nil {
		return fmt.Errorf("%w: run %d: %v", ErrDamaged, r.ID, err)
	}
	for _, path := range column.Paths() {
		*path = PathOf(*path)
	}
	r.Reports, r.File, r.LineEnded, r.Leavers = column.Reports, PathOf(column.File), column.LineEnded, column.Leavers
	return nil
}
