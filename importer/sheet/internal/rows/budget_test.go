package rows

import (
	"bytes"
	"testing"
	"time"
)

func TestWorkBudget(t *testing.T) {
	const second = time.Second
	for name, tt := range map[string]struct {
		size     int64
		steps    []time.Duration // of work, each before a read
		row      int             // index of the step after which a row is given
		exceeded bool
	}{
		"a little work":               {steps: []time.Duration{4 * second}, row: -1},
		"a lot of it":                 {steps: []time.Duration{6 * second}, row: -1, exceeded: true},
		"little by little":            {steps: []time.Duration{2 * second, 2 * second, 2 * second}, row: -1, exceeded: true},
		"a row between":               {steps: []time.Duration{3 * second, 3 * second, 2 * second}, row: 0},
		"again after a row":           {steps: []time.Duration{4 * second, second, 4 * second}, row: 0},
		"then nothing":                {steps: []time.Duration{3 * second, 3 * second, 6 * second}, row: 0, exceeded: true},
		"the caller takes an hour":    {steps: []time.Duration{2 * second, time.Hour, second}, row: 0},
		"a large file":                {size: 40 << 20, steps: []time.Duration{14 * second}, row: -1},
		"more than a large one takes": {size: 40 << 20, steps: []time.Duration{16 * second}, row: -1, exceeded: true},
	} {
		t.Run(name, func(t *testing.T) {
			now := time.Date(2026, time.November, 23, 8, 0, 0, 0, time.UTC)
			p := NewWorkBudget(tt.size, func() time.Time { return now })
			slowDrive := readerAtFunc(func(b []byte, offset int64) (int, error) {
				now = now.Add(time.Hour)
				return bytes.NewReader([]byte("abc")).ReadAt(b, offset)
			})
			file := p.File(slowDrive)
			var err error
			for i, step := range tt.steps {
				now = now.Add(step)
				if _, err = file.ReadAt(make([]byte, 2), 0); err != nil {
					break
				}
				p.gotRow = i == tt.row
			}
			if (err != nil) != tt.exceeded || p.exceeded != tt.exceeded {
				t.Errorf("error %v, exceeded %v", err, p.exceeded)
			}
		})
	}
}

type readerAtFunc func(b []byte, offset int64) (int, error)

func (f readerAtFunc) ReadAt(b []byte, offset int64) (int, error) { return f(b, offset) }
