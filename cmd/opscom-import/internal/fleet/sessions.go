package fleet

import (
	"context"
	"errors"
	"sync"
	"time"

	"opscom-import/importer"
)

// Session is the way to a target's Controller. Lanes use it at the same time.
type Session struct {
	Controller  importer.Controller
	Workers     int // requests in flight of a lane at most
	MaxFailures int // as of importer.Pusher
	Close       func() error
}

// Connect makes the session of a target, as importer.TargetOf names it. It sends no profile.
type Connect func(ctx context.Context, target string) (*Session, error)

// keepSession is how long a session stays that no lane uses: the next turn of a lane may be soon,
// and its connections are open.
const keepSession = 5 * time.Minute

// sessions are those of this process, one a target.
type sessions struct {
	connect Connect
	mu      sync.Mutex
	open    map[string]*openSession
	said    map[string]string // by target: why there was no session
}

// openSession is a session, or one that is being made.
type openSession struct {
	made    chan struct{} // closed when it is made
	session *Session
	err     error
	users   int
	idle    time.Time // since when nobody uses it
}

func newSessions(connect Connect) *sessions {
	return &sessions{connect: connect, open: make(map[string]*openSession), said: make(map[string]string)}
}

// get returns the target's session; done gives it back.
func (s *sessions) get(ctx context.Context, target string) (session *Session, done func(), err error) {
	s.mu.Lock()
	o, known := s.open[target]
	if !known {
		o = &openSession{made: make(chan struct{})}
		s.open[target] = o
	}
	o.users++
	s.mu.Unlock()
	if !known {
		o.session, o.err = s.connect(ctx, target)
		close(o.made)
	}
	<-o.made
	if o.err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.open[target] == o { // the next one tries again
			delete(s.open, target)
		}
		return nil, nil, o.err
	}
	s.mu.Lock()
	delete(s.said, target)
	s.mu.Unlock()
	return o.session, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		o.users--
		o.idle = time.Now()
	}, nil
}

// isNews reports whether that there is no session of the target, or why, was not said before.
func (s *sessions) isNews(target string, err error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	isNews := s.said[target] != err.Error()
	s.said[target] = err.Error()
	return isNews
}

// closeIdle closes sessions that nobody has used for some time.
func (s *sessions) closeIdle(unused time.Duration) error {
	s.mu.Lock()
	var idle []*Session
	for target, o := range s.open {
		if o.users == 0 && time.Since(o.idle) >= unused {
			idle = append(idle, o.session)
			delete(s.open, target)
		}
	}
	s.mu.Unlock()
	var errs []error
	for _, session := range idle {
		errs = append(errs, session.Close())
	}
	return errors.Join(errs...)
}
