package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestNotifyTargets(t *testing.T) {
	p := newPlace(t)
	path := p.config(`client: OC_TOMA
notify:
  - mail: {to: [ops@example.edu, Registrar <registrar@example.edu>], from: opscom@example.edu, server: smtp.example.edu, user: opscom, password_file: smtp-password}
  - webhook: {url_file: /run/hook, style: teams}
    on: [held, failed]
  - healthcheck: {url: https://hc.example/7c1}
  - healthcheck: {url_file: check}
  - command: [/usr/local/bin/tell, --loud]
    on: no_file
  - command: /usr/local/bin/tell
  - mail: {to: a@example.edu, from: b@example.edu, server: "[::1]:2525", tls: none}
  - mail: {to: a@example.edu, from: b@example.edu, server: relay.example.edu, tls: none, insecure: true}
  - mail: {to: a@example.edu, from: b@example.edu, server: smtp.example.edu, tls: tls}
workers: 3
`)
	here := filepath.Dir(path)
	want := []NotifyTarget{
		{Mail: &MailTarget{
			To: []string{"ops@example.edu", "Registrar <registrar@example.edu>"}, From: "opscom@example.edu",
			Host: "smtp.example.edu", Port: "587", TLS: TLSStart, User: "opscom", PasswordFile: filepath.Join(here, "smtp-password"),
		}},
		{Webhook: &WebhookTarget{Style: StyleTeams, URLFile: "/run/hook"}, On: []NotifyEvent{NotifyHeld, NotifyFailed}},
		{Healthcheck: &HealthcheckTarget{address: "https://hc.example/7c1"}},
		{Healthcheck: &HealthcheckTarget{URLFile: filepath.Join(here, "check")}},
		{Command: []string{"/usr/local/bin/tell", "--loud"}, On: []NotifyEvent{NotifyNoFile}},
		{Command: []string{"/usr/local/bin/tell"}},
		{Mail: &MailTarget{To: []string{"a@example.edu"}, From: "b@example.edu", Host: "::1", Port: "2525", TLS: TLSNone}},
		{Mail: &MailTarget{To: []string{"a@example.edu"}, From: "b@example.edu", Host: "relay.example.edu", Port: "25", TLS: TLSNone}},
		{Mail: &MailTarget{To: []string{"a@example.edu"}, From: "b@example.edu", Host: "smtp.example.edu", Port: "465", TLS: TLSFirst}},
	}
	for i, line := range []string{"3: mail", "4: webhook", "6: healthcheck", "7: healthcheck", "8: command", "10: command", "11: mail", "12: mail", "13: mail"} {
		want[i].Origin = path + ":" + line
		if want[i].On == nil {
			want[i].On = NotifyEvents()
		}
	}
	s := p.mustLoad()
	if diff := cmp.Diff(want, s.Notify, cmp.AllowUnexported(HealthcheckTarget{}), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if s.Workers != 3 || s.Client != "OC_TOMA" {
		t.Errorf("the settings around the section: %+v", s)
	}
}

func TestNotifyMistakes(t *testing.T) {
	const secret = "s3cr3t"
	const aMail = "to: a@example.edu, from: b@example.edu, server: smtp.example.edu"
	for text, words := range map[string][]string{
		"notfy: []\n":                        {`:1: there is no setting "notfy"; the nearest is "notify"`},
		"notify:\n":                          {":1: notify has no value"},
		"notify: " + secret:                  {":1: notify is a list; begin each target with a dash"},
		"notify: {webhook: {url_file: x}}\n": {":1: notify is a list"},
		"notify:\n  - command: [x]\nnotify:\n  - command: [x]\n":                                     {":3: notify is already set in line 1"},
		"notify:\n  - " + secret + "\n":                                                              {":2: a target of notify takes keys with values"},
		"notify:\n  - webhok: {url_file: x}\n":                                                       {`:2: a target of notify has no key "webhok"; the nearest is "webhook"`},
		"notify:\n  - sms: {}\n":                                                                     {`:2: a target of notify has no key "sms"; its keys are mail, webhook, healthcheck, command, on`},
		"notify:\n  - on: [held]\n":                                                                  {":2: a target of notify names one of mail, webhook, healthcheck, command"},
		"notify:\n  - command: [x]\n    mail: {" + aMail + "}\n":                                     {":2: mail and command are two targets"},
		"notify:\n  - command: [x]\n    on: [held, faild]\n":                                         {`:3: there is no event "faild"; the nearest is "failed"`},
		"notify:\n  - command: [x]\n    on: [zebra]\n":                                               {`:3: there is no event "zebra"; the events are held, failed, not_complete,`},
		"notify:\n  - command: [x]\n    on: []\n":                                                    {":3: on has no value"},
		"notify:\n  - command: [x]\n    on: {held: true}\n":                                          {":3: on takes a list"},
		"notify:\n  - command: []\n":                                                                 {":2: command has no value"},
		"notify:\n  - command: ['']\n":                                                               {":2: command begins with the path of a program"},
		"notify:\n  - command: [[x]]\n":                                                              {":2: command takes a list of values"},
		"notify:\n  - command: [x]\n    command: [x]\n":                                              {":3: command is already given in line 2"},
		"notify:\n  - webhook: {}\n":                                                                 {":2: webhook needs url_file"},
		"notify:\n  - webhook: {url: 'https://hook.example/" + secret + "'}\n":                       {":2: the address of a webhook is a secret", "url_file"},
		"notify:\n  - webhook:\n      url_file: x\n      sytle: slack\n":                             {`:4: webhook has no key "sytle"; the nearest is "style"`},
		"notify:\n  - webhook: {url_file: x, style: discord}\n":                                      {":2: style is not one of json, slack, teams"},
		"notify:\n  - webhook: {url_file: [x]}\n":                                                    {":2: url_file takes one value"},
		"notify:\n  - webhook: {url_file: }\n":                                                       {":2: url_file has no value"},
		"notify:\n  - webhook: {url_file: x, insecure_http: maybe}\n":                                {":2: insecure_http is neither true nor false"},
		"notify:\n  - webhook: {url_file: x, token: " + secret + "}\n":                               {":2: a secret does not belong in the config file"},
		"notify:\n  - healthcheck: {}\n":                                                             {":2: healthcheck needs either url or url_file"},
		"notify:\n  - healthcheck: {url: 'https://h', url_file: x}\n":                                {":2: healthcheck needs either url or url_file"},
		"notify:\n  - healthcheck: {url: 'http://hc.example/" + secret + "'}":                        {":2: url: http://hc.example would send the address where others can read it", "insecure_http"},
		"notify:\n  - healthcheck: {url: 'ftp://hc.example/" + secret + "'}":                         {":2: url: the address does not begin with https://"},
		"notify:\n  - healthcheck: {url: 'https://" + secret + ":x@hc'}":                             {":2: url: the address holds a user name or password"},
		"notify:\n  - healthcheck: {url: 'https://h'}\n    on: [held]\n":                             {":3: a healthcheck hears of every run: remove on"},
		"notify:\n  - mail: {to: a@example.edu}\n":                                                   {":2: mail needs from", ":2: mail needs server"},
		"notify:\n  - mail: {" + aMail + ", to: b@example.edu}\n":                                    {":2: to is already given"},
		"notify:\n  - mail: {from: " + secret + ", to: [a b], server: x}\n":                          {":2: to takes addresses such as", ":2: from takes addresses such as"},
		"notify:\n  - mail: {from: a@b.example, to: a@b.example, server: 'x:y'}":                     {":2: server is a host and a port"},
		"notify:\n  - mail: {" + aMail + ", password: " + secret + "}\n":                             {":2: a secret does not belong in the config file", "password_file"},
		"notify:\n  - mail: {" + aMail + ", user: x}\n":                                              {":2: mail needs both user and password_file"},
		"notify:\n  - mail: {" + aMail + ", password_file: x}\n":                                     {":2: mail needs both user and password_file"},
		"notify:\n  - mail: {" + aMail + ", tls: plain}\n":                                           {":2: tls is not one of starttls, tls, none"},
		"notify:\n  - mail: {" + aMail + ", tls: none}\n":                                            {":2: mail would go to smtp.example.edu where others can read it", "insecure: true"},
		"notify:\n  - mail: {" + aMail + ", tls: none, insecure: true, user: x, password_file: x}\n": {":2: mail with a login needs tls"},
		"notify:\n  - sms: {}\n  - fax: {}\nworkrs: 3\n":                                             {":2: ", ":3: ", ":4: "}, // every mistake at once
	} {
		p := newPlace(t)
		p.config(text)
		p.wantError(nil, words...)
		if _, err := p.load(); err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("the error tells the secret: %v", err)
		}
	}
	p := newPlace(t)
	p.config("notify: []\n")
	if s := p.mustLoad(); len(s.Notify) > 0 {
		t.Errorf("an empty list: %+v", s.Notify)
	}
}

