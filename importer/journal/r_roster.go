package journal

import (
	"bytes"
	"encoding/json"
	"opscom-import/importer"
	"slices"
	"time"
)

const (
	flagSkipped = 1 << 0 // the mapping's where excluded the row
	flagHad     = 1 << 1 // the Controller had the person by the outcome of the row, or may have had
	flagLeaver  = 1 << 2 // the person was not in the file: a leaver who is still to be pushed
)

// restoredSource is the source of a roster of nobody: that of the last run before the
// journal was restored from a backup. Who was in it, or came or left since, is not known.
const restoredSource = ""

// rosterEntry is a person of a run.
type rosterEntry struct {
	key                   importer.Digest
	flags                 byte
	isPushed              bool                  // by this run; not stored
	unique                importer.UniqueValues // that this run sent; likewise
	uniqueID, loginSource string
}

// storedRoster is what is kept of a run that is forgotten.
type storedRoster struct {
	ID         int64     `json:"run"`
	Source     string    `json:"source"`
	FileHash   string    `json:"file_hash"`
	Rows       int       `json:"rows"`
	FinishedAt time.Time `json:"finished_at"`
	HasKeys    bool      `json:"has_keys"`
	Looked     bool      `json:"looked_for_leavers,omitempty"`

	target int64
	people blobReader
}

func compareKeys(a, b importer.Digest) int { return bytes.Compare(a[:], b[:]) }

// distinct sorts keys, and leaves out those that repeat another. It changes the slice.
func distinct(keys []importer.Digest) []importer.Digest {
	slices.SortFunc(keys, compareKeys)
	return slices.Compact(keys)
}

// each calls visit with each person.
func (s *storedRoster) each(visit func(*rosterEntry) error) error {
	for people := s.people; people.more(); {
		e := rosterEntry{flags: people.byte(), key: people.digest()}
		if s.HasKeys {
			e.uniqueID, e.loginSource = people.text(), people.text()
		}
		if err := people.err(); err != nil {
			return err
		}
		if err := visit(&e); err != nil {
			return err
		}
	}
	return nil
}

// pack returns the roster as it is stored, with these people.
func (s *storedRoster) pack(each func(visit func(*rosterEntry) error) error) ([]byte, error) {
	head, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	data := appendTexts(nil, string(head))
	err = each(func(e *rosterEntry) error {
		data = append(append(data, e.flags), e.key[:]...)
		if s.HasKeys {
			data = appendTexts(data, e.uniqueID, e.loginSource)
		}
		return nil
	})
	return seal(data, s.target, s.ID), err
}

// read unpacks the roster of a run that is stored for a target, which is set, and a series.
func (s *storedRoster) read(run int64, series string, data []byte) error {
	blob, err := unseal(data, s.target, run)
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(blob.text()), s); err != nil || blob.bad || s.ID != run || importer.SeriesOf(s.Source) != series {
		return errDamaged
	}
	s.people = blob
	return nil
}

// people tells who is in the rows of a run.
type people struct {
	digester *importer.Digester
	isKept   bool // leavers stay among them until they are pushed
}

func peopleOf(run *importer.RunInfo, salt []byte) *people {
	return &people{digester: importer.NewDigester(salt), isKept: run.Leavers != nil && run.Leavers.UserType != ""}
}

// each calls visit with the people of a chunk's rows, which are claimed up to a row. A
// leaver of the run is one of them as long as the push that they were planned for did not
// succeed.
func (p *people) each(c *chunk, claimed int, visit func(*rosterEntry) error) error {
	for row := range c.all {
		line := row.result(claimed)
		e := rosterEntry{key: row.plan.Key, uniqueID: line.UniqueID, loginSource: line.LoginSource, unique: row.plan.Unique, isPushed: line.Status == importer.StatusPushed}
		if e.key == (importer.Digest{}) {
			if e.uniqueID == "" || e.loginSource == "" {
				continue // nobody knows who it is
			}
			e.key = p.digester.Key(e.loginSource, e.uniqueID)
		}
		switch {
		case line.Leaver && (!p.isKept || line.Status == importer.StatusPushed):
			continue
		case line.Status == importer.StatusSkipped:
			e.flags = flagSkipped
		case line.Leaver, line.Status == importer.StatusPushed, line.Status == importer.StatusUnchanged, line.Status == importer.StatusFailed,
			line.Status == importer.StatusRejected && line.Attempts > 1:
			e.flags = flagHad
		}
		if line.Leaver {
			e.flags |= flagLeaver
		}
		if err := visit(&e); err != nil {
			return err
		}
	}
	return nil
}
