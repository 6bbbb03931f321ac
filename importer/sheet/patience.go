package sheet

import (
	"errors"
	"fmt"
	"io"
	"time"
)

// patience bounds how long the readers may work on a file without giving a row, so
// that a file that was made to harm gets an answer. Reading a million rows may take
// as long as it takes; finding the first of them, or the next one, may not.
//
// It needs no goroutine: whatever a reader does, it comes back for more of the file,
// at the latest after a few MiB that a few KiB unpacked to, and is stopped there.
// Work that needs no more of the file is bounded by the sizes of its parts. Time
// that a slow drive takes, and anyone who calls Next, does not count.
type patience struct {
	now    func() time.Time
	most   time.Duration // of work since the last row
	worked time.Duration // since the last row
	since  time.Time     // when the reader was last given something
	given  bool          // a row, since then
	gone   bool          // there was too much work
}

// What patience a file gets: some seconds, and a second more for each of so many of
// its bytes, however much they unpack to. On a small computer the sheet and the texts
// of a workbook are read at four times this speed.
const (
	leastPatience = 5 * time.Second
	slowestWork   = 4 << 20 // bytes a second
)

var errOutOfPatience = errors.New("too long without a row")

func newPatience(size int64, now func() time.Time) patience {
	return patience{now: now, most: leastPatience + time.Duration(float64(size)/slowestWork*float64(time.Second)), since: now()}
}

// work counts the time since the reader was given something.
func (p *patience) work() error {
	if p.given {
		p.given, p.worked = false, 0
	} else if p.worked += p.now().Sub(p.since); p.worked > p.most {
		p.gone = true
	}
	if p.gone {
		return errOutOfPatience
	}
	return nil
}

// fault says why the file was given up, at or after a row.
func (p *patience) fault(row int, cause error) error {
	return fault(row, fmt.Sprintf("The file kept the program busy for more than %.0f seconds without giving a row, so it was given up: it is damaged, or made to do harm. "+
		"Open it in Excel, save it again as .xlsx, and use that copy.", p.most.Seconds()), cause)
}

// patientFile is a file that is read with patience.
type patientFile struct {
	io.ReaderAt
	patience *patience
}

// ReadAt fails once the patience has gone.
func (f patientFile) ReadAt(b []byte, offset int64) (int, error) {
	if err := f.patience.work(); err != nil {
		return 0, err
	}
	n, err := f.ReaderAt.ReadAt(b, offset)
	f.patience.since = f.patience.now()
	return n, err
}
