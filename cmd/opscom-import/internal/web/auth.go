package web

import (
	"crypto/subtle"
	"net"
	"net/http"
	"slices"
	"sync"
)

// securityPolicy lets a page load nothing but this server's own files, and send forms
// nowhere else. No page has inline scripts or styles.
const securityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// authenticator decides who may talk to the server. Other people on this computer, and
// pages of other sites in the user's browser, must not.
type authenticator struct {
	hosts  []string // that a request may be meant for: others show DNS rebinding
	cookie string   // name of the cookie; browsers don't keep ports apart, names do
	secret string   // value of the cookie
	token  string   // in the address that is printed; gives the cookie

	mu   sync.Mutex
	once string // in the address that the browser is started with, which others can see in the list of processes: works once
}

func newAuthenticator(address net.Addr, token, once, secret string) *authenticator {
	_, port, _ := net.SplitHostPort(address.String()) // it is the address of a listener
	return &authenticator{
		hosts:  []string{address.String(), net.JoinHostPort("localhost", port)},
		cookie: "opscom-import-" + port,
		secret: secret, token: token, once: once,
	}
}

// protect lets only admitted browsers reach the handler. admitted answers a request that
// brought a token and was given the cookie.
func (a *authenticator) protect(next, admitted http.Handler) http.Handler {
	next = http.NewCrossOriginProtection().Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", securityPolicy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "same-origin")
		header.Set("Cache-Control", "no-store")
		switch {
		case !slices.Contains(a.hosts, r.Host):
			http.Error(w, "This address is not the page's. Use the one that opscom-import web printed.", http.StatusMisdirectedRequest)
		case r.Method == http.MethodGet && r.URL.Path == "/" && a.acceptsToken(r.URL.Query().Get("token")):
			http.SetCookie(w, &http.Cookie{Name: a.cookie, Value: a.secret, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
			admitted.ServeHTTP(w, r)
		case !a.hasCookie(r):
			http.Error(w, "The page does not know this browser. Open the whole address that opscom-import web printed.", http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
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
	if a.once == "" || !same(token, a.once) {
		return false
	}
	a.once = ""
	return true
}

// hasCookie reports whether the browser was given the cookie.
func (a *authenticator) hasCookie(r *http.Request) bool {
	cookie, err := r.Cookie(a.cookie)
	return err == nil && same(cookie.Value, a.secret)
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
