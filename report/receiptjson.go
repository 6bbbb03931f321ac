package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"time"

	"opscom-import/importer"
)

// WriteJSON writes the receipt as one line of JSON. Scripts rely on its keys: new
// ones may be added, none removed.
//
//	{"command":"push","run":17,"file":"students.csv","rows":1200,"pushed":1188,…,"exit":1}
func (r Receipt) WriteJSON(w io.Writer) error {
	line := object{{"command", r.Command}, {"run", r.Run}, {"file", r.File}, {"rows", r.Rows}}
	absent := importer.StatusValid // a check has valid rows where a push has pushed ones
	if r.Command == CheckCommand {
		absent = importer.StatusPushed
	}
	for _, status := range importer.Statuses() {
		if status != absent {
			line = append(line, member{string(status), r.Counts[status]})
		}
	}
	line = append(line,
		member{"attempts", r.Attempts}, member{"seconds", math.Round(r.Seconds*10) / 10}, member{"held", append([]string{}, r.Held...)},
		member{"results", r.Reports.Results}, member{"problems", r.Reports.Problems}, member{"fix", r.Reports.Fix},
		member{"summary", r.Reports.Summary}, member{"leavers", leaverMember(r.Leavers)}, member{"leavers_file", r.Reports.Leavers}, member{"exit", r.Exit})
	if err := line.write(w); err != nil {
		return fmt.Errorf("write the receipt of %s: %w", r.File, err)
	}
	return nil
}

// leaverMember returns what the JSON says of leavers: null when they were not to be looked
// for, and numbers only when there was something to compare with.
func leaverMember(l *importer.Leavers) any {
	if l == nil {
		return nil
	}
	type compared struct {
		Mode     string     `json:"mode"`
		UserType string     `json:"user_type"`
		Run      int64      `json:"run"`    // 0: there was none
		At       *time.Time `json:"at"`     // null likewise
		People   *int       `json:"people"` // and these
		Found    *int       `json:"found"`
		Sent     *int       `json:"sent"`
		Why      string     `json:"why"`
	}
	c := compared{Mode: l.Mode, UserType: l.UserType, Run: l.Run, Why: l.Why}
	if l.Compared() {
		c.At, c.People, c.Found, c.Sent = new(l.At.UTC()), &l.People, &l.Found, &l.Sent
	}
	return c
}

// object is a JSON object whose members keep their order.
type object []member

type member struct {
	key   string
	value any
}

// write writes the object as one line.
func (o object) write(w io.Writer) error {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	for i, m := range o {
		b.WriteByte("{,"[min(i, 1)])
		fmt.Fprintf(&b, "%q:", m.key)
		if err := encoder.Encode(m.value); err != nil {
			return err
		}
		b.Truncate(b.Len() - 1) // its line end
	}
	b.WriteString("}\n")
	_, err := w.Write(b.Bytes())
	return err
}
