// Package notify tells people how runs ended that nobody watches.
//
// What goes in are the targets of the config file and the [Outcome] of each FILE. What
// comes out is a [Message] at each target that wants to hear of it: a mail, JSON at a
// webhook, a call of a healthcheck's address, or a program that is started. A run that
// ended well is no news, and nothing is sent.
//
//	outcome, last result of the source → event → message → targets
//
// A message has counts, paths of this machine and what to do next, and never a value of
// a row. That it cannot be delivered is logged, and changes nothing about the run.
package notify

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"opscom-import/cmd/opscom-import/internal/config"
)

// How long the targets of a command have together: the command ends that much later at
// most. Who interrupts it waits for less.
const (
	patience            = time.Minute
	patienceInterrupted = 15 * time.Second
	patienceStart       = 15 * time.Second
)

// Options are what a Notifier works with.
type Options struct {
	Settings config.Settings
	Version  string // of the program
	Log      *slog.Logger
	Roots    *x509.CertPool // nil for the system's certificate authorities
}

// Notifier tells the targets of the config file how the runs of one command end. All of
// its methods do nothing where there are no targets.
type Notifier struct {
	options Options
	memory  memory
	host    string
	pause   time.Duration  // before the second try
	timeout time.Duration  // for one try
	started sync.WaitGroup // of the healthchecks
}

// New returns a notifier. It sends nothing, and reads no secret.
func New(options Options) *Notifier {
	host, err := os.Hostname()
	if err != nil {
		host = "this machine"
	}
	return &Notifier{options: options, memory: memory{folder: options.Settings.State}, host: host, pause: firstPause, timeout: attemptTimeout}
}

func (n *Notifier) targets() []config.NotifyTarget { return n.options.Settings.Notify }

// Started tells the healthchecks that a run begins. It does not wait for them; Ended
// does.
func (n *Notifier) Started(ctx context.Context) {
	for _, target := range n.targets() {
		if target.Healthcheck == nil {
			continue
		}
		n.started.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, patienceStart)
			defer cancel()
			n.report(target, "start", n.attempt(ctx, func(ctx context.Context) error { return n.ping(ctx, target.Healthcheck, pathStart, "") }))
		})
	}
}

// End is how a command ended.
type End struct {
	Exit     int  // the command's exit code
	Silent   bool // another run does the work: healthchecks hear from that
	Outcomes []Outcome
}

// Ended tells each target what it wants to hear of the outcomes, and waits until they
// have been told, or could not be. It returns false if a target could not be told of a
// failure: told again, the others are not told twice. It has less time once fetchCtx is cancelled, which may
// be long ago, and gives up when workCtx is.
func (n *Notifier) Ended(fetchCtx, workCtx context.Context, end End) bool {
	n.started.Wait()
	if len(n.targets()) == 0 {
		return true
	}
	ctx, cancel := withPatience(fetchCtx, workCtx)
	defer cancel()
	now := time.Now()
	all := make([]news, len(end.Outcomes))
	for i, outcome := range end.Outcomes {
		earlier, err := n.memory.note(outcome, now)
		if _, settling := n.memory.note(Outcome{Sources: outcome.Settles}, now); err == nil {
			err = settling
		}
		if err != nil {
			n.options.Log.Error("the result is not remembered, so that a later success is not told as one", "error", err)
		}
		all[i] = news{outcome, earlier}
	}
	var told sync.WaitGroup
	var missed atomic.Bool
	for i, target := range n.targets() {
		told.Go(func() {
			if !n.tell(ctx, i, target, end, all, now) {
				missed.Store(true)
			}
		})
	}
	told.Wait()
	return !missed.Load()
}

// withPatience returns a context that ends when the targets' time is over.
func withPatience(fetchCtx, workCtx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(workCtx, patience)
	stop := context.AfterFunc(fetchCtx, func() { time.AfterFunc(patienceInterrupted, cancel) })
	return ctx, func() {
		stop()
		cancel()
	}
}

