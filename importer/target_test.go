package importer_test

import (
	"testing"

	"opscom-import/importer"
)

func TestOneControllerIsOneTarget(t *testing.T) {
	for want, spellings := range map[string][]string{
		"OC at https://ops.example": {
			"https://ops.example", "https://OPS.example/", "HTTPS://ops.Example:443", "https://ops.example:0443//", "https://ops.example.", "https://ops.example:", "https://ops.example/./",
		},
		"OC at https://ops.example/Api":        {"https://OPS.example/Api/", "https://ops.example:443//Api", "https://ops.example/x/../Api"},
		"OC at https://ops.example/api":        {"https://ops.example/api"},
		"OC at http://ops.example":             {"http://ops.example:80"},
		"OC at http://ops.example:443":         {"http://OPS.example:443/"},
		"OC at https://ops.example:8443":       {"https://ops.EXAMPLE:8443/"},
		"OC at https://[::1]":                  {"https://[::1]:443", "https://[0:0::1]/"},
		"OC at https://[::1]:8443":             {"https://[::1]:8443", "https://[0::0001]:8443"},
		"OC at http://127.0.0.1:18480":         {"http://127.0.0.1:18480"},
		"OC at https://xn--universit-j4a.test": {"https://université.test", "https://UNIVERSITÉ.test/", "https://xn--universit-j4a.test"},
		"OC at https://my_ops.example":         {"https://My_Ops.example:443"},
	} {
		for _, base := range spellings {
			got := importer.TargetOf("OC", base)
			if got != want {
				t.Errorf("%s: %q, want %q", base, got, want)
			}
			if again := importer.SameTarget(got); again != got {
				t.Errorf("%s: %q and then %q", base, got, again)
			}
		}
	}
	for _, name := range []string{"sandbox", "https://controller.example/OC", "OC at nowhere", "OC at "} {
		if got := importer.SameTarget(name); got != name {
			t.Errorf("%q became %q", name, got)
		}
	}
	if importer.TargetOf("oc", "https://ops.example") == importer.TargetOf("OC", "https://ops.example") {
		t.Error("client codes that differ in case are one")
	}
}

func TestClientOf(t *testing.T) {
	for target, want := range map[string]string{
		importer.TargetOf("OC_TEST", "https://ops.example/at"): "OC_TEST", "sandbox": "", "": "",
	} {
		if got := importer.ClientOf(target); got != want {
			t.Errorf("the client of %q is %q", target, got)
		}
	}
}
