package mapping

import (
	"errors"
	"slices"
	"strconv"
	"strings"
)

// FileError is one mistake in a mapping file.
type FileError struct {
	File    string // the file's name; "" for a mapping that was never a file
	Line    int    // counted from 1; 0 when the whole file is meant
	Key     string // where in the file, such as "province" or "province.apply"; "" for the file itself
	Message string // what is wrong and what to do, without a full stop
}

// Error puts the place before the message, as compilers do:
//
//	students.mapping.yaml:7: province: there is no column "Provnce"; the nearest is "Province"
func (e *FileError) Error() string {
	file := e.File
	if file == "" {
		file = "mapping"
	}
	var b strings.Builder
	b.WriteString(file)
	if e.Line > 0 {
		b.WriteString(":" + strconv.Itoa(e.Line))
	}
	b.WriteString(": ")
	if e.Key != "" {
		b.WriteString(e.Key + ": ")
	}
	b.WriteString(e.Message)
	return b.String()
}

// joinMistakes joins a file's mistakes in the order of their lines; nil when
// there are none.
func joinMistakes(mistakes []*FileError) error {
	slices.SortStableFunc(mistakes, func(a, b *FileError) int { return a.Line - b.Line })
	errs := make([]error, len(mistakes))
	for i, mistake := range mistakes {
		errs[i] = mistake
	}
	return errors.Join(errs...)
}
