package web

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"opscom-import/cmd/opscom-import/internal/lang"
)

// languageCookie keeps the language that a person has chosen on the page.
const languageCookie = "language"

// language returns the language of the person who asks: the one chosen on the page, or
// else the browser's.
func language(r *http.Request) lang.Lang {
	if cookie, err := r.Cookie(languageCookie); err == nil && isLanguage(cookie.Value) {
		return lang.Lang(cookie.Value)
	}
	return lang.Match(r.Header.Get("Accept-Language"))
}

func isLanguage(name string) bool { return slices.Contains(lang.Languages(), lang.Lang(name)) }

// Languages returns those that the page can be shown in.
func (page) Languages() []lang.Lang { return lang.Languages() }

// chooseLanguage keeps the choice, and leads back to where the person was.
func (s *Server) chooseLanguage(w http.ResponseWriter, r *http.Request) {
	choice := r.PostFormValue(languageCookie)
	if !isLanguage(choice) {
		s.fail(w, r, http.StatusUnprocessableEntity, language(r).T("There is no such page."))
		return
	}
	const year = 365 * 24 * time.Hour
	http.SetCookie(w, &http.Cookie{
		Name: languageCookie, Value: choice, Path: s.link("/"), MaxAge: int(year / time.Second),
		HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
	back := r.PostFormValue("back")
	if !strings.HasPrefix(back, "/") {
		back = "/"
	}
	s.redirect(w, r, "%s", back)
}

// here returns the address below the prefix to which a person comes back who chooses
// another language: that of the page, or the first page where it answers a form.
func here(r *http.Request) string {
	if r.Method != http.MethodGet || r.URL.Query().Has("token") {
		return "/"
	}
	return r.URL.RequestURI()
}
