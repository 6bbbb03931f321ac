package notify

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"io"
	"log"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"opscom-import/cmd/opscom-import/internal/config"
)

// authority is a certificate authority of the tests, and a certificate of this machine.
type authority struct {
	pool        *x509.CertPool
	certificate tls.Certificate
}

var theAuthority = sync.OnceValues(newAuthority)

func testAuthority(t *testing.T) authority {
	t.Helper()
	a, err := theAuthority()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func newAuthority() (authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return authority{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return authority{}, err
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return authority{}, err
	}
	a := authority{pool: x509.NewCertPool(), certificate: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}}
	a.pool.AddCert(parsed)
	return a, nil
}

// letter is a mail that a server has taken.
type letter struct {
	from  string
	to    []string
	text  string
	user  string
	inTLS bool
}

// mailServer is an SMTP server on this machine.
type mailServer struct {
	address string
	mu      sync.Mutex
	taken   []letter
	tries   int
	refuses []error // of the next mails
	hangsUp bool    // when it has taken a mail
	echoes  bool    // a refused login is answered with what was sent
}

// How a mailServer encrypts.
type encryption int

const (
	startTLS encryption = iota
	fromTheStart
	never
)

func newMailServer(t *testing.T, how encryption, refuses ...error) *mailServer {
	t.Helper()
	m := &mailServer{refuses: refuses}
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &mailSession{server: m, conn: c}, nil }))
	server.Domain, server.ErrorLog = "localhost", log.New(io.Discard, "", 0)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m.address = listener.Addr().String()
	encrypted := &tls.Config{Certificates: []tls.Certificate{testAuthority(t).certificate}}
	switch how {
	case startTLS:
		server.TLSConfig = encrypted
	case fromTheStart:
		listener = tls.NewListener(listener, encrypted)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(listener) // until it is closed
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-ended
	})
	return m
}

func (m *mailServer) letters() []letter {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.taken
}

type mailSession struct {
	server *mailServer
	conn   *smtp.Conn
	letter
}

func (s *mailSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *mailSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		s.user = user
		if password == secret {
			return nil
		}
		said := "no"
		if s.server.echoes {
			said = "no: " + base64.StdEncoding.EncodeToString([]byte("\x00"+user+"\x00"+password))
		}
		return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: said}
	}), nil
}

func (s *mailSession) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	return nil
}

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	if strings.HasPrefix(to, "gone@") {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "nobody of that name"}
	}
	s.to = append(s.to, to)
	return nil
}

func (s *mailSession) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.tries++
	if len(s.server.refuses) > 0 {
		err, s.server.refuses = s.server.refuses[0], s.server.refuses[1:]
		return err
	}
	s.text = string(text)
	_, s.inTLS = s.conn.TLSConnectionState()
	s.server.taken = append(s.server.taken, s.letter)
	return nil
}

func (s *mailSession) Reset() {
	if s.server.hangsUp && s.text != "" {
		_ = s.conn.Conn().Close() // Close would wait for itself
	}
	s.letter = letter{user: s.user}
}

func (s *mailSession) Logout() error { return nil }

func mailSection(m *mailServer, more string) string {
	return mailTo(m, "ops@example.edu", more)
}

func mailTo(m *mailServer, to, more string) string {
	return "  - mail: {to: [" + to + "], from: opscom@example.edu, server: '" + m.address + "'" + more + "}\n"
}

func TestMail(t *testing.T) {
	for name, tt := range map[string]struct {
		how   encryption
		more  string
		user  string
		inTLS bool
	}{
		"STARTTLS with a login": {startTLS, ", user: opscom, password_file: password", "opscom", true},
		"STARTTLS without one":  {startTLS, "", "", true},
		"TLS with a login":      {fromTheStart, ", tls: tls, user: opscom, password_file: password", "opscom", true},
		"plain":                 {never, ", tls: none", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMailServer(t, tt.how)
			tr := newTrial(t, mailSection(m, tt.more), map[string]string{"password": secret + "\n"})
			o := outcome(config.NotifyHeld, 6, 4)
			o.File = "/srv/Étudiants\r\nBcc: evil@example.edu.csv"
			tr.Ended(t.Context(), t.Context(), ended(o))
			tr.wantLog("was told", "event=held")
			got := m.letters()
			if len(got) != 1 {
				t.Fatalf("%d letters", len(got))
			}
			l := got[0]
			if l.from != "opscom@example.edu" || strings.Join(l.to, " ") != "ops@example.edu" || l.user != tt.user || l.inTLS != tt.inTLS {
				t.Errorf("%+v", l)
			}
			head, body, _ := strings.Cut(l.text, "\r\n\r\n")
			for _, want := range []string{"Auto-Submitted: auto-generated", "Message-ID: <", "Date: ", "From: <opscom@example.edu>"} {
				if !strings.Contains(head, want) {
					t.Errorf("the head lacks %q:\n%s", want, head)
				}
			}
			if strings.Contains(head, "\r\nBcc:") || !strings.Contains(body, "opscom-import approve 6") || strings.Contains(l.text, secret) {
				t.Errorf("%s", l.text)
			}
		})
	}
}

