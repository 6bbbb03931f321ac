package journal

import (
	"errors"
	"slices"
	"testing"

	"opscom-import/importer"
)

func TestStatusCodesAreForever(t *testing.T) {
	want := "pending pushed unchanged duplicate skipped invalid rejected failed unknown not_sent valid leaver"
	got := ""
	for _, s := range statusCodes {
		got += " " + string(s)
	}
	if got[1:] != want {
		t.Errorf("stored statuses would be read as others:\n%s\n%s", got[1:], want)
	}
	for _, s := range append(importer.Statuses(), importer.StatusPending) {
		if !slices.Contains(statusCodes[:], s) {
			t.Errorf("%s cannot be stored", s)
		}
	}
}

func TestRecordBelongsToItsPlace(t *testing.T) {
	data := seal([]byte("record"), 1, 2)
	if _, err := unseal(data, 1, 2); err != nil {
		t.Error(err)
	}
	for _, place := range [][]int64{{2, 1}, {1, 3}, {1}, {}} {
		if _, err := unseal(data, place...); !errors.Is(err, errDamaged) {
			t.Errorf("place %v: %v", place, err)
		}
	}
	if _, err := unseal(data[:3], 1, 2); !errors.Is(err, errDamaged) {
		t.Errorf("cut short: %v", err)
	}
}

// FuzzRecords reads arbitrary bytes as each kind of record, with a checksum that
// is right: they are read or refused.
func FuzzRecords(f *testing.F) {
	var b chunkBuilder
	for _, row := range []importer.PlannedRow{testRow(2, importer.StatusPending), testRow(3, importer.StatusInvalid)} {
		must(f, b.add(&row, func() error { return nil }))
	}
	outcome, err := appendEvent(nil, &event{Outcome: pushed(2)})
	must(f, err)
	f.Add(b.plan)
	f.Add(b.payloads)
	f.Add(outcome)
	f.Add([]byte{2, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF})
	f.Fuzz(func(t *testing.T, body []byte) {
		for name, read := range map[string]func(*chunk, []byte) error{
			"events": func(s *chunk, data []byte) error { return readEvents(1, 0, 1, seal(data, 1, 0, 1), s.apply) },
			"payloads": func(s *chunk, data []byte) error {
				jobs, err := readPayloads(1, 0, s, seal(data, 1, 0))
				for _, job := range jobs {
					if job.Row != 2 && job.Row != 3 {
						t.Errorf("row %d", job.Row)
					}
				}
				return err
			},
			"acceptance": func(_ *chunk, data []byte) error {
				blob, err := unseal(seal(data, keyPlace(importer.Digest{})...), keyPlace(importer.Digest{})...)
				blob.acceptance()
				return errors.Join(err, blob.err())
			},
			"acceptances": func(_ *chunk, data []byte) error {
				p := &packed{{records: data}}
				err := p[0].index(0)
				if err == nil {
					p.find(importer.Digest{})
				}
				return err
			},
			"chunk": func(s *chunk, data []byte) error {
				_, err := s.read(1, 0, section{}, seal(data, 1, 0, 0, 0))
				return err
			},
		} {
			s := new(chunk)
			_, err := s.read(1, 0, section{}, seal(slices.Clone(b.plan), 1, 0, 0, 0))
			must(t, err)
			if err := read(s, slices.Clone(body)); err != nil && !errors.Is(err, errDamaged) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}
