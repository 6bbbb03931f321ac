package web

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"opscom-import/cmd/opscom-import/internal/lang"
	"opscom-import/importer"
)

// A run of a command that has leavers is shown with them, and approved like any other.
func TestRunWithLeaversIsShown(t *testing.T) {
	s := open(t)
	row := func(number int, id string, status importer.Status, isLeaver bool) importer.PlannedRow {
		p := importer.PlannedRow{Row: number, UniqueID: id, LoginSource: "SSO", Status: status, Leaver: isLeaver}
		if status == importer.StatusPending {
			p.Payload = fmt.Appendf(nil, `{"unique_id":%q,"login_source":"SSO"}`, id)
		}
		return p
	}
	leavers := importer.Leavers{Mode: "type:Alumni", UserType: "7", Run: 4, People: 1200, Found: 3, Sent: 2}
	id := s.storeRun(importer.RunInfo{Client: s.server.env.SandboxTarget(), Target: s.server.env.SandboxTarget(), Source: "/nowhere/a.csv", Leavers: &leavers}, importer.RunHeld,
		[]importer.PlannedRow{row(2, "100", importer.StatusUnchanged, false), row(3, "200", importer.StatusPending, true), row(4, "300", importer.StatusPending, true), row(5, "400", importer.StatusLeaver, true)},
		"2 of the 1200 people of run 4 are not in the file; the limit (max-leavers) is 1")
	_, body := s.get(fmt.Sprintf("/runs/%d?tab=all", id))
	s.wants(body, "2 of the 1,200 people of run 4 are not in this file any more. That is more than usual: the limit is 1.", "Push 2 people",
		"3 of the 1,200 people of run 4 are not in this file.", "left, not sent", "This person is not in the file any more.")
	s.post(fmt.Sprintf("/runs/%d/push", id), url.Values{"approved": {"yes"}})
	s.wants(s.result(), "Practice is done: 2 people were accepted.", "3 of the 1,200 people of run 4 are not in this file.")
}

func TestSaidOfLeavers(t *testing.T) {
	none := importer.Leavers{Mode: "report", Why: "there is no earlier run of this file"}
	doubted := importer.Leavers{Run: 4, People: 20, Found: 1, Why: "the file may end in the middle of a row"}
	for _, tc := range []struct {
		l       lang.Lang
		leavers *importer.Leavers
		want    string
	}{
		{lang.English, nil, ""},
		{lang.English, &none, "It is not known who left: there is no earlier run of this file."},
		{lang.French, &none, "On ne sait pas qui est parti : il n’y a pas d’envoi antérieur de ce fichier."},
		{lang.English, &doubted, "1 of the 20 people of run 4 are not in this file. Perhaps they have not all left: the file may end in the middle of a row."},
	} {
		if got := saidOfLeavers(tc.l, tc.leavers); strings.ReplaceAll(got, "\u00a0", " ") != tc.want {
			t.Errorf("%q, want %q", got, tc.want)
		}
	}
}

func TestLeaversThatHoldInPlainWords(t *testing.T) {
	leavers := importer.Leavers{UserType: "7", Run: 4, Rows: 1200, People: 1200, Sent: 90}
	limits := importer.Limits{MaxLeavers: importer.Limit{Set: true, Percent: 5}}
	for rows, want := range map[int]string{
		1200: "90 of the 1,200 people of run 4 are not in this file any more. That is more than usual: the limit is 5%.",
		600:  "The file has only 600 rows; the one of run 4 had 1,200. Was the export cut short? Nobody is taken for someone who left.",
	} {
		got := holds(lang.English, limits.Judge(importer.Plan{Rows: rows, Leavers: &leavers}, importer.RunInfo{}))
		if len(got) != 1 || got[0].Text != want {
			t.Errorf("%d rows: %+v", rows, got)
		}
	}
}
