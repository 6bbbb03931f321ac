package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// The page is in the browser's language until a person chooses another, and then in that
// one: on this page and on those of what fails.
func TestLanguage(t *testing.T) {
	s := open(t, "--sandbox")
	get := func(path, accept string) (status int, body string) {
		r := s.request("GET", path, nil)
		r.Header.Set("Accept-Language", accept)
		return s.do(r)
	}
	_, english := get("/", "de, en;q=0.5")
	s.wants(english, `<html lang="en">`, "Close the program")
	_, french := get("/runs?x=1", "fr-CA, en;q=0.5")
	s.wants(french, `<html lang="fr">`, "Fermer le programme", "<h1 id=\"title\" tabindex=\"-1\">Envois</h1>", `name="back" value="/runs?x=1"`)
	status, missing := get("/nothing", "fr")
	s.wants(missing, `<html lang="fr">`, "Cette page n’existe pas.")
	if status != http.StatusNotFound {
		t.Errorf("a page that does not exist has status %d", status)
	}

	var asked string
	s.client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		asked = strings.TrimPrefix(r.URL.String(), s.base)
		return nil
	}
	_, body := s.post("/language", url.Values{"language": {"fr"}, "back": {"/runs?x=1"}})
	s.wants(body, `<html lang="fr">`, "Envois")
	if asked != "/runs?x=1" {
		t.Errorf("the choice led to %s", asked)
	}
	_, body = get("/runs", "en")
	s.wants(body, `<html lang="fr">`)
	if _, body = s.post("/files/7/file", nil); !strings.Contains(body, "Ce fichier n’est plus ici.") {
		t.Errorf("what failed is not in French: %s", body)
	}
	_, body = s.post("/language", url.Values{"language": {"en"}, "back": {"https://example.org/"}})
	s.wants(body, `<html lang="en">`)
	if asked != "/" {
		t.Errorf("another site's address led to %s", asked)
	}
	if status, _ := s.post("/language", url.Values{"language": {"xx"}}); status != http.StatusUnprocessableEntity {
		t.Errorf("a language that the page does not have: status %d", status)
	}
}
