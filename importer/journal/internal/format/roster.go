package format

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"

	"opscom-import/importer"
)

const (
	FlagSkipped = 1 << 0 // the mapping's where excluded the row
	FlagHad     = 1 << 1 // the Controller had the person by the outcome of the row, or may have had
	FlagLeaver  = 1 << 2 // the person was not in the file: a leaver who is still to be pushed
)

// RestoredSource is the source of a roster of nobody: that of the last run before the
// journal was restored from a backup. Who was in it, or came or left since, is not known.
const RestoredSource = ""

// Person is a person of a run.
type Person struct {
	Key                   importer.Digest
	Flags                 byte
	IsPushed              bool                  // by this run; not stored
	Unique                importer.UniqueValues // that this run sent; likewise
	UniqueID, LoginSource string
}

// Roster is what is kept of a run that is forgotten.
type Roster struct {
	ID         int64     `json:"run"`
	Source     string    `json:"source"`
	FileHash   string    `json:"file_hash"`
	Rows       int       `json:"rows"`
	FinishedAt time.Time `json:"finished_at"`
	HasKeys    bool      `json:"has_keys"`
	Looked     bool      `json:"looked_for_leavers,omitempty"`

	CertainFrom int64 `json:"certain_from,omitempty"` // see Acceptances; of RestoredSource only

	Target int64
	people blobReader
}

// RosterOf returns the roster of a run to a target, as yet without its people.
func RosterOf(r *importer.RunInfo, target int64, hasKeys bool) *Roster {
	return &Roster{
		ID: r.ID, Source: r.Source, FileHash: r.FileHash, Rows: r.Rows, FinishedAt: r.FinishedAt,
		HasKeys: hasKeys, Looked: r.Leavers != nil, Target: target,
	}
}

func CompareKeys(a, b importer.Digest) int { return bytes.Compare(a[:], b[:]) }

// Distinct sorts keys, and leaves out those that repeat another. It changes the slice.
func Distinct(keys []importer.Digest) []importer.Digest {
	slices.SortFunc(keys, CompareKeys)
	return slices.Compact(keys)
}

// Each calls visit with each person.
func (s *Roster) Each(visit func(*Person) error) error {
	for people := s.people; people.more(); {
		e := Person{Flags: people.byte(), Key: people.digest()}
		if s.HasKeys {
			e.UniqueID, e.LoginSource = people.text(), people.text()
		}
		if err := people.Err(); err != nil {
			return err
		}
		if err := visit(&e); err != nil {
			return err
		}
	}
	return nil
}

// Pack returns the roster as it is stored, with these people.
func (s *Roster) Pack(each func(visit func(*Person) error) error) ([]byte, error) {
	head, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	data := AppendTexts(nil, string(head))
	err = each(func(e *Person) error {
		data = append(append(data, e.Flags), e.Key[:]...)
		if s.HasKeys {
			data = AppendTexts(data, e.UniqueID, e.LoginSource)
		}
		return nil
	})
	return Seal(data, s.Target, s.ID), err
}

// Read unpacks the roster of a run that is stored for a target, which is set, and a series.
func (s *Roster) Read(run int64, series string, data []byte) error {
	blob, err := Unseal(data, s.Target, run)
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(blob.text()), s); err != nil || blob.bad || s.ID != run || importer.SeriesOf(s.Source) != series {
		return ErrDamaged
	}
	s.people = blob
	return nil
}

// People tells who is in the rows of a run.
type People struct {
	digester *importer.Digester
	isKept   bool // leavers stay among them until they are pushed
}

// PeopleOf returns what tells who is in a run, whose keys are made with the journal's salt.
func PeopleOf(run *importer.RunInfo, salt []byte) *People {
	return &People{digester: importer.NewDigester(salt), isKept: run.Leavers != nil && run.Leavers.UserType != ""}
}

// Each calls visit with the people of a chunk's rows, which are claimed up to a row. A
// leaver of the run is one of them as long as the push that they were planned for did not
// succeed.
func (p *People) Each(c *Chunk, claimed int, visit func(*Person) error) error {
	for row := range c.All {
		line := row.Result(claimed)
		e := Person{Key: row.Plan.Key, UniqueID: line.UniqueID, LoginSource: line.LoginSource, Unique: row.Plan.Unique, IsPushed: line.Status == importer.StatusPushed}
		if e.Key == (importer.Digest{}) {
			if e.UniqueID == "" || e.LoginSource == "" {
				continue // nobody knows who it is
			}
			e.Key = p.digester.Key(e.LoginSource, e.UniqueID)
		}
		switch {
		case line.Leaver && (!p.isKept || line.Status == importer.StatusPushed):
			continue
		case line.Status == importer.StatusSkipped:
			e.Flags = FlagSkipped
		case line.Leaver, line.Status == importer.StatusPushed, line.Status == importer.StatusUnchanged, line.Status == importer.StatusFailed,
			line.Status == importer.StatusRejected && line.Attempts > 1:
			e.Flags = FlagHad
		}
		if line.Leaver {
			e.Flags |= FlagLeaver
		}
		if err := visit(&e); err != nil {
			return err
		}
	}
	return nil
}
