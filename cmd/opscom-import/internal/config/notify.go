package config

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"opscom-import/mapping"
)

// notifyKey is the config file's section of the targets that are told how runs end.
const notifyKey = "notify"

// NotifyEvent is what a target may be told. Its text is a word of the config file, and
// of the messages.
type NotifyEvent string

// The events.
const (
	NotifyHeld        NotifyEvent = "held"         // a safety limit holds the run
	NotifyFailed      NotifyEvent = "failed"       // nothing was sent: settings, mapping, a file that cannot be read
	NotifyNotComplete NotifyEvent = "not_complete" // the run was stopped, interrupted or refused
	NotifyRowsToFix   NotifyEvent = "rows_to_fix"  // complete, and some rows need a person
	NotifyRecovered   NotifyEvent = "recovered"    // complete, the first after one of the above but the last
	NotifyNoFile      NotifyEvent = "no_file"      // the export did not come
)

// NotifyEvents returns every event.
func NotifyEvents() []NotifyEvent {
	return []NotifyEvent{NotifyHeld, NotifyFailed, NotifyNotComplete, NotifyRowsToFix, NotifyRecovered, NotifyNoFile}
}

// NotifyTarget is one target of the section notify. Exactly one of its last four fields
// is set.
type NotifyTarget struct {
	Origin string        // where it was given: "opscom-import.yaml:14: mail"
	On     []NotifyEvent // what it is told; a healthcheck is told of every run

	Mail        *MailTarget
	Webhook     *WebhookTarget
	Healthcheck *HealthcheckTarget
	Command     []string // the program and its arguments
}

// SecretFile is the file that holds the target's secret, "" for none.
func (t NotifyTarget) SecretFile() string {
	switch {
	case t.Mail != nil:
		return t.Mail.PasswordFile
	case t.Webhook != nil:
		return t.Webhook.URLFile
	case t.Healthcheck != nil:
		return t.Healthcheck.URLFile
	default:
		return ""
	}
}

// CheckSecret returns what is wrong with the file that holds the target's secret. It holds
// nothing of it.
func (t NotifyTarget) CheckSecret() (err error) {
	what := "address"
	switch {
	case t.SecretFile() == "":
		return nil
	case t.Mail != nil:
		what = "password"
		_, err = t.Mail.Password()
	case t.Webhook != nil:
		_, err = t.Webhook.URL()
	default:
		_, err = t.Healthcheck.URL()
	}
	if err != nil {
		return err
	}
	info, err := os.Stat(t.SecretFile())
	if err != nil {
		return fileError(what, t.SecretFile(), err)
	}
	if isExposed(info) {
		return fmt.Errorf("others on this machine can read the %s file %s: run \"chmod 600 %s\"", what, t.SecretFile(), t.SecretFile())
	}
	return nil
}

// Kind is the target's key in the config file.
func (t NotifyTarget) Kind() string {
	switch {
	case t.Mail != nil:
		return "mail"
	case t.Webhook != nil:
		return "webhook"
	case t.Healthcheck != nil:
		return "healthcheck"
	default:
		return "command"
	}
}

// The ways in which mail reaches its server.
const (
	TLSStart = "starttls" // encrypted after a greeting, usually port 587
	TLSFirst = "tls"      // encrypted from the first byte, usually port 465
	TLSNone  = "none"     // not encrypted
)

// MailTarget is a mail, and the server that takes it.
type MailTarget struct {
	To           []string
	From         string
	Host, Port   string
	TLS          string // TLSStart, TLSFirst or TLSNone
	User         string // "" to send without a login
	PasswordFile string
}

// Password returns the password of the user.
func (m MailTarget) Password() (string, error) { return readSecret("password", m.PasswordFile) }

// The forms of a webhook's JSON.
const (
	StyleJSON  = "json"  // every fact as a member of its own
	StyleSlack = "slack" // the text, as Slack, Mattermost and others take it
	StyleTeams = "teams" // a card of Microsoft Teams
)

