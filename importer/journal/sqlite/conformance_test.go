package sqlite

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"opscom-import/importer/journal"
	"opscom-import/importer/journal/internal/conformance"
)

func TestConformance(t *testing.T) { conformance.Test(t, newPlace) }

// folder is a folder with a journal.
type folder struct {
	conformance.TB
	dir string
	mu  sync.Mutex
	j   *Journal // the last that was opened
}

func newPlace(t conformance.TB) conformance.Place {
	p := &folder{TB: t}
	p.dir = p.newFolder()
	return p
}

func (p *folder) newFolder() string {
	p.Helper()
	dir, err := os.MkdirTemp("", "conformance-")
	if err != nil {
		p.Fatal(err)
	}
	p.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			p.Error(err)
		}
	})
	return dir
}

func (p *folder) Open() journal.Journal { return p.opened(Open(p.Context(), p.dir)) }

func (p *folder) OpenReadOnly() journal.Journal { return p.opened(openReadOnly(p.Context(), p.dir)) }

func (p *folder) opened(j *Journal, err error) journal.Journal {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.j = j
	closing := &closer{Journal: j}
	p.Cleanup(func() {
		if err := closing.Close(); err != nil {
			p.Error(err)
		}
	})
	return closing
}

// closer is a journal that may be closed twice.
type closer struct {
	*Journal
	once sync.Once
	err  error
}

func (c *closer) Close() error {
	c.once.Do(func() { c.err = c.Journal.Close() })
	return c.err
}

// Restore goes on in a copy that is restored.
func (p *folder) Restore() {
	p.Helper()
	path := filepath.Join(p.newFolder(), "backup.db")
	if _, err := p.j.Backup(p.Context(), path, testTime); err != nil {
		p.Fatal(err)
	}
	p.dir = p.newFolder()
	if _, err := Restore(p.Context(), path, p.dir); err != nil {
		p.Fatal(err)
	}
}

// Crash goes on in a copy of what is on the disk. Those who had the folder open do not
// notice, and their locks are on other files.
func (p *folder) Crash() {
	p.Helper()
	dir := p.newFolder()
	if err := copyDisk(p.dir, dir); err != nil {
		p.Fatal(err)
	}
	p.dir = dir
}

func (p *folder) Damage(record conformance.Record) {
	p.Helper()
	if record == conformance.PayloadRecord {
		if err := flip(string(p.j.payloadFile(1)), 10, 1); err != nil {
			p.Fatal(err)
		}
		return
	}
	where := map[conformance.Record]string{
		conformance.LostPlan:         "DELETE FROM chunk WHERE run = 1 AND chunk = 0",
		conformance.LostOutcome:      "DELETE FROM event WHERE run = 1 AND seq = 1",
		conformance.PlanRecord:       "chunk SET data = %s WHERE run = 1 AND chunk = 0",
		conformance.OutcomeRecord:    "event SET data = %s WHERE run = 1",
		conformance.AcceptanceRecord: "acceptance SET data = %s",
		conformance.RosterRecord:     "roster SET data = %s",
	}[record]
	query := where
	if !strings.HasPrefix(where, "DELETE") { // another last byte: of the checksum
		query = "UPDATE " + strings.Replace(where, "%s", "CAST(substr(data, 1, length(data) - 1) || x'5a' AS BLOB)", 1)
	}
	result, err := p.j.writer.Exec(query)
	if err != nil {
		p.Fatal(err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		p.Fatal("nothing was damaged", err)
	}
}

// copyDisk copies what a journal has on the disk into another folder: what processes that die
// leave behind.
func copyDisk(from, into string) error {
	for _, name := range []string{databaseName, databaseName + "-wal", payloadsName} {
		path := filepath.Join(from, name)
		info, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return err
		case info.IsDir():
			err = os.CopyFS(filepath.Join(into, name), os.DirFS(path))
		default:
			var content []byte
			if content, err = os.ReadFile(path); err == nil {
				err = os.WriteFile(filepath.Join(into, name), content, 0o600)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}
