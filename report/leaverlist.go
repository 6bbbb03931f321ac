package report

import (
	"bytes"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"opscom-import/importer"
)

// LeaverList is who left, for a person who asks.
type LeaverList struct {
	importer.Leavers
	File   string // as given
	HasIDs bool   // List has everybody who was Found; else nobody
	List   []importer.Result
}

// InWords says how many people left since when, and why they are not listed if their ids
// are not kept.
func (l LeaverList) InWords() string {
	text := LeaversInWords(&l.Leavers, time.Local)
	if !l.HasIDs && l.Found > 0 {
		text += " Their ids are not kept: run " + fmt.Sprint(l.Run) + " is forgotten, and keep_keys was not set."
	}
	return text
}

// WriteText writes the list for a person at the terminal.
func (l LeaverList) WriteText(w io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintln(&b, hang(Printable(l.InWords()), 0))
	if len(l.List) > 0 {
		t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "\nUNIQUE ID\tLOGIN SOURCE\tREFERENCE ID")
		for _, r := range l.List {
			fmt.Fprintf(t, "%s\t%s\t%s\n", Printable(r.UniqueID), Printable(r.LoginSource), Printable(r.ReferenceID))
		}
		if err := t.Flush(); err != nil {
			return err
		}
	}
	return l.written(w.Write(b.Bytes()))
}

// WriteCSV writes a line for each of them, as the report of a run has.
func (l LeaverList) WriteCSV(w io.Writer) error {
	results := func(yield func(importer.Result, error) bool) {
		for _, r := range l.List {
			if !yield(r, nil) {
				return
			}
		}
	}
	return l.written(WriteLeavers(To("-", w), results))
}

// WriteJSON writes the list as one line of JSON.
func (l LeaverList) WriteJSON(w io.Writer) error {
	type person struct {
		UniqueID    string `json:"unique_id"`
		LoginSource string `json:"login_source"`
		ReferenceID string `json:"reference_id"`
	}
	list := any(nil) // the ids are not known
	if l.HasIDs {
		people := make([]person, len(l.List))
		for i, r := range l.List {
			people[i] = person{r.UniqueID, r.LoginSource, r.ReferenceID}
		}
		list = people
	}
	return l.written(0, object{
		{"command", "leavers"}, {"file", l.File}, {"run", l.Run}, {"run_file", l.Source}, {"run_finished_at", l.At.UTC().Format(time.RFC3339)},
		{"people", l.People}, {"found", l.Found}, {"why", l.Why}, {"leavers", list},
	}.write(w))
}

// written explains why the list could not be written.
func (l LeaverList) written(_ int, err error) error {
	if err != nil {
		return fmt.Errorf("write the leavers of %s: %w", l.File, err)
	}
	return nil
}