// tell tells one target, and reports whether it knows of each failure that it wants to
// hear of.
func (n *Notifier) tell(ctx context.Context, i int, target config.NotifyTarget, end End, all []news, now time.Time) (isTold bool) {
	if target.Healthcheck != nil {
		n.tellHealthcheck(ctx, target, end, all, now)
		return true
	}
	isTold = true
	key := targetKey(i, target)
	for _, news := range all {
		event := news.eventFor(target.On)
		if event == "" {
			continue
		}
		if news.isRepeated(key, event, now) {
			n.options.Log.Info("a target of notify knows it already", "target", target.Origin, "event", string(event))
			continue
		}
		message := n.message(event, news, now)
		err := n.attempt(ctx, n.sender(target, message))
		n.report(target, string(event), err)
		if err == nil || errors.As(err, new(*partlyError)) {
			if err := n.memory.told(news.Outcome, key, event, now); err != nil {
				n.options.Log.Warn("what was told is not remembered, so it may be told again", "error", err)
			}
		} else if isFailure(event) {
			isTold = false
		}
	}
	return isTold
}

// tellHealthcheck tells a healthcheck how the command ended: with its exit code, where it
// has not done its work. That rows are to be fixed is no failure of the job.
func (n *Notifier) tellHealthcheck(ctx context.Context, target config.NotifyTarget, end End, all []news, now time.Time) {
	if end.Silent {
		return
	}
	sign, path, text := "success", pathSuccess, ""
	for _, news := range all {
		if isFailure(news.Event) {
			sign, path = "failure", strconv.Itoa(end.Exit)
		}
		message := n.message(news.Event, news, now)
		text += message.Title + "\n" + message.Text + "\n"
	}
	n.report(target, sign, n.attempt(ctx, func(ctx context.Context) error { return n.ping(ctx, target.Healthcheck, path, text) }))
}

// sender returns a function that tries once to send a message to a target.
func (n *Notifier) sender(target config.NotifyTarget, message Message) func(context.Context) error {
	switch {
	case target.Mail != nil:
		return n.mailer(*target.Mail, message)
	case target.Webhook != nil:
		return func(ctx context.Context) error { return n.post(ctx, *target.Webhook, message) }
	case target.Healthcheck != nil:
		return func(ctx context.Context) error { return n.ping(ctx, target.Healthcheck, pathSuccess, message.Text) }
	default:
		return func(ctx context.Context) error { return n.command(ctx, target.Command, message) }
	}
}

// report logs whether a target was told.
func (n *Notifier) report(target config.NotifyTarget, event string, err error) {
	if err != nil {
		n.options.Log.Error("a target of notify could not be told", "target", target.Origin, "event", event, "error", err)
		return
	}
	n.options.Log.Info("a target of notify was told", "target", target.Origin, "event", event)
}

// TestResult is what became of a test message.
type TestResult struct {
	Target config.NotifyTarget
	Err    error // nil when the target took it
}

// Test sends a test message to each target, and returns what became of it in the order of
// the config file. A healthcheck gets the sign of a success.
func (n *Notifier) Test(ctx context.Context) []TestResult {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	results := make([]TestResult, len(n.targets()))
	message := n.testMessage(time.Now())
	var sent sync.WaitGroup
	for i, target := range n.targets() {
		sent.Go(func() {
			results[i] = TestResult{target, n.once(ctx, n.sender(target, message))}
		})
	}
	sent.Wait()
	return results
}

// targetKey is what a target is remembered by. Another order of the targets makes others
// of them, which only means that something may be told once more.
func targetKey(i int, target config.NotifyTarget) string {
	return fmt.Sprintf("%d %s", i+1, target.Kind())
}

// wants reports whether the event is among those that a target is told.
func wants(on []config.NotifyEvent, event config.NotifyEvent) bool { return slices.Contains(on, event) }
