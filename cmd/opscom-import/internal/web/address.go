package web

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"opscom-import/cmd/opscom-import/internal/draft"
)

// address is where the page is. It is kept in the state folder, so that the pages a
// browser has open, or in its history, are there again after the next start, and so
// that a second start finds the page of the first.
//
// The secret that a browser is known by is not in it: another user's program could take
// the port while ours is closed, and would be sent the old one.
type address struct {
	Host   string `json:"host"`   // and port
	Prefix string `json:"prefix"` // first part of every path; nobody else can know it
	Cookie string `json:"cookie"` // name of the cookie
	Key    string `json:"key"`    // by which another start knows that it is this page that answers; new in every start
}

// addressSuffix and openingSuffix are what the names of the address file, and of the
// folder of the files that open a browser, have more than the folder of uploads.
const (
	addressSuffix = ".address.json"
	openingSuffix = ".opening"
)

var randomText = regexp.MustCompile(`^[A-Z2-7]{26,64}$`) // as of rand.Text

// readAddress returns the address in the file; the zero one when there is none that can
// be used.
func readAddress(file string) address {
	var a address
	text, err := os.ReadFile(file)
	if err != nil || json.Unmarshal(text, &a) != nil || !a.isWhole() {
		return address{}
	}
	return a
}

func (a address) isWhole() bool {
	host, _, err := net.SplitHostPort(a.Host)
	ip := net.ParseIP(host)
	return err == nil && ip != nil && ip.IsLoopback() && randomText.MatchString(a.Prefix) && randomText.MatchString(a.Cookie) && randomText.MatchString(a.Key)
}

// write stores the address, whole or not at all.
func (a address) write(file string) error {
	text, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("keep the page's address: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+"-*") // only its owner can read it
	if err != nil {
		return fmt.Errorf("keep the page's address: %w", err)
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("keep the page's address: %w", err), os.Remove(f.Name()))
	}
	return nil
}

// Listen listens at a loopback address. With port 0 it takes the port of the last start,
// or another when that is taken; the paths are those of the last start too, unless
// the port is another.
func (s *Server) Listen(ctx context.Context, hostPort string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(hostPort)
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("--address: %q is not a loopback address with a port, and the page is for this computer only; give one such as 127.0.0.1:8490", hostPort)
	}
	file := s.folder + addressSuffix
	last := readAddress(file)
	lastHost, _, _ := net.SplitHostPort(last.Host)
	var listener net.Listener
	var config net.ListenConfig
	if port == "0" && lastHost == host {
		listener, err = config.Listen(ctx, "tcp", last.Host)
	}
	if listener == nil {
		listener, err = config.Listen(ctx, "tcp", hostPort)
	}
	if err != nil {
		return nil, fmt.Errorf("--address: %w", err)
	}
	s.address = address{Host: listener.Addr().String(), Prefix: last.Prefix, Cookie: last.Cookie, Key: rand.Text()}
	if s.address.Host != last.Host { // who has that port now may have been sent these
		s.address.Prefix, s.address.Cookie = rand.Text(), rand.Text()
	}
	if err := s.address.write(file); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return listener, nil
}

// link returns the address of a page, which other users of this computer cannot
// know, such as s.link("/files/%d", id).
func (s *Server) link(format string, args ...any) string {
	return "/" + s.address.Prefix + fmt.Sprintf(format, args...)
}

// redirect leads the browser to a page, by GET.
func (s *Server) redirect(w http.ResponseWriter, r *http.Request, format string, args ...any) {
	http.Redirect(w, r, s.link(format, args...), http.StatusSeeOther)
}

// action is the link that a form is posted to. It has the form token, by which a
// browser that does not say from where a form comes shows that it is from a page of
// ours.
func (s *Server) action(format string, args ...any) string {
	return s.link(format, args...) + "?" + formTokenName + "=" + s.formToken()
}

// Running is the page of a program that was started before.
type Running struct {
	address address
	folder  string // of uploads
}

// FindRunning returns the page that works with the state folder, if it answers.
func FindRunning(ctx context.Context, state string) (Running, bool) {
	folder := draft.Folder(state)
	r := Running{readAddress(folder + addressSuffix), folder}
	if r.address == (address{}) {
		return r, false
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	challenge := rand.Text()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.address.Host+"/"+r.address.Prefix+aliveRoute+challenge, http.NoBody)
	if err != nil {
		return r, false
	}
	transport := &http.Transport{DisableKeepAlives: true} // without a proxy: it is this computer
	response, err := transport.RoundTrip(request)
	if err != nil {
		return r, false
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 100))
	return r, err == nil && response.StatusCode == http.StatusOK && same(string(answer), r.address.prove(challenge))
}

// OnceURL returns an address that lets one browser in.
func (r Running) OnceURL() (string, error) {
	url, _, err := newOnce(r.folder+openingSuffix, r.address)
	return url, err
}

// OpeningFile returns a file that leads the browser which opens it to the page.
func (r Running) OpeningFile() (path string, err error) {
	_, path, err = newOnce(r.folder+openingSuffix, r.address)
	return path, err
}

// prove returns what only the page with this key can answer to the challenge.
func (a address) prove(challenge string) string {
	mac := hmac.New(sha256.New, []byte(a.Key))
	mac.Write([]byte(challenge))
	return hex.EncodeToString(mac.Sum(nil))
}

// newOnce returns an address that works once, and a file in the folder that leads a
// browser to it: a command line, which holds the name of the file, can be seen by
// other users, but not what is in the file. Its name does not give the address away, and
// as long as it is there, the address works.
func newOnce(folder string, a address) (url, path string, err error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", "", fmt.Errorf("make the file that opens the page: %w", err)
	}
	token := rand.Text()
	url = "http://" + a.Host + "/" + a.Prefix + "/?token=" + token
	path = filepath.Join(folder, onceName(token))
	const page = `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>opscom-import</title><meta http-equiv="refresh" content="0; url=%[1]s"></head>
<body><p><a href="%[1]s">opscom-import</a></p></body></html>
`
	if err := os.WriteFile(path, fmt.Appendf(nil, page, html.EscapeString(url)), 0o600); err != nil {
		return "", "", fmt.Errorf("make the file that opens the page: %w", err)
	}
	return url, path, nil
}

// onceName is the name of the file that leads to an address with that token.
func onceName(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:]) + ".html"
}
