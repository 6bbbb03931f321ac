package sqlite

import (
	"errors"
	"slices"
	"testing"

	"opscom-import/importer"
	"opscom-import/importer/journal/internal/format"
)

func TestStatusCodesAreForever(t *testing.T) {
	want := "pending pushed unchanged duplicate skipped invalid rejected failed unknown not_sent valid leaver"
	got := ""
	for _, s := range format.StatusCodes {
		got += " " + string(s)
	}
	if got[1:] != want {
		t.Errorf("stored statuses would be read as others:\n%s\n%s", got[1:], want)
	}
	for _, s := range append(importer.Statuses(), importer.StatusPending) {
		if !slices.Contains(format.StatusCodes[:], s) {
			t.Errorf("%s cannot be stored", s)
		}
	}
}

func TestRecordBelongsToItsPlace(t *testing.T) {
	data := format.Seal([]byte("record"), 1, 2)
	if _, err := format.Unseal(data, 1, 2); err != nil {
		t.Error(err)
	}
	for _, place := range [][]int64{{2, 1}, {1, 3}, {1}, {}} {
		if _, err := format.Unseal(data, place...); !errors.Is(err, format.ErrDamaged) {
			t.Errorf("place %v: %v", place, err)
		}
	}
	if _, err := format.Unseal(data[:3], 1, 2); !errors.Is(err, format.ErrDamaged) {
		t.Errorf("cut short: %v", err)
	}
}

// FuzzRecords reads arbitrary bytes as each kind of record, with a checksum that
// is right: they are read or refused.
func FuzzRecords(f *testing.F) {
	var b format.ChunkBuilder
	for _, row := range []importer.PlannedRow{testRow(2, importer.StatusPending), testRow(3, importer.StatusInvalid)} {
		must(f, b.Add(&row, func() error { return nil }))
	}
	outcome, err := format.AppendEvent(nil, &format.Event{Outcome: pushed(2)})
	must(f, err)
	f.Add(b.Plan)
	f.Add(b.Payloads)
	f.Add(outcome)
	f.Add([]byte{2, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF})
	f.Fuzz(func(t *testing.T, body []byte) {
		for name, read := range map[string]func(*format.Chunk, []byte) error{
			"events": func(s *format.Chunk, data []byte) error {
				return format.ReadEvents(1, 0, 1, format.Seal(data, 1, 0, 1), s.Apply)
			},
			"payloads": func(s *format.Chunk, data []byte) error {
				jobs, err := format.ReadPayloads(1, 0, s, format.Seal(data, 1, 0))
				for _, job := range jobs {
					if job.Row != 2 && job.Row != 3 {
						t.Errorf("row %d", job.Row)
					}
				}
				return err
			},
			"acceptance": func(_ *format.Chunk, data []byte) error {
				_, err := format.ReadAcceptance(format.Seal(data, format.KeyPlace(importer.Digest{})...))
				return err
			},
			"acceptances": func(_ *format.Chunk, data []byte) error {
				p := &format.Packed{{Records: data}}
				err := p[0].Index(0)
				if err == nil {
					p.Find(importer.Digest{})
				}
				return err
			},
			"chunk": func(s *format.Chunk, data []byte) error {
				_, err := s.Read(1, 0, format.Section{}, format.Seal(data, 1, 0, 0, 0))
				return err
			},
		} {
			s := new(format.Chunk)
			_, err := s.Read(1, 0, format.Section{}, format.Seal(slices.Clone(b.Plan), 1, 0, 0, 0))
			must(t, err)
			if err := read(s, slices.Clone(body)); err != nil && !errors.Is(err, format.ErrDamaged) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}
