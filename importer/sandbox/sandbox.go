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

// Config says what the sandbox accepts and how it misbehaves.
type Config struct {
	Client       string             // client code in the path of requests
	Token        string             // token in the body of requests
	UserTypes    []mapping.UserType // nil: nine typical ones, from "1" Full Time Student to "9" Resident Student
	LoginSources []string           // accepted login sources, in any case; nil: any

	Faults Faults
	Seed   uint64  // the same seed, faults and profiles give the same faults again, whatever the order of requests
	Rate   float64 // requests a second; those above it get 429. 0: no limit, unless Faults has one

	// PeopleFile keeps people from one sandbox to the next, in a file of JSON
	// lines that only its owner may read. A person is written before the answer
	// is sent, and so survives the end of the process, but not a power cut. ""
	// keeps people in memory only.
	PeopleFile string

	KeepRequests   bool   // keep every request in memory, for Requests
	RequestLogFile string // file to which every request is appended, as a line of JSON; "" for none
}

// Sandbox is a mock Controller: serve it with an http.Server, or call Listen. It is
// safe for concurrent use.
type Sandbox struct {
	config   Config
	types    []byte // body of the answer to TypesCall
	people   *people
	log      *requestLog
	faults   *faultSource
	limiter  *rate.Limiter // nil: no limit
	requests sync.Pool     // of *request
	arrivals atomic.Int64
	first    func() time.Time // when the first request arrived

	close    func() error  // called once
	closed   chan struct{} // closed with the sandbox; ends every wait
	inFlight sync.RWMutex  // locked for reading while a request is answered
}

// New returns a sandbox with the people of config.PeopleFile, if any.
func New(config Config) (*Sandbox, error) {
	if config.Client == "" || config.Token == "" {
		return nil, errors.New("set up the sandbox: it needs a client code and a token")
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
	log, err := openRequestLog(config.KeepRequests, config.RequestLogFile)
	if err != nil {
		return nil, errors.Join(err, people.close())
	}
	s := &Sandbox{
		config:   config,
		types:    types,
		people:   people,
		log:      log,
		faults:   newFaultSource(config.Faults, config.Seed),
		requests: sync.Pool{New: func() any { return &request{parser: newParser(names)} }},
		closed:   make(chan struct{}),
	}
	s.first = sync.OnceValue(time.Now)
	s.close = sync.OnceValue(func() error {
		close(s.closed)
		s.inFlight.Lock()
		defer s.inFlight.Unlock()
		return errors.Join(s.people.close(), s.log.close())
	})
	if config.Rate > 0 || config.Faults.Rate != (MovingRate{}) {
		s.limiter = rate.NewLimiter(rate.Limit(config.Rate), max(1, int(config.Rate)))
	}
	return s, nil
}

// People returns the number of people, without the administrator.
func (s *Sandbox) People() int { return s.people.count() }

// Requests returns every request so far, in the order of arrival. It is empty unless
// Config.KeepRequests is set.
func (s *Sandbox) Requests() []Entry { return s.log.all() }

// Close ends all delays, waits for the requests in flight, and closes the files.
// Its error says whether people or requests could not be written.
func (s *Sandbox) Close() error { return s.close() }

// ServeHTTP answers one request. To cut the connection, which a fault may require, it
// panics with http.ErrAbortHandler, as an http.Server expects.
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.inFlight.RLock()
	defer s.inFlight.RUnlock()
	select {
	case <-s.closed:
		http.Error(w, "the sandbox is closed", http.StatusServiceUnavailable)
		return
	default:
	}
	number := s.arrivals.Add(1)
	first := s.first()
	entry := Entry{Sequence: s.log.before + number, Time: time.Now()}
	req := s.requests.Get().(*request)
	defer s.requests.Put(req)

	entry.Call, req.client = route(r.URL.Path)
	req.read(r)
	if entry.Call == PushCall {
		entry.Key = keyOf(&req.profile)
	}
	fault := s.drawFault(number, entry.Time.Sub(first), entry)
	answer := fault.answer
	behavior, _ := fault.kind.behavior()
	if behavior.processed {
		answer = s.process(entry, req)
	}
	entry.Fault, entry.Delivered = fault.kind, behavior.delivered
	if err := s.logRequest(&entry, req, answer); err != nil {
		answer = textAnswer(http.StatusInternalServerError, err.Error())
	}
	if !s.deliver(w, r, fault, answer) {
		s.log.undelivered(entry)
		panic(http.ErrAbortHandler)
	}
}

// process does what a Controller does with a request.
func (s *Sandbox) process(entry Entry, req *request) answer {
	switch {
	case entry.Call == "":
		return textAnswer(http.StatusNotFound, "404 page not found")
	case req.refused.status != 0:
		return req.refused
	case req.client != s.config.Client:
		return errorAnswer(http.StatusUnauthorized, 9000, "The client code is missing or not known.")
	case req.token == "":
		return errorAnswer(http.StatusUnauthorized, 9001, "The request has no API token.")
	case req.token != s.config.Token:
		return notPermitted()
	case entry.Call == TypesCall:
		return answer{status: http.StatusOK, contentType: jsonType, body: s.types}
	}
	if a := s.config.check(&req.profile); a.status != 0 {
		return a
	}
	return s.people.upsert(entry.Key, &req.profile)
}

// logRequest completes the entry and adds it to the request log, before the answer is
// sent: a client that has the answer finds it in the log.
func (s *Sandbox) logRequest(entry *Entry, req *request, a answer) error {
	if !s.log.enabled() {
		return nil
	}
	if entry.Call == PushCall {
		body, err := req.hash()
		if err != nil {
			return err
		}
		entry.Body = body
	}
	entry.Applied = a.referenceID != 0
	if entry.Fault != DropAfter {
		entry.Status = a.status
	}
	entry.ErrorCode, entry.ReferenceID = a.errorCode, a.referenceID
	return s.log.add(*entry)
}
