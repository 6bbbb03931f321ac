package postgres

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"opscom-import/importer/journal/postgres/keyring"
)

// The key with which a journal was begun can be dropped after the journal was opened once with
// another one as the first, by an account that may write.
func TestFirstKeyCanBeDropped(t *testing.T) {
	const one, two = "k1 ", "k2 "
	ring := func(keys ...string) *keyring.Ring {
		lines := make([]string, len(keys))
		for i, name := range keys {
			lines[i] = name + strings.Repeat(name[1:2]+"f", 32)
		}
		r, err := keyring.Parse(strings.Join(lines, ","))
		must(t, err)
		return r
	}
	url := migrated(t)
	open := func(url string, keys ...string) (*Journal, error) {
		j, err := Open(t.Context(), url, Options{Keys: ring(keys...)})
		if err == nil {
			t.Cleanup(func() { j.Close() })
		}
		return j, err
	}
	first, err := open(url, one)
	must(t, err)
	first.KeepKeys(true)
	for _, source := range []string{someSource, "/data/staff.csv"} {
		_, err = first.Forget(t.Context(), finished(t, first, source, somePeople(2, 40)).id)
		must(t, err)
	}
	execute(t, first, `UPDATE opscom.roster SET data = '\x01' WHERE series = '/data/staff.csv'`) // damage does not keep anybody from opening

	isUnknown := func(keys ...string) {
		t.Helper()
		if _, err := open(url, keys...); !IsOfDatabase(err) || IsAway(err) || !strings.Contains(err.Error(), "which the key ring does not have") {
			t.Errorf("opened with %q: %v", keys, err)
		}
	}
	for _, roles := range []string{"opscom_viewer", "opscom_worker"} { // they may not
		_, err = open(urlAs(t, first, roles), two, one)
		must(t, err)
	}
	_, err = open(url, one, two) // the first key is still the old one
	must(t, err)
	isUnknown(two)

	_, err = open(urlAs(t, first, "opscom_planner"), two, one)
	must(t, err)
	execute(t, first, `DELETE FROM opscom.roster WHERE series = '/data/staff.csv'`)
	isUnknown(one)
	last, err := open(url, two)
	must(t, err)
	if !bytes.Equal(last.Salt(), first.Salt()) {
		t.Error("the digests are others")
	}
	diff(t, "who was in the last run", missing(t, last, lastComplete(t, last), somePeople(2, 39)), []string{"id-40"})
	if err := first.Check(t.Context()); !errors.As(err, new(*keyring.UnknownKeyError)) {
		t.Errorf("a process without the new key: %v", err)
	}
}
