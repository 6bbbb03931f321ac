package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/dustin/go-humanize/english"

	"opscom-import/importer/controller"
	"opscom-import/importer/journal"
)

// Finding is what one of Doctor's checks found.
type Finding struct {
	What   string // what was checked
	Detail string // what was found
	Err    error  // what is wrong, and what to do; nil when nothing is
}

// Doctor checks everything that a push needs besides the file: the settings, the
// token, the state folder, the secrets of the targets of notify, the Controller and the
// clock.
func Doctor(ctx context.Context, env Env) (findings []Finding, err error) {
	findings = append(findings, env.examineSettings(), env.examineToken(), env.examineState(ctx))
	if len(env.Settings.Notify) > 0 {
		findings = append(findings, env.examineNotify())
	}
	conn, failed := connect(env)
	if failed != nil {
		if token := findings[1].Err; token != nil && token.Error() == failed.Error() {
			failed = errors.New("not asked, because there is no token")
		}
		clock := Finding{What: "clock", Err: errors.New("not compared, because the Controller was not asked")}
		if proxy, err := env.Settings.FindProxy(env.Settings.URL); err == nil {
			clock = env.examineClock(ctx, env.Settings.URL, proxy)
		}
		return append(findings, Finding{What: "Controller", Err: failed}, clock), nil
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	list, failed := conn.UserTypes(ctx)
	if errors.As(failed, new(*controller.ListDeniedError)) {
		failed = fmt.Errorf("%w. Only a push can tell which: it goes on without the list where user types are numbers, or none are given, and stops at its first row if the token is wrong", failed)
	}
	answers := Finding{"Controller", fmt.Sprintf("%s answers, and has %d user types", env.Host(), len(list)), failed}
	if proxy := conn.proxy.String(); proxy != "" {
		answers.Detail += ", through " + proxy
	}
	return append(findings, answers, env.examineClock(ctx, conn.url, conn.proxy)), nil
}

func (e Env) examineSettings() Finding {
	f := Finding{What: "settings", Detail: "no config file; flags and environment only"}
	if e.Settings.ConfigFile != "" {
		f.Detail = "from " + e.Settings.ConfigFile
	}
	if e.Settings.Client == "" && !e.Settings.Sandbox {
		f.Err = errors.New("no client code: give --client CODE, or set OPSCOM_CLIENT")
	}
	return f
}

func (e Env) examineToken() Finding {
	if e.Settings.Sandbox {
		return Finding{What: "token", Detail: "the sandbox has its own"}
	}
	found, err := e.Settings.FindToken()
	if err == nil && found.Warning != "" {
		err = errors.New(found.Warning)
	}
	return Finding{"token", "from " + found.From, err}
}

func (e Env) examineState(ctx context.Context) Finding {
	f := Finding{What: "state folder", Detail: e.Settings.State}
	if f.Err = os.MkdirAll(e.Settings.State, 0o700); f.Err == nil {
		j, err := journal.Open(ctx, e.Settings.State)
		if err == nil {
			err = errors.Join(j.Check(ctx), j.Close())
		}
		f.Err = err
	}
	if wrong := onNetwork(fileSystemOf(e.Settings.State)); wrong != "" {
		f.Detail += ": it " + wrong
	}
	return f
}

// examineNotify looks at the files with the secrets of the targets. It tells none of them
// anything.
func (e Env) examineNotify() Finding {
	targets := e.Settings.Notify
	f := Finding{What: "notify", Detail: english.Plural(len(targets), "target", "") + "; \"opscom-import notify test\" tries them"}
	for _, target := range targets {
		if err := target.CheckSecret(); err != nil {
			f.Err = errors.Join(f.Err, fmt.Errorf("%s: %w", target.Origin, err))
		}
	}
	return f
}

// clockTolerance is how far this machine's clock may be from the Controller's:
// Retry-After dates and the times in reports depend on it.
const clockTolerance = 2 * time.Minute

// examineClock compares this machine's clock with the Date header that the
// Controller's web server sends; nothing but that header is asked for.
func (e Env) examineClock(ctx context.Context, url string, proxy controller.Proxy) Finding {
	f := Finding{What: "clock"}
	ctx, cancel := context.WithTimeout(ctx, e.Settings.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, url, nil)
	if err != nil {
		f.Err = err
		return f
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = http.ProxyURL(proxy.URL)
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(request)
	if err == nil {
		err = response.Body.Close()
	}
	if err != nil && proxy.URL != nil {
		f.Err = fmt.Errorf("the Controller's clock cannot be read through %s: %w", proxy, err)
		return f
	}
	if err != nil {
		f.Err = fmt.Errorf("the Controller's clock cannot be read: %w", err)
		return f
	}
	theirs, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil {
		f.Detail = "the Controller does not send its time"
		return f
	}
	apart := time.Since(theirs).Abs().Round(time.Second)
	f.Detail = fmt.Sprintf("%s apart from the Controller's", apart)
	if apart > clockTolerance {
		f.Err = fmt.Errorf("this machine's clock and the Controller's differ by %s; set this machine's clock", apart)
	}
	return f
}
