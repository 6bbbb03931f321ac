package sandbox

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"opscom-import/mapping"
)

// Config says what the sandbox takes and how it misbehaves.
type Config struct {
	Client       string             // client code that a request's path must carry
	Token        string             // token that a request's body must carry
	UserTypes    []mapping.UserType // nil: nine usual ones, from "1" Full Time Student to "9" Resident Student
	LoginSources []string           // those that are accepted, whatever their case; nil: any

	Faults Faults
	Seed   uint64  // the same seed, faults and profiles give the same faults again, in whatever order the requests come
	Rate   float64 // requests a second that are taken before 429 is answered; 0: no limit, unless Faults has one

	// PeopleFile keeps people from one sandbox to the next, in a file of JSON
	// lines that only its owner may read. A person is in the file before the
	// answer leaves, so that it outlives the process, though not a power cut.
	// "" keeps people in memory only.
	PeopleFile string

	KeepRequests   bool   // keep an account of every request in memory
	RequestLogFile string // append the account to this file, to be read with ReadAccount; "" for none
}

// Sandbox is a mock Controller: serve it with an http.Server, or call
// Listen. It is safe for use by several goroutines.
type Sandbox struct {
	config   Config
	rules    *rules
	types    []byte // the answer to a call for the user types
	people   *people
	log      *requestLog
	faults   *faultSource
	limiter  *rate.Limiter // nil: no limit
	requests sync.Pool     // of *request
	arrivals atomic.Int64
	first    func() time.Time // when the first request came

	closing  func()        // closes closed, once
	closed   chan struct{} // ends every wait
	inFlight sync.RWMutex  // held for reading while a request is answered
	isClosed bool
}

// New returns a sandbox with the people of config.PeopleFile, if any.
func New(config Config) (*Sandbox, error) {
	if config.Client == "" || config.Token == "" {
		return nil, errors.New("set up the sandbox: it needs a client code and a token to ask for")
	}
	if err := config.Faults.validate(); err != nil {
		return nil, fmt.Errorf("set up the sandbox: %w", err)
	}
	if config.UserTypes == nil {
		config.UserTypes = defaultUserTypes()
	}
	types, err := typesBody(config.UserTypes)
	if err != nil {
		return nil, fmt.Errorf("set up the sandbox: encode its user types: %w", err)
	}
	names := attributeNames()
	people, err := openPeople(config.PeopleFile, names, config.Faults.Require)
	if err != nil {
		return nil, err
	}
	account, err := openRequestLog(config.KeepRequests, config.RequestLogFile)
	if err != nil {
		return nil, errors.Join(err, people.close())
	}
	s := &Sandbox{
		config:   config,
		rules:    newRules(config.UserTypes, config.LoginSources),
		types:    types,
		people:   people,
		log:      account,
		faults:   newFaultSource(config.Faults, config.Seed),
		requests: sync.Pool{New: func() any { return &request{parser: newParser(names)} }},
		closed:   make(chan struct{}),
	}
	s.first = sync.OnceValue(time.Now)
	s.closing = sync.OnceFunc(func() { close(s.closed) })
	if config.Rate > 0 || config.Faults.Rate != (MovingRate{}) {
		s.limiter = rate.NewLimiter(rate.Limit(config.Rate), max(1, int(config.Rate)))
	}
	return s, nil
}

// People returns how many people the sandbox knows, the administrator aside.
func (s *Sandbox) People() int { return s.people.count() }

// Person returns what the sandbox holds of one person: the attributes, a cleared
// one as blank, and the reference id.
func (s *Sandbox) Person(key Key) (profile mapping.Profile, referenceID int, known bool) {
	return s.people.get(key)
}

// Account returns the account of every request so far, in the order in which
// they came. It is empty unless Config.Account is set.
func (s *Sandbox) Requests() []Entry { return s.log.all() }

// Close ends every wait, lets the requests in hand end, and closes the files.
// Its error reports whether people or the account could not be kept.
func (s *Sandbox) Close() error {
	s.closing()
	s.inFlight.Lock()
	defer s.inFlight.Unlock()
	if s.isClosed {
		return nil
	}
	s.isClosed = true
	return errors.Join(s.people.close(), s.log.close())
}

// ServeHTTP answers one request. It panics with http.ErrAbortHandler, which an
// http.Server takes as the order to cut the connection, where a fault asks for it.
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.inFlight.RLock()
	defer s.inFlight.RUnlock()
	if s.isClosed {
		http.Error(w, "the sandbox is closed", http.StatusServiceUnavailable)
		return
	}
	number := s.arrivals.Add(1)
	first := s.first()
	entry := Entry{Sequence: s.log.before + number, Time: time.Now()}
	req := s.requests.Get().(*request)
	defer s.requests.Put(req)

	entry.Call, req.client = route(r.URL.Path)
	req.read(r)
	if entry.Call == PushCall {
		entry.Key = req.key()
	}
	mishap := s.drawFault(number, entry.Time.Sub(first), entry)
	answer := mishap.answer
	if mishap.reachesController() {
		answer = s.process(entry, req)
	}
	if err := s.logRequest(&entry, req, mishap, answer); err != nil {
		answer = textAnswer(http.StatusInternalServerError, err.Error())
	}
	if !s.deliver(w, r, mishap, answer) {
		s.log.undelivered(entry)
		panic(http.ErrAbortHandler)
	}
}

// control does what a Controller does with a request.
func (s *Sandbox) process(entry Entry, req *request) answer {
	switch {
	case entry.Call == "":
		return textAnswer(http.StatusNotFound, "404 page not found")
	case req.err.code != 0:
		return errorAnswer(req.status, req.err)
	case req.client != s.config.Client:
		return errorAnswer(http.StatusUnauthorized, apiError{9000, "The client code is missing or not known."})
	case req.token == "":
		return errorAnswer(http.StatusUnauthorized, apiError{9001, "The request has no API token."})
	case req.token != s.config.Token:
		return errorAnswer(http.StatusUnauthorized, apiError{9002, "The API token may not make this call."})
	case entry.Call == TypesCall:
		return answer{status: http.StatusOK, contentType: jsonType, body: s.types}
	}
	if refused := s.rules.check(&req.profile); refused.code != 0 {
		return errorAnswer(http.StatusBadRequest, refused)
	}
	id, refused, err := s.people.upsert(entry.Key, &req.profile)
	switch {
	case err != nil:
		return textAnswer(http.StatusInternalServerError, err.Error())
	case refused.code != 0:
		return errorAnswer(http.StatusBadRequest, refused)
	}
	return successAnswer(id)
}

// enter completes the entry and puts it in the account, before its answer leaves:
// anyone who has seen an answer finds it in the account.
func (s *Sandbox) logRequest(entry *Entry, req *request, m injectedFault, a answer) error {
	if !s.log.wanted() {
		return nil
	}
	if entry.Call == PushCall {
		body, err := req.hash()
		if err != nil {
			return err
		}
		entry.Body = body
	}
	entry.Fault = m.kind
	entry.Applied = a.referenceID != 0
	entry.Delivered = m.answers()
	if m.kind != DropAfter {
		entry.Status = a.status
	}
	entry.ErrorCode, entry.ReferenceID = a.errorCode, a.referenceID
	return s.log.add(*entry)
}
