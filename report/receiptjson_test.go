package report

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"opscom-import/importer"
)

func TestReceiptJSON(t *testing.T) {
	push := Receipt{
		Command: "push", Run: 17, File: "data/A & B <2026>.csv", Rows: 1202, Attempts: 1201,
		Counts: importer.Counts{
			importer.StatusPushed: 1188, importer.StatusUnchanged: 1, importer.StatusDuplicate: 2, importer.StatusSkipped: 3,
			importer.StatusInvalid: 4, importer.StatusRejected: 1, importer.StatusFailed: 1, importer.StatusUnknown: 1, importer.StatusNotSent: 1,
		},
		Seconds: 131.249, Reports: importer.Reports{Results: "data/A & B.results.csv"}, Exit: 3,
	}
	check := Receipt{
		Command: "check", File: "a.csv", Rows: 5, Counts: importer.Counts{importer.StatusValid: 4, importer.StatusInvalid: 1},
		Held: []string{"1 of 5 rows is invalid", "the file has 5 rows"}, Exit: 4,
	}
	for _, tc := range []struct {
		receipt Receipt
		want    string
	}{
		{push, `{"command":"push","run":17,"file":"data/A & B <2026>.csv","rows":1202,"pushed":1188,"unchanged":1,"duplicate":2,"skipped":3,"leaver":0,` +
			`"invalid":4,"rejected":1,"failed":1,"unknown":1,"not_sent":1,"attempts":1201,"seconds":131.2,"held":[],` +
			`"results":"data/A & B.results.csv","problems":"","fix":"","summary":"","leavers":null,"leavers_file":"","exit":3}`},
		{check, `{"command":"check","run":0,"file":"a.csv","rows":5,"valid":4,"unchanged":0,"duplicate":0,"skipped":0,"leaver":0,` +
			`"invalid":1,"rejected":0,"failed":0,"unknown":0,"not_sent":0,"attempts":0,"seconds":0,` +
			`"held":["1 of 5 rows is invalid","the file has 5 rows"],"results":"","problems":"","fix":"","summary":"","leavers":null,"leavers_file":"","exit":4}`},
		{Receipt{Command: "approve"}, `{"command":"approve","run":0,"file":"","rows":0,"pushed":0,"unchanged":0,"duplicate":0,"skipped":0,"leaver":0,` +
			`"invalid":0,"rejected":0,"failed":0,"unknown":0,"not_sent":0,"attempts":0,"seconds":0,"held":[],"results":"","problems":"","fix":"","summary":"","leavers":null,"leavers_file":"","exit":0}`},
	} {
		var out bytes.Buffer
		if err := tc.receipt.WriteJSON(&out); err != nil {
			t.Fatal(err)
		}
		if out.String() != tc.want+"\n" {
			t.Errorf("%s:\n got %swant %s", tc.receipt.Command, out.String(), tc.want)
		}
	}
}

func TestReceiptJSONReportsAFailedWrite(t *testing.T) {
	if err := (Receipt{File: "a.csv"}).WriteJSON(&fullDisk{}); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("error %v", err)
	}
}