func TestAddressFiles(t *testing.T) {
	folder := t.TempDir()
	for name, tt := range map[string]struct {
		content string
		allowed bool // http: to another machine
		want    string
		mistake string
	}{
		"a line":            {content: "https://hook.example/s3cr3t?x=1 \r\n", want: "https://hook.example/s3cr3t?x=1"},
		"this machine":      {content: "http://127.0.0.1:9000/s3cr3t", want: "http://127.0.0.1:9000/s3cr3t"},
		"in the open":       {content: "http://hook.example/s3cr3t", mistake: "http://hook.example would send the address"},
		"said to be right":  {content: "http://hook.example/s3cr3t", allowed: true, want: "http://hook.example/s3cr3t"},
		"nothing":           {mistake: "does not hold one address on one line"},
		"two":               {content: "https://a/s3cr3t\nhttps://b/s3cr3t\n", mistake: "does not hold one address"},
		"another thing":     {content: "s3cr3t", mistake: "does not begin with https://"},
		"not a port":        {content: "https://h:s3cr3t/", mistake: "does not begin with https://"},
		"control character": {content: "https://h/s3cr3t\x01", mistake: "does not begin with https://"},
	} {
		path := filepath.Join(folder, "hook")
		if err := os.WriteFile(path, []byte(tt.content), 0o600); err != nil {
			t.Fatal(err)
		}
		address, err := WebhookTarget{URLFile: path, InsecureHTTP: tt.allowed}.URL()
		if tt.mistake == "" {
			if err != nil || address.String() != tt.want {
				t.Errorf("%s: %v, error %v", name, address, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), tt.mistake) || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%s: error %v, want %q", name, err, tt.mistake)
		}
	}
	if _, err := (HealthcheckTarget{URLFile: filepath.Join(folder, "none")}).URL(); err == nil {
		t.Error("no error for a file that is not there")
	}
}

func TestCommandEnvironmentHasNoToken(t *testing.T) {
	s := newPlace(t, "OPSCOM_API_TOKEN=s3cr3t", "OPSCOM_CLIENT=OC").mustLoad()
	if got, want := s.CommandEnvironment(), []string{"HOME=/home/ada", "PATH=/bin", "OPSCOM_CLIENT=OC"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