// WebhookTarget is an address that takes JSON. The address is a secret: anyone who knows
// it can post there.
type WebhookTarget struct {
	Style        string // StyleJSON, StyleSlack or StyleTeams
	URLFile      string
	InsecureHTTP bool // http: to another machine is allowed
}

// URL returns the address.
func (w WebhookTarget) URL() (*url.URL, error) { return urlFromFile(w.URLFile, w.InsecureHTTP) }

// HealthcheckTarget is the address of a service that expects a sign of every run, and
// raises the alarm when it does not come.
type HealthcheckTarget struct {
	address      string // "" where a file holds it
	URLFile      string
	InsecureHTTP bool
}

// URL returns the address.
func (h HealthcheckTarget) URL() (*url.URL, error) {
	if h.URLFile == "" {
		return parseNotifyURL(h.address, h.InsecureHTTP)
	}
	return urlFromFile(h.URLFile, h.InsecureHTTP)
}

func urlFromFile(path string, insecureHTTP bool) (*url.URL, error) {
	text, err := readSecret("address", path)
	if err != nil {
		return nil, err
	}
	address, err := parseNotifyURL(strings.TrimSpace(text), insecureHTTP)
	if err != nil {
		return nil, fmt.Errorf("the address file %s: %w", path, err)
	}
	return address, nil
}

// parseNotifyURL reads an address that is told something. No error holds any of it but
// its host.
func parseNotifyURL(text string, insecureHTTP bool) (*url.URL, error) {
	address, err := url.Parse(text)
	switch {
	case err != nil, address.Hostname() == "", address.Scheme != "https" && address.Scheme != "http", !isPort(address.Port()):
		return nil, errors.New("the address does not begin with https:// and a host")
	case address.User != nil:
		return nil, errors.New("the address holds a user name or password; remove it")
	case address.Scheme == "http" && !insecureHTTP && !isThisMachine(address.Hostname()):
		return nil, fmt.Errorf("http://%s would send the address where others can read it; use https://, or set insecure_http if you are sure", address.Host)
	}
	return address, nil
}