func TestMailFailures(t *testing.T) {
	later := &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "try later"}
	never550 := &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "not from you"}
	for name, tt := range map[string]struct {
		refuses []error
		tries   int
		letters int
		log     []string
	}{
		"later":      {[]error{later, later}, 3, 1, []string{"451", "was told"}},
		"not at all": {[]error{never550}, 1, 0, []string{"level=ERROR", "could not be told", "the mail server 127.0.0.1:", "not from you"}},
	} {
		m := newMailServer(t, startTLS, tt.refuses...)
		tr := newTrial(t, mailSection(m, ""), nil)
		tr.Ended(t.Context(), t.Context(), ended(outcome(config.NotifyHeld, 6, 4)))
		if m.tries != tt.tries || len(m.letters()) != tt.letters {
			t.Errorf("%s: %d tries, %d letters", name, m.tries, len(m.letters()))
		}
		tr.wantLog(tt.log...)
	}
}

// A recipient whom the server does not know keeps the mail from no other, and it is not
// sent to those again who have it, now or when the job tries again.
func TestOneOfSeveralRecipients(t *testing.T) {
	m := newMailServer(t, startTLS, &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "try later"})
	tr := newTrial(t, mailTo(m, "ops@example.edu, gone@example.edu, registrar@example.edu", ""), nil)
	for range 2 {
		tr.again().Ended(t.Context(), t.Context(), ended(outcome(config.NotifyHeld, 6, 4)))
	}
	var to []string
	for _, l := range m.letters() {
		to = append(to, l.to...)
	}
	if got := strings.Join(to, " "); got != "registrar@example.edu ops@example.edu" {
		t.Errorf("letters to %q", got)
	}
	tr.wantLog("level=ERROR", "could not be told", "nobody of that name", "gone@example.edu", "knows it already")
}

// A mail that was taken is not sent again because the server hangs up without a farewell.
func TestMailServerThatHangsUp(t *testing.T) {
	m := newMailServer(t, startTLS)
	m.hangsUp = true
	tr := newTrial(t, mailSection(m, ""), nil)
	tr.Ended(t.Context(), t.Context(), ended(outcome(config.NotifyHeld, 6, 4)))
	if len(m.letters()) != 1 {
		t.Errorf("%d letters", len(m.letters()))
	}
	tr.wantLog("was told")
}

// A password goes to nobody but the server that proves its name, and is in no error even
// if the server repeats it.
func TestMailLoginFailures(t *testing.T) {
	wrong := secret + "-wrong"
	m := newMailServer(t, startTLS)
	m.echoes = true
	login := ", user: opscom, password_file: password"
	tr := newTrial(t, mailSection(m, login), map[string]string{"password": wrong})
	tr.Ended(t.Context(), t.Context(), ended(outcome(config.NotifyHeld, 6, 4)))
	tr.wantLog("level=ERROR", "refused the login")
	if encoded := base64.StdEncoding.EncodeToString([]byte("\x00opscom\x00" + wrong)); strings.Contains(tr.log.String(), encoded) {
		t.Errorf("the log has the login: %s", tr.log)
	}

	plain := newMailServer(t, never)
	tr = newTrial(t, mailSection(plain, login), map[string]string{"password": secret})
	tr.Ended(t.Context(), t.Context(), ended(outcome(config.NotifyHeld, 6, 4)))
	tr.wantLog("level=ERROR", "STARTTLS")
	if len(plain.letters()) > 0 {
		t.Error("a mail went to a server without STARTTLS")
	}

	tr = newTrial(t, mailSection(m, login), map[string]string{"password": secret})
	tr.options.Roots = x509.NewCertPool() // nobody is trusted
	tr.Ended(t.Context(), t.Context(), ended(outcome(config.NotifyHeld, 6, 4)))
	tr.wantLog("level=ERROR", "certificate")

	tr = newTrial(t, mailSection(m, login), nil)
	tr.Ended(t.Context(), t.Context(), ended(outcome(config.NotifyHeld, 6, 4)))
	tr.wantLog("level=ERROR", "the password file "+tr.path("password")+" cannot be read")
	if len(m.letters()) > 0 {
		t.Errorf("%+v", m.letters())
	}
}

// A server that accepts a connection and says nothing does not outlast the time of the
// targets.
func TestMailServerThatSaysNothing(t *testing.T) {
	for _, more := range []string{"", ", tls: tls"} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		tr := newTrial(t, mailSection(&mailServer{address: listener.Addr().String()}, more), nil)
		tr.timeout = time.Hour // the end of ctx comes first
		ctx, cancel := context.WithCancel(t.Context())
		accepted := make(chan struct{})
		go func() {
			defer close(accepted)
			conn, err := listener.Accept()
			cancel()
			if err == nil {
				_, _ = io.Copy(io.Discard, conn) // until the other side closes it
				_ = conn.Close()
			}
		}()
		tr.Ended(t.Context(), ctx, ended(outcome(config.NotifyHeld, 6, 4)))
		<-accepted
		tr.wantLog("level=ERROR", "the mail server 127.0.0.1:", "does not answer in time")
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
	}
}
