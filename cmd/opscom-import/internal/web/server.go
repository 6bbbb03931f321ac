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
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"opscom-import/cmd/opscom-import/internal/app"
)

//go:embed templates static
var files embed.FS

// uploadsFolder is the folder of the uploaded files in the state folder.
const uploadsFolder = "web"

// Server serves the page.
type Server struct {
	env       app.Env
	folder    string // of the uploaded files
	real      realController
	pages     *template.Template
	address   address
	secret    string // by which an admitted browser is known
	token     string // in the address that is printed
	maxUpload int64  // bytes of one file
	lock      *flock.Flock
	tasks     chan *task
	quit      chan struct{} // takes one request to end the program

	mu      sync.Mutex // guards what follows
	current *task      // the last task; nil when there was none
	uploads map[int]*upload
	lastID  int
	endings map[int64]*outcome // of the runs of this launch
}

// ErrOpen says that another page works with the same folder.
var ErrOpen = errors.New("the page is open already; use that one, or close it first")

// New returns a server whose uploaded files are in the state folder, and removes those
// that a launch which died has left there. While another server uses that folder the
// error is ErrOpen. Call Close when done.
func New(env app.Env) (*Server, error) {
	s := &Server{
		env: env, folder: filepath.Join(env.Settings.State, uploadsFolder), real: findReal(env),
		secret: rand.Text(), token: rand.Text(), maxUpload: 512 << 20,
		tasks: make(chan *task, 1), quit: make(chan struct{}, 1),
		uploads: map[int]*upload{}, endings: map[int64]*outcome{},
	}
	var err error
	if s.pages, err = template.New("").Funcs(s.words()).ParseFS(files, "templates/*.html"); err != nil {
		return nil, fmt.Errorf("read the page's templates: %w", err)
	}
	if err := os.MkdirAll(s.folder, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of uploads: %w", err)
	}
	s.lock = flock.New(s.folder+".lock", flock.SetPermissions(0o600))
	switch got, err := s.lock.TryLock(); {
	case err != nil:
		return nil, fmt.Errorf("lock the folder of uploads: %w", err)
	case !got:
		return nil, ErrOpen
	}
	if err := errors.Join(s.emptyFolder(), os.RemoveAll(s.folder+openingSuffix)); err != nil {
		return nil, errors.Join(err, s.lock.Unlock())
	}
	return s, nil
}

// Close removes the uploaded files.
func (s *Server) Close() error {
	return errors.Join(s.emptyFolder(), os.RemoveAll(s.folder+openingSuffix), s.lock.Unlock())
}

func (s *Server) emptyFolder() error {
	entries, err := os.ReadDir(s.folder)
	if err != nil {
		return fmt.Errorf("remove the uploaded files: %w", err)
	}
	var errs []error
	for _, entry := range entries {
		if err := os.RemoveAll(filepath.Join(s.folder, entry.Name())); err != nil {
			errs = append(errs, fmt.Errorf("remove the uploaded files: %w", err))
		}
	}
	return errors.Join(errs...)
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
	mux.HandleFunc("GET /{$}", s.showStart)
	mux.HandleFunc("POST /files", s.takeFile)
	mux.HandleFunc("GET /files/{file}", s.withUpload(s.showFile))
	mux.HandleFunc("POST /files/{file}/check", s.withUpload(s.checkFile))
	mux.HandleFunc("GET /files/{file}/mapping", s.withUpload(s.sendMapping))
	mux.HandleFunc("POST /files/{file}/mapping", s.withUpload(s.takeMapping))
	mux.HandleFunc("POST /files/{file}/push", s.withUpload(s.pushFile))
	mux.HandleFunc("GET /progress", s.showProgress)
	mux.HandleFunc("GET /progress/events", s.streamProgress)
	mux.HandleFunc("POST /progress/stop", s.stop)
	mux.HandleFunc("GET /runs", s.showRuns)
	mux.HandleFunc("GET /runs/{run}", s.withRun(s.showRun))
	mux.HandleFunc("GET /runs/{run}/approve", s.withRun(s.showApproval))
	mux.HandleFunc("POST /runs/{run}/push", s.withRun(s.pushRun))
	mux.HandleFunc("GET /runs/{run}/results", s.withRun(s.sendResults))
	mux.HandleFunc("POST /close", s.closeProgram)
	mux.HandleFunc("GET /static/{name}", sendStatic)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { s.fail(w, http.StatusNotFound, "There is no such page.") })
	admitted := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.show(w, http.StatusOK, "admitted.html", "One moment", nil)
	})
	return s.newAuthenticator().protect(mux, admitted)
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
