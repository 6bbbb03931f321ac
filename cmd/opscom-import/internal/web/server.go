package web

import (
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/cmd/opscom-import/internal/draft"
	"opscom-import/cmd/opscom-import/internal/lang"
	"opscom-import/importer"
)

//go:embed templates static
var files embed.FS

// Server serves the page.
type Server struct {
	env       app.Env
	drafts    *draft.Store
	real      realController
	pages     map[lang.Lang]*template.Template
	folder    string // of the drafts
	address   address
	secret    string // by which an admitted browser is known
	token     string // in the address that is printed
	maxUpload int64  // bytes of one file
	lock      *flock.Flock
	tasks     chan *task
	quit      chan struct{} // takes one request to end the program

	userTypes userTypeCache

	closing sync.WaitGroup // checks that go on or are being closed

	mu        sync.Mutex // guards what follows
	current   *task      // the last task; nil when there was none
	verdicts  map[int]*verdict
	tables    map[int]columnTable // of the drafts, as they were read last
	previews  map[int]previewed
	passwords map[int]string    // of workbooks, by draft; never on the disk
	endings   map[int64]*ending // of the runs of this launch
}

// ErrOpen says that another page works with the same folder.
var ErrOpen = errors.New("the page is open already; use that one, or close it first")

// New returns a server whose drafts are in the state folder. While another server uses
// that folder the error is ErrOpen. Call Close when done.
func New(ctx context.Context, env app.Env) (*Server, error) {
	s := &Server{
		env: env, real: findReal(ctx, env), folder: draft.Folder(env.Settings.State),
		secret: rand.Text(), token: rand.Text(), maxUpload: 512 << 20,
		tasks: make(chan *task, 1), quit: make(chan struct{}, 1),
		verdicts: map[int]*verdict{}, tables: map[int]columnTable{}, previews: map[int]previewed{}, passwords: map[int]string{}, endings: map[int64]*ending{},
	}
	if err := s.parsePages(); err != nil {
		return nil, err
	}
	var err error
	if s.lock, err = lockFolder(s.folder); err != nil {
		return nil, err
	}
	s.drafts, err = draft.Open(env.Settings.State)
	if err = errors.Join(err, os.RemoveAll(s.folder+openingSuffix)); err != nil {
		return nil, errors.Join(err, s.lock.Unlock())
	}
	if err := s.findRuns(); err != nil { // the first page says it too
		s.env.Log.Warn("look for runs that were cut off", "error", err)
	}
	return s, nil
}

// findRuns tells the drafts of the runs that began with them and that no push has seen
// the end of: the program was killed meanwhile.
func (s *Server) findRuns() error {
	runs, err := s.runs(context.Background())
	if err != nil {
		return err
	}
	for _, d := range s.drafts.List() {
		i := slices.IndexFunc(runs, func(r importer.RunInfo) bool { return s.isOf(r, d) })
		if i < 0 || runs[i].ID == d.Run {
			continue
		}
		_, changeErr := s.drafts.Change(d.ID, func(d *draft.Draft) error {
			d.SetRun(runs[i].ID, len(d.Corrections))
			return nil
		})
		err = errors.Join(err, changeErr)
	}
	return err
}

// Close ends the checks in progress. The drafts stay.
func (s *Server) Close() error {
	return errors.Join(s.closeVerdicts(), os.RemoveAll(s.folder+openingSuffix), s.lock.Unlock())
}

// URL returns the address to print for the page, after Listen. It works as long as the
// server does.
func (s *Server) URL() string {
	return "http://" + s.address.Host + s.link("/?token=%s", s.token)
}

// OpeningFile returns a file that leads the browser which opens it to the page, once.
func (s *Server) OpeningFile() (path string, err error) {
	_, path, err = newOnce(s.folder+openingSuffix, s.address)
	return path, err
}

// Serve serves the page, and works on what it is asked to do, until fetchCtx is
// cancelled or someone closes the program from the page. Then it starts nothing new,
// waits for the answers in flight until workCtx is cancelled, and returns. The listener is
// that of Listen.
func (s *Server) Serve(fetchCtx, workCtx context.Context, listener net.Listener) error {
	fetchCtx, cancel := context.WithCancel(fetchCtx)
	defer cancel()
	server := &http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(s.env.Log.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	var running sync.WaitGroup
	running.Go(func() {
		served <- server.Serve(listener)
		cancel()
	})
	running.Go(func() {
		select {
		case <-s.quit:
			cancel()
		case <-fetchCtx.Done():
		}
	})
	s.work(fetchCtx, workCtx)
	const shutdownTimeout = 2 * time.Second // for pages in transit
	ctx, release := context.WithTimeout(workCtx, shutdownTimeout)
	defer release()
	if server.Shutdown(ctx) != nil {
		_ = server.Close() // what remains are browsers that listen for progress
	}
	running.Wait()
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the page: %w", err)
	}
	return nil
}

