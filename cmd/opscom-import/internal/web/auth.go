package web

import (
	"crypto/subtle"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// securityPolicy lets a page load nothing but this server's own files, and send forms
// nowhere else. No page has inline scripts or styles.
const securityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// formTokenName is the name of the form token, in the address that a form is posted to:
// there it can be read before a large body.
const formTokenName = "form"

// aliveRoute is where another start of the program asks whether the page answers.
const aliveRoute = "/alive/"

// authenticator decides who may talk to the server. Other people on this computer, and
// pages of other sites in the user's browser, must not.
//
// Every path begins with a prefix that only admitted browsers know, and the cookie is
// for that path: browsers don't keep ports apart, so that a program at another port
// would be sent a cookie for the whole host, and could replace it.
type authenticator struct {
	address
	hosts   []string // that a request may be meant for: others show DNS rebinding
	secret  string   // value of the cookie
	form    string   // form token
	token   string   // in the address that is printed; gives the cookie
	opening string   // folder of the files that open a browser: their addresses work once

	mu   sync.Mutex
	used map[string]bool // names of files whose addresses were used, in case one cannot be removed
}

// newAuthenticator returns the authenticator of a server that listens at its address.
func (s *Server) newAuthenticator() *authenticator {
	_, port, _ := net.SplitHostPort(s.address.Host) // it is the address of a listener
	return &authenticator{
		address: s.address,
		hosts:   []string{s.address.Host, net.JoinHostPort("localhost", port)},
		secret:  s.secret, form: s.formToken(), token: s.token, opening: s.folder + openingSuffix,
		used: map[string]bool{},
	}
}

// formToken is in every form of ours. It is made of the secret, so that it ends with it.
func (s *Server) formToken() string { return address{Key: s.secret}.prove("form") }

// protect lets only admitted browsers reach the handler, which sees paths without the
// prefix. admitted answers a request that brought a token and was given the cookie.
func (a *authenticator) protect(next, admitted http.Handler) http.Handler {
	next = http.NewCrossOriginProtection().Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", securityPolicy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "same-origin") // with no-referrer browsers hide from our own server where a form is from
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cache-Control", "no-store")
		if !slices.Contains(a.hosts, r.Host) {
			http.Error(w, language(r).T("This is not the address of the page. Open the program again: it opens the page."), http.StatusMisdirectedRequest)
			return
		}
		prefix, path, found := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		if !same(prefix, a.Prefix) {
			http.Error(w, language(r).T("There is no page at this address. Open the program again: it opens the page."), http.StatusNotFound)
			return
		}
		if !found { // its last character was lost
			http.Redirect(w, r, "/"+a.Prefix+"/", http.StatusSeeOther)
			return
		}
		challenge, isAlive := strings.CutPrefix("/"+path, aliveRoute)
		switch {
		case isAlive && r.Method == http.MethodGet:
			_, _ = io.WriteString(w, a.prove(challenge)) // who has gone needs no answer
		case r.Method == http.MethodGet && path == "" && a.acceptsToken(r.URL.Query().Get("token")):
			http.SetCookie(w, &http.Cookie{Name: a.Cookie, Value: a.secret, Path: "/" + a.Prefix + "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
			admitted.ServeHTTP(w, r)
		case !a.hasCookie(r):
			http.Error(w, language(r).T("The page does not know this browser. Open the program again: it opens the page."), http.StatusForbidden)
		case !a.hasOrigin(r):
			http.Error(w, language(r).T("It is not known from where this form was sent. Open the program again, and send it from its page."), http.StatusForbidden)
		default:
			http.StripPrefix("/"+a.Prefix, next).ServeHTTP(w, r)
		}
	})
}

// acceptsToken reports whether the token of an address is right.
func (a *authenticator) acceptsToken(token string) bool {
	if same(token, a.token) {
		return true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	name := onceName(token)
	path := filepath.Join(a.opening, name)
	if _, err := os.Stat(path); err != nil || a.used[name] {
		return false
	}
	a.used[name] = true
	_ = os.Remove(path) // the browser may not have closed it yet; Close removes what is left
	return true
}

// hasCookie reports whether the browser was given the cookie. It may have others of the
// same name.
func (a *authenticator) hasCookie(r *http.Request) bool {
	return slices.ContainsFunc(r.CookiesNamed(a.Cookie), func(c *http.Cookie) bool { return same(c.Value, a.secret) })
}

// hasOrigin reports whether a request that changes something says from where it comes,
// which CrossOriginProtection then judges, or else has the form token.
func (a *authenticator) hasOrigin(r *http.Request) bool {
	switch {
	case r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions:
		return true
	case r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != "":
		return true
	}
	return same(r.URL.Query().Get(formTokenName), a.form)
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