// isThisMachine reports whether the host is this machine.
func isThisMachine(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// readNotify reads the section notify.
func readNotify(file string, node *yaml.Node) ([]NotifyTarget, error) {
	s := &section{file: file}
	if node.Kind != yaml.SequenceNode {
		s.wrong(node, "%s is a list; begin each target with a dash, such as \"- webhook: {url_file: hook-url}\"", notifyKey)
		return nil, s.err()
	}
	var targets []NotifyTarget
	for _, item := range node.Content {
		targets = append(targets, s.notifyTarget(item))
	}
	return targets, s.err()
}

func (s *section) notifyTarget(node *yaml.Node) (t NotifyTarget) {
	kinds := []string{"mail", "webhook", "healthcheck", "command"}
	before := len(s.mistakes)
	given := s.entries(node, "a target of "+notifyKey, append(kinds, "on")...)
	kind := ""
	for _, name := range kinds {
		if _, ok := given[name]; !ok {
			continue
		}
		if kind != "" {
			s.wrong(given[name].name, "%s and %s are two targets; begin each with a dash", kind, name)
		}
		kind = name
	}
	if kind == "" {
		if len(s.mistakes) == before {
			s.wrong(node, "a target of %s names one of %s", notifyKey, listed(kinds))
		}
		return t
	}
	e := given[kind]
	t.Origin = fmt.Sprintf("%s:%d: %s", s.file, e.name.Line, kind)
	t.On = s.events(given["on"])
	switch kind {
	case "mail":
		t.Mail = s.mail(e)
	case "webhook":
		t.Webhook = s.webhook(e)
	case "healthcheck":
		t.Healthcheck = s.healthcheck(e)
		if on := given["on"]; on.name != nil {
			s.wrong(on.name, "a healthcheck hears of every run: remove on")
		}
	case "command":
		t.Command = s.command(e)
	}
	return t
}

// events returns what a target is told: everything, unless it chooses.
func (s *section) events(e entry) []NotifyEvent {
	if e.name == nil {
		return NotifyEvents()
	}
	var words []string
	for _, event := range NotifyEvents() {
		words = append(words, string(event))
	}
	var events []NotifyEvent
	for _, word := range s.texts(e) {
		switch near := mapping.Nearest(word, words); {
		case slices.Contains(words, word):
			events = append(events, NotifyEvent(word))
		case near != "":
			s.wrong(e.name, "there is no event %q; the nearest is %q", word, near)
		default:
			s.wrong(e.name, "there is no event %q; the events are %s", word, listed(words))
		}
	}
	return events
}

func (s *section) mail(e entry) *MailTarget {
	given := s.entries(e.value, "mail", "to", "from", "server", "tls", "user", "password_file", "insecure")
	m := &MailTarget{
		To: s.texts(given["to"]), From: s.text(given["from"]), TLS: s.word(given["tls"], TLSStart, TLSFirst, TLSNone),
		User: s.text(given["user"]), PasswordFile: s.path(given["password_file"]),
	}
	for _, key := range []string{"to", "from", "server"} {
		if given[key].name == nil {
			s.wrong(e.name, "mail needs %s", key)
		}
	}
	s.addresses(given["to"], m.To)
	if m.From != "" {
		s.addresses(given["from"], []string{m.From})
	}
	defaultPort := map[string]string{TLSStart: "587", TLSFirst: "465", TLSNone: "25"}
	if server := s.text(given["server"]); server != "" {
		var err error
		if m.Host, m.Port, err = net.SplitHostPort(server); err != nil {
			m.Host, m.Port = strings.Trim(server, "[]"), ""
		}
		if m.Port = cmp.Or(m.Port, defaultPort[m.TLS]); m.Host == "" || !isPort(m.Port) || strings.ContainsAny(m.Host, "/ @") {
			s.wrong(given["server"].name, "server is a host and a port, such as smtp.example.edu:587")
		}
	}
	if (m.User == "") != (m.PasswordFile == "") {
		s.wrong(e.name, "mail needs both user and password_file for a login, or neither")
	}
	switch insecure := s.yes(given["insecure"]); {
	case m.TLS != TLSNone:
	case m.User != "":
		s.wrong(e.name, "mail with a login needs tls: %s or %s: others could read the password", TLSStart, TLSFirst)
	case !insecure && m.Host != "" && !isThisMachine(m.Host):
		s.wrong(e.name, "mail would go to %s where others can read it; set tls: %s, or insecure: true if you are sure", m.Host, TLSStart)
	}
	return m
}

func (s *section) addresses(e entry, addresses []string) {
	for _, address := range addresses {
		if _, err := mail.ParseAddress(address); err != nil {
			s.wrong(e.name, "%s takes addresses such as name@example.edu", e.name.Value)
		}
	}
}

func (s *section) webhook(e entry) *WebhookTarget {
	given := s.entries(e.value, "webhook", "url_file", "style", "insecure_http", "url")
	if url := given["url"]; url.name != nil {
		s.wrong(url.name, "the address of a webhook is a secret, which does not belong in the config file: put it into a file of its own, and name that with url_file")
	} else if given["url_file"].name == nil {
		s.wrong(e.name, "webhook needs url_file, a file that holds its address")
	}
	return &WebhookTarget{
		Style: s.word(given["style"], StyleJSON, StyleSlack, StyleTeams), URLFile: s.path(given["url_file"]),
		InsecureHTTP: s.yes(given["insecure_http"]),
	}
}

func (s *section) healthcheck(e entry) *HealthcheckTarget {
	given := s.entries(e.value, "healthcheck", "url", "url_file", "insecure_http")
	h := &HealthcheckTarget{address: s.text(given["url"]), URLFile: s.path(given["url_file"]), InsecureHTTP: s.yes(given["insecure_http"])}
	switch _, err := parseNotifyURL(h.address, h.InsecureHTTP); {
	case (given["url"].name == nil) == (given["url_file"].name == nil):
		s.wrong(e.name, "healthcheck needs either url or url_file")
	case h.address != "" && err != nil:
		s.wrong(given["url"].name, "url: %w", err)
	}
	return h
}

// listed returns words as a sentence lists them.
func listed(words []string) string { return strings.Join(words, ", ") }
