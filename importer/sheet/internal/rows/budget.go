package rows

import (
	"errors"
	"io"
	"time"
)

// WorkBudget limits how long the readers may work on a file without returning a row,
// so that a malicious file gets an answer. Reading a million rows may
// take as long as it takes; finding the first of them, or the next one, may not.
//
// It needs no goroutine: whatever a reader does, it comes back for more of the file,
// at the latest after a few MiB that a few KiB unpacked to, and is stopped there.
// Work that needs no more of the file is limited by the sizes of its parts. Time that
// a slow drive or the caller takes does not count.
type WorkBudget struct {
	now      func() time.Time
	limit    time.Duration // of work since the last row
	used     time.Duration // since the last row
	since    time.Time     // when the reader was last given bytes
	gotRow   bool          // since then
	exceeded bool
}

// A file gets some seconds, and a second more for each of so many of its bytes,
// however much they unpack to. On a small computer the sheet and the texts of a
// workbook are read at four times this speed.
const (
	leastWork   = 5 * time.Second
	slowestWork = 4 << 20 // bytes a second
)

var errBudgetExceeded = errors.New("too long without a row")

// NewWorkBudget returns the budget of a file of the size.
func NewWorkBudget(size int64, now func() time.Time) *WorkBudget {
	return &WorkBudget{now: now, limit: leastWork + time.Duration(float64(size)/slowestWork*float64(time.Second)), since: now()}
}

// RowReturned starts the budget again.
func (b *WorkBudget) RowReturned() { b.gotRow = true }

// Explain returns err, or why the file was given up, at or after a row, when the budget
// was exceeded.
func (b *WorkBudget) Explain(err error, row int) error {
	if b == nil || !b.exceeded {
		return err
	}
	return ErrorAt(row, err, "The file kept the program busy for more than %.0f seconds without giving a row, so reading was stopped: it is damaged or malicious. "+
		SaveAgain, b.limit.Seconds())
}

// File returns file, the reading of which fails once the budget is exceeded.
func (b *WorkBudget) File(file io.ReaderAt) io.ReaderAt { return budgetedFile{file, b} }

type budgetedFile struct {
	io.ReaderAt
	budget *WorkBudget
}

func (f budgetedFile) ReadAt(p []byte, offset int64) (int, error) {
	b := f.budget
	if b.gotRow {
		b.gotRow, b.used = false, 0
	} else if b.used += b.now().Sub(b.since); b.used > b.limit {
		b.exceeded = true
	}
	if b.exceeded {
		return 0, errBudgetExceeded
	}
	n, err := f.ReaderAt.ReadAt(p, offset)
	b.since = b.now()
	return n, err
}
