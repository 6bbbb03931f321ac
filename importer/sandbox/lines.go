package sandbox

import (
	"bufio"
	"fmt"
	"io"
	"os"

	"github.com/dustin/go-humanize/english"
)

// lineFile appends lines to a file.
type lineFile struct {
	file   *os.File
	broken error // from the first write that failed: nothing is appended after half a line
	lost   int   // lines that could not be written
}

func (f *lineFile) append(line []byte) error {
	if f.broken == nil {
		_, f.broken = f.file.Write(line)
	}
	if f.broken != nil {
		f.lost++
	}
	return f.broken
}

func (f *lineFile) close() error {
	err := f.file.Close()
	if f.broken != nil {
		err = fmt.Errorf("%s could not be written: %w", english.Plural(f.lost, "line", ""), f.broken)
	}
	return err
}

// eachLine calls do with each line of r. A last line without a line break, as a
// killed process may leave it, is ignored.
func eachLine(r io.Reader, do func(line []byte) error) error {
	lines := bufio.NewReader(r)
	for number := 1; ; number++ {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = do(line)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
	}
}
