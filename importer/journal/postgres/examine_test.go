package postgres

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"opscom-import/importer/journal/postgres/pgtest"
)

// told returns findings as lines, with what is wrong or worth a look.
func told(findings []Finding) string {
	var b strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&b, "%s: %s%s", f.What, f.Detail, f.Note)
		if f.Err != nil {
			fmt.Fprintf(&b, " FAIL %v", f.Err)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func wantTold(t *testing.T, what string, findings []Finding, words ...string) {
	t.Helper()
	text := told(findings)
	rest := text
	for _, word := range words {
		_, after, found := strings.Cut(rest, word)
		if !found {
			t.Errorf("%s: %q is not in this order in\n%s", what, word, text)
			return
		}
		rest = after
	}
}

func TestExamine(t *testing.T) {
	server := pgtest.Shared(t)
	url := migrated(t)
	wantTold(t, "a journal", Examine(t.Context(), url, Options{}),
		"database: ", "PostgreSQL 1", "on this machine\n",
		"sessions: it can be written to", "db clock: 0s apart", "connections: ", " in use",
		"schema: opscom version ", "river version ", "rights: this account may look at runs, plan runs, push them")

	empty := server.NewDatabase(t)
	wantTold(t, "no schema", Examine(t.Context(), empty, Options{}), "database: ", "schema:  FAIL ", "has no schema yet", "opscom-import migrate")

	none := strings.Replace(empty, "?", "_none?", 1)
	if !strings.Contains(empty, "?") {
		none = empty + "_none"
	}
	findings := Examine(t.Context(), none, Options{})
	wantTold(t, "no database", findings, "database:  FAIL ", "there is no such database")
	if len(findings) != 1 {
		t.Errorf("%d findings about no database", len(findings))
	}
	wantTold(t, "another machine", Examine(t.Context(), "postgres://u:s3cr3t@db.example.edu/x?sslmode=prefer", Options{}), "database:  FAIL ", "u@db.example.edu", "--insecure-journal")
}

func TestExamineRights(t *testing.T) {
	server := pgtest.Shared(t)
	url := migrated(t)
	j := opened(t, url)
	name := fmt.Sprintf("viewer_%d", j.pool.Config().ConnConfig.Port) + strings.ToLower(j.pool.Config().ConnConfig.Database)
	execute(t, j, `CREATE ROLE `+name+` LOGIN PASSWORD 's3cr3t'`)
	database := j.pool.Config().ConnConfig.Database
	t.Cleanup(func() { server.Exec(t, database, `DROP OWNED BY `+name+`; DROP ROLE `+name) })
	theirs := server.URLFor(name, "s3cr3t", database)
	wantTold(t, "no rights", Examine(t.Context(), theirs, Options{}), "schema:  FAIL ", "refuses this account a right", "roles.sql")
	execute(t, j, `GRANT USAGE ON SCHEMA opscom, river TO `+name+`; GRANT SELECT ON opscom.schema_version, river.river_migration TO `+name)
	wantTold(t, "no table", Examine(t.Context(), theirs, Options{}), "rights: ", "FAIL this account may not look at runs (no SELECT on opscom.run), plan runs (no INSERT on opscom.run), push them")
	execute(t, j, `GRANT SELECT ON ALL TABLES IN SCHEMA opscom TO `+name)
	findings := Examine(t.Context(), theirs, Options{})
	wantTold(t, "a viewer", findings, "rights: this account may look at runs, and not plan runs (no INSERT on opscom.run), push them (no UPDATE on opscom.run)\n")
	if strings.Contains(told(findings), "s3cr3t") {
		t.Errorf("the password is shown: %s", told(findings))
	}
}

// How the connection is encrypted, and whether the certificate is checked, is told.
func TestExamineTLS(t *testing.T) {
	server := pgtest.Start(t, pgtest.Options{TLS: true, Settings: map[string]string{"fsync": "on", "full_page_writes": "off"}})
	plain := server.NewDatabase(t)
	with := func(query url.Values) string {
		address, err := url.Parse(plain)
		if err != nil {
			t.Fatal(err)
		}
		address.RawQuery = query.Encode()
		return address.String()
	}
	root := server.CertificateFile()
	wantTold(t, "require", Examine(t.Context(), with(url.Values{"sslmode": {"require"}}), Options{}), "TLS 1.3; its certificate is not checked", "full_page_writes is off")
	wantTold(t, "verify-ca", Examine(t.Context(), with(url.Values{"sslmode": {"verify-ca"}, "sslrootcert": {root}}), Options{}), "TLS 1.3\n")
	wantTold(t, "verify-full", Examine(t.Context(), with(url.Values{"sslmode": {"verify-full"}, "sslrootcert": {root}}), Options{}), "TLS 1.3\n")
	wantTold(t, "an unknown authority", Examine(t.Context(), with(url.Values{"sslmode": {"verify-full"}}), Options{}), "FAIL ", "a certificate that this machine does not trust")
}
