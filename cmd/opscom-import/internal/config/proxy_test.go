package config

import (
	"strings"
	"testing"
)

func TestFindProxy(t *testing.T) {
	const (
		controllerURL = "https://controller.example"
		code          = "must be written as its code"
		host          = "does not end in a host and a port"
		scheme        = "must begin with http://"
	)
	for _, tt := range []struct {
		name      string
		variables []string
		target    string
		want      string // the proxy's URL, "" for none
		mistake   string // in the error
	}{
		{"none", nil, controllerURL, "", ""},
		{"of the other scheme", []string{"HTTP_PROXY=proxy:1"}, controllerURL, "", ""},
		{"without a scheme", []string{"HTTPS_PROXY=proxy:3128"}, controllerURL, "http://proxy:3128", ""},
		{"scheme in capitals", []string{"HTTPS_PROXY=HTTP://proxy:3128"}, controllerURL, "http://proxy:3128", ""},
		{"spaces around it", []string{"HTTPS_PROXY= http://proxy:3128\n"}, controllerURL, "http://proxy:3128", ""},
		{"slash after it", []string{"HTTPS_PROXY=http://proxy:3128/"}, controllerURL, "http://proxy:3128", ""},
		{"IPv6", []string{"HTTPS_PROXY=http://[2001:db8::1]:3128"}, controllerURL, "http://[2001:db8::1]:3128", ""},
		{"socks5", []string{"HTTPS_PROXY=socks5://proxy:1080"}, controllerURL, "socks5://proxy:1080", ""},
		{"lower case first", []string{"HTTPS_PROXY=a:1", "https_proxy=b:2"}, controllerURL, "http://b:2", ""},
		{"empty one", []string{"HTTPS_PROXY=a:1", "https_proxy="}, controllerURL, "http://a:1", ""},
		{"for http", []string{"http_proxy=a:1", "HTTPS_PROXY=b:2"}, "http://controller.example", "http://a:1", ""},
		{"host in NO_PROXY", []string{"HTTPS_PROXY=u:%@a:1", "NO_PROXY=x.example, controller.example"}, controllerURL, "", ""},
		{"star in no_proxy", []string{"HTTPS_PROXY=a:1", "no_proxy=*"}, controllerURL, "", ""},
		{"this machine", []string{"HTTP_PROXY=u:%@a:1"}, "http://127.0.0.1:8480", "", ""},

		{"encoded", []string{"HTTPS_PROXY=http://u:p%25%23%2F%40s@a:1"}, controllerURL, "http://u:p%25%23%2F%40s@a:1", ""},
		{"bare @", []string{"HTTPS_PROXY=http://u:p@s@a:1"}, controllerURL, "http://u:p%40s@a:1", ""},
		{"bare percent sign", []string{"HTTPS_PROXY=http://u:p%ss@a:1"}, controllerURL, "", code},
		{"percent sign at the end", []string{"HTTPS_PROXY=http://u:p%@a:1"}, controllerURL, "", code},
		{"bare number sign", []string{"HTTPS_PROXY=http://u:p#s@a:1"}, controllerURL, "", code},
		{"number sign after digits", []string{"HTTPS_PROXY=http://u:12#s@a:1"}, controllerURL, "", code},
		{"bare slash", []string{"HTTPS_PROXY=u:12/s@a:1"}, controllerURL, "", code},
		{"bare question mark", []string{"HTTPS_PROXY=u:12?s@a:1"}, controllerURL, "", code},
		{"domain of Windows", []string{`HTTPS_PROXY=http://CORP\u:pass@a:1`}, controllerURL, "", code},
		{"other characters", []string{"HTTPS_PROXY=http://u:p^s@a:1"}, controllerURL, "", code},

		{"quoted", []string{`HTTPS_PROXY="http://secret:1"`}, controllerURL, "", scheme},
		{"other scheme", []string{"HTTPS_PROXY=ftp://secret:1"}, controllerURL, "", scheme},
		{"no host", []string{"HTTPS_PROXY=http://"}, controllerURL, "", host},
		{"port alone", []string{"HTTPS_PROXY=:3128"}, controllerURL, "", host},
		{"port that is none", []string{"HTTPS_PROXY=secret:312800"}, controllerURL, "", host},
		{"port in letters", []string{"HTTPS_PROXY=http://a:secret"}, controllerURL, "", host},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := Settings{getenv: Environment{Variables: tt.variables, OS: "linux"}.Get}
			got, err := s.FindProxy(tt.target)
			url := ""
			if got.URL != nil {
				url = got.URL.String()
			}
			if url != tt.want {
				t.Errorf("the proxy is %q, want %q", url, tt.want)
			}
			switch {
			case tt.mistake == "" && err != nil:
				t.Errorf("error: %v", err)
			case tt.mistake == "":
			case err == nil || !strings.Contains(err.Error(), tt.mistake) || !strings.Contains(err.Error(), "HTTPS_PROXY: "):
				t.Errorf("error %v, want one with %q that names the variable", err, tt.mistake)
			case strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "ss@") || strings.Contains(err.Error(), "CORP"):
				t.Errorf("the error shows the value: %v", err)
			}
		})
	}
}

// Only Windows ignores the case of a variable's name.
func TestLookupMindsTheCase(t *testing.T) {
	for os, want := range map[string]string{"linux": "", "windows": "a:1"} {
		e := Environment{Variables: []string{"HTTPS_PROXY=a:1"}, OS: os}
		if got := e.Get("https_proxy"); got != want {
			t.Errorf("%s: https_proxy is %q, want %q", os, got, want)
		}
	}
}

// TestWhyNoProxy: a person sees which variable decides.
func TestWhyNoProxy(t *testing.T) {
	for _, test := range []struct {
		variables []string
		target    string
		want      string
	}{
		{nil, "https://controller.example", "HTTPS_PROXY is not set"},
		{[]string{"HTTPS_PROXY=a:1"}, "http://controller.example", "HTTP_PROXY is not set"},
		{[]string{"https_proxy=u:secret@a:1", "NO_PROXY=x.example, .example"}, "https://controller.example", `https_proxy is set, but NO_PROXY has ".example"`},
		{[]string{"HTTPS_PROXY=a:1", "no_proxy=*"}, "https://controller.example", `HTTPS_PROXY is set, but no_proxy has "*"`},
		{[]string{"HTTP_PROXY=a:1"}, "http://127.0.0.1:8480", "HTTP_PROXY is set, but this machine is reached without it"},
	} {
		s := Settings{getenv: Environment{Variables: test.variables, OS: "linux"}.Get}
		if got := s.WhyNoProxy(test.target); got != test.want {
			t.Errorf("%q to %s: %s, want %s", test.variables, test.target, got, test.want)
		}
	}
}