// handler returns the pages, guarded.
func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.showHome)
	mux.HandleFunc("POST /files", s.takeFile)
	mux.HandleFunc("GET /files/{file}", s.withDraft(s.showNextStep))
	mux.HandleFunc("GET /files/{file}/file", s.withDraft(s.showFile))
	mux.HandleFunc("POST /files/{file}/file", s.withDraft(s.answerFile))
	mux.HandleFunc("GET /files/{file}/columns", s.withDraft(s.showColumns))
	mux.HandleFunc("POST /files/{file}/columns", s.withDraft(s.answerColumns))
	mux.HandleFunc("GET /files/{file}/mapping", s.withDraft(s.sendMapping))
	mux.HandleFunc("POST /files/{file}/mapping", s.withDraft(s.takeMapping))
	mux.HandleFunc("GET /files/{file}/values", s.withDraft(s.showValues))
	mux.HandleFunc("POST /files/{file}/values", s.withDraft(s.answerValues))
	mux.HandleFunc("GET /files/{file}/rows", s.withDraft(s.showRows))
	mux.HandleFunc("POST /files/{file}/rows", s.withDraft(s.answerRows))
	mux.HandleFunc("GET /files/{file}/rows/fix", s.withDraft(s.sendFix))
	mux.HandleFunc("GET /files/{file}/rows/problems", s.withDraft(s.sendProblems))
	mux.HandleFunc("GET /files/{file}/review", s.withDraft(s.showReview))
	mux.HandleFunc("POST /files/{file}/review", s.withDraft(s.changeReview))
	mux.HandleFunc("GET /files/{file}/push", s.withDraft(s.showPush))
	mux.HandleFunc("POST /files/{file}/push", s.withDraft(s.pushFile))
	mux.HandleFunc("GET /progress", s.showProgress)
	mux.HandleFunc("POST /progress/stop", s.stop)
	mux.HandleFunc("GET /template.xlsx", s.sendTemplate)
	mux.HandleFunc("GET /runs", s.showRuns)
	mux.HandleFunc("GET /runs/{run}", s.withRun(s.showRun))
	mux.HandleFunc("GET /runs/{run}/standing", s.showStanding)
	mux.HandleFunc("POST /runs/{run}/stop", s.withRun(s.stopRun))
	mux.HandleFunc("POST /runs/{run}/push", s.withRun(s.pushRun))
	mux.HandleFunc("POST /language", s.chooseLanguage)
	mux.HandleFunc("GET /files/{file}/forget", s.withDraft(s.askForgetFile))
	mux.HandleFunc("POST /files/{file}/forget", s.withDraft(s.forgetFile))
	mux.HandleFunc("GET /runs/{run}/forget", s.withRun(s.withView(s.askForgetRun)))
	mux.HandleFunc("POST /runs/{run}/forget", s.withRun(s.withView(s.forgetRun)))
	mux.HandleFunc("GET /practice/clear", s.askClearPractice)
	mux.HandleFunc("POST /practice/clear", s.clearPractice)
	mux.HandleFunc("GET /close", s.askClose)
	mux.HandleFunc("GET /runs/{run}/results.csv", s.withRun(s.sendResults))
	mux.HandleFunc("GET /runs/{run}/results.xlsx", s.withRun(s.sendResultsWorkbook))
	mux.HandleFunc("GET /runs/{run}/summary.html", s.withRun(s.sendSummary))
	mux.HandleFunc("POST /close", s.closeProgram)
	mux.HandleFunc("GET /static/{name}", sendStatic)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, http.StatusNotFound, language(r).T("There is no such page."))
	})
	admitted := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.show(w, r, http.StatusOK, "admitted.html", page{Title: language(r).T("One moment")})
	})
	return s.newAuthenticator().protect(s.limit(mux), admitted)
}

// limit lets a handler read so much of a request at most: of a form with a file what
// maxUpload allows, and of another as much as a page of rows needs.
func (s *Server) limit(next http.Handler) http.Handler {
	const form, aroundFile = 8 << 20, 64 << 10
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		most := int64(form)
		if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
			most = s.maxUpload + aroundFile
		}
		r.Body = http.MaxBytesReader(w, r.Body, most)
		next.ServeHTTP(w, r)
	})
}

// sendStatic sends one of our scripts and styles, and nothing else of what is embedded.
func sendStatic(w http.ResponseWriter, r *http.Request) {
	static, err := fs.Sub(files, "static")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Cache-Control", "private, max-age=3600") // the last page needs them when the server is gone
	http.ServeFileFS(w, r, static, r.PathValue("name"))
}

// lockFolder locks the folder of the drafts for this process.
func lockFolder(folder string) (*flock.Flock, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of uploads: %w", err)
	}
	lock := flock.New(folder+".lock", flock.SetPermissions(0o600))
	switch got, err := lock.TryLock(); {
	case err != nil:
		return nil, fmt.Errorf("lock the folder of uploads: %w", err)
	case !got:
		return nil, ErrOpen
	}
	return lock, nil
}
