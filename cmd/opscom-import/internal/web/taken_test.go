package web

import (
	"net/http"
	"testing"
)

// The page warns, in the person's language, of an address that somebody else has, and sends
// the row all the same.
func TestTheRowsWarnOfAnAddressThatIsTaken(t *testing.T) {
	s := open(t)
	s.upload("students.csv", "unique_id,login_source,first_name,last_name,email\n1,SSO,Ann,Roy,ann@example.edu\n")
	s.wants(s.push(1), "Practice is done")
	s.upload("more.csv", "unique_id,login_source,first_name,last_name,email\n2,SSO,Bo,Roy,Ann@example.edu\n3,SSO,Cy,Roy,cy@example.edu\n")
	_, body := s.get("/files/2/rows?tab=warnings")
	s.wants(body, "OPS-COM has this e-mail address for someone else, as accepted on 20", "push their row first")
	r := s.request(http.MethodGet, "/files/2/rows?tab=warnings", nil)
	r.Header.Set("Accept-Language", "fr")
	_, body = s.do(r)
	s.wants(body, "OPS-COM a cette adresse de courriel pour une autre personne", "envoyez d’abord sa ligne")
	s.wants(s.push(2), "Practice is done", "The email address must be unique")
}
