package report

import (
	"os"
	"path/filepath"
	"testing"
)

func TestRecognize(t *testing.T) {
	const results = "row,unique_id,login_source,status,reference_id,error_code,field,message,warnings,attempts,finished_at"
	for text, want := range map[string]Kind{
		bom + results + "\r\n2,1,SSO\r\n": "results",
		results:                           "results",
		"row;unique_id;login_source;status;reference_id;error_code;field;message;warnings;attempts;finished_at\n":                            "results",
		"status\trow\tunique_id\tlogin_source\treference_id\terror_code\tfield\tmessage\twarnings\tattempts\tfinished_at\n":                  "results",
		`"row","unique_id","login_source","status","reference_id","error_code","field","message","warnings","attempts","finished_at"` + "\n": "results",
		bom + "row,column,header,field,severity,rule,value,message\r\n":                                                                      "problems",
		"row,unique_id,login_source,status\n":       "",
		results + ",first_name\n":                   "",
		"unique_id,login_source\n" + results + "\n": "",
		"": "",
	} {
		path := filepath.Join(t.TempDir(), "file.csv")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := Recognize(path); got != want {
			t.Errorf("Recognize of %q = %q, want %q", text, got, want)
		}
	}
	if got := Recognize(t.TempDir()); got != "" {
		t.Errorf("Recognize of a folder = %q", got)
	}
}
