package app

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/dustin/go-humanize/english"

	"opscom-import/cmd/opscom-import/internal/config"
	"opscom-import/importer/controller"
)

// Finding is what one of Doctor's checks found.
type Finding struct {
	What   string // what was checked
	Detail string // what was found
	Note   string // what a person should look at, though it keeps no run from working; "" for nothing
	Err    error  // what is wrong, and what to do; nil when nothing is
}

// stepLimit is the time that each step of Doctor on the network may take, unless the
// settings give a request less. Nobody waits for long at a host that does not answer.
const stepLimit = 5 * time.Second

// Doctor checks everything that a push needs besides the file, a step at a time: the
// settings, the token, the certificates, the state folder and its disk, a journal in PostgreSQL, the secrets of the
// targets of notify, the jobs, the way to the Controller, what that answers, and the clock.
func Doctor(ctx context.Context, env Env) (findings []Finding, err error) {
	jobs := CheckJobs(ctx, env)
	settings := env.examineSettings()
	if all := env.Settings; all.Client == "" && !all.Sandbox && len(all.Jobs) > 0 && all.Jobs[0].Settings.Client != "" {
		settings.Err, settings.Detail = nil, fmt.Sprintf("%s; only the jobs have clients: what follows is for job %s", settings.Detail, all.Jobs[0].Name)
		env.Settings = all.Jobs[0].Settings
	}
	token := env.examineToken(ctx)
	findings = append(findings, settings, token)
	certificates, found := env.examineCertificates()
	findings = append(findings, found...)
	findings = append(findings, env.examineState(ctx)...)
	if !env.Settings.Journal.IsZero() {
		findings = append(findings, env.examineJournal(ctx)...)
	}
	if len(env.Settings.Notify) > 0 {
		findings = append(findings, env.examineNotify())
	}
	for _, job := range jobs {
		job.What = "job " + job.What
		findings = append(findings, job)
	}
	env.Settings.Timeout = min(env.Settings.Timeout, stepLimit)
	env.Settings.MaxAttempts = min(env.Settings.MaxAttempts, 2)
	silent := env
	silent.Notify = func(string) {} // what connect warns of is among the findings
	conn, failed := connectToAsk(ctx, silent)
	if failed == nil {
		defer func() { err = errors.Join(err, conn.Close()) }()
	} else if token.Err != nil && token.Err.Error() == failed.Error() {
		failed = errors.New("not asked, because there is no token")
	}
	asked, cancel := context.WithCancel(ctx)
	defer cancel()
	var answers Finding
	var asking sync.WaitGroup
	asking.Go(func() { answers = env.askController(asked, conn, failed) })
	var way []Finding
	var path controller.Path
	if !env.Settings.Sandbox && (env.Settings.CAFile == "" || certificates.Roots != nil) {
		way, path = env.examineWay(ctx, certificates)
		if path.TimedOut && path.Step != controller.StepAnswer {
			cancel()
		}
	}
	asking.Wait()
	findings = append(findings, way...)
	if failed == nil && asked.Err() != nil && answers.Err != nil {
		answers.Err = fmt.Errorf("not asked, because there is no connection: see %s above", stepNames()[path.Step])
	}
	findings = append(findings, answers)
	if !env.Settings.Sandbox {
		proxy, _ := env.Settings.FindProxy(env.Settings.URL) // a mistake in it is a finding already
		findings = append(findings, examineClock(path, proxy))
	}
	return findings, nil
}

// askController asks for the user types, unless it failed to be connected to.
func (e Env) askController(ctx context.Context, conn *connection, failed error) Finding {
	f := Finding{What: "Controller", Err: failed}
	if failed != nil {
		return f
	}
	list, err := conn.UserTypes(ctx)
	if errors.As(err, new(*controller.ListDeniedError)) {
		err = fmt.Errorf("%w. Only a push can tell which: it goes on without the list where user types are numbers, or none are given, and stops at its first row if the token is wrong", err)
	}
	f.Detail, f.Err = fmt.Sprintf("%s answers, and has %s", e.Host(), english.Plural(len(list), "user type", "")), err
	if proxy := conn.proxy.String(); proxy != "" {
		f.Detail += ", through " + proxy
	}
	return f
}

func (e Env) examineSettings() Finding {
	f := Finding{What: "settings", Detail: "no config file; flags and environment only"}
	if e.Settings.ConfigFile != "" {
		f.Detail = fmt.Sprintf("from %s (%s)", e.Settings.ConfigFile, e.Settings.ConfigFrom)
	}
	if e.Settings.Client == "" && !e.Settings.Sandbox {
		f.Err = errors.New("no client code: give --client CODE, or set OPSCOM_CLIENT")
	}
	return f
}

func (e Env) examineToken(ctx context.Context) Finding {
	if e.Settings.Sandbox {
		return Finding{What: "token", Detail: "the sandbox has its own"}
	}
	found, err := e.Settings.FindToken(ctx)
	if err == nil && found.Warning != "" {
		err = errors.New(found.Warning)
	}
	f := Finding{What: "token", Detail: "from " + found.From, Err: err}
	if found.File != "" {
		f.Detail += permissions(found.File)
	}
	return f
}

// examineCertificates looks at the files of certificates, if the settings name some.
func (e Env) examineCertificates() (config.Certificates, []Finding) {
	if e.Settings.Sandbox || e.Settings.CAFile == "" && e.Settings.ClientCert == "" && e.Settings.ClientKey == "" {
		return config.Certificates{}, nil
	}
	found, err := e.Settings.FindCertificates()
	if err != nil {
		found.Roots, found.Authorities, _ = e.Settings.FindRoots() // the way can still be looked at
		return found, []Finding{{What: "certificates", Err: err}}
	}
	var findings []Finding
	if e.Settings.CAFile != "" {
		f := Finding{What: "CA file", Detail: fmt.Sprintf("%s more from %s", english.Plural(len(found.Authorities), "authority", "authorities"), e.Settings.CAFile)}
		for _, authority := range found.Authorities {
			if time.Now().After(authority.NotAfter) {
				f.Note += fmt.Sprintf("; %s expired on %s", config.NameOf(authority.Subject), onDay(authority.NotAfter))
			}
		}
		findings = append(findings, f)
	}
	if found.Client != nil {
		leaf := found.Client.Leaf
		f := Finding{What: "client cert", Detail: fmt.Sprintf("%s, issued by %s, valid until %s", config.NameOf(leaf.Subject), config.NameOf(leaf.Issuer), onDay(leaf.NotAfter))}
		if found.Expiring != "" {
			f.Note = fmt.Sprintf("; it expires in %s: get a new one from the people who issued it", daysUntil(leaf.NotAfter))
		}
		for _, warning := range found.Warnings {
			f.Err = errors.Join(f.Err, errors.New(warning))
		}
		findings = append(findings, f)
	}
	return found, findings
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

// The Retry-After dates and the times in reports depend on this machine's clock, and so
// does whether a certificate is valid.
const (
	clockWorth     = time.Minute     // difference that is worth a look
	clockTolerance = 2 * time.Minute // difference that is too large
)

// examineClock compares this machine's clock with that of the web server that answered.
func examineClock(path controller.Path, proxy controller.Proxy) Finding {
	f := Finding{What: "clock"}
	switch {
	case path.At.IsZero() && proxy.URL != nil:
		f.Err = fmt.Errorf("the Controller's clock cannot be read through %s: there is no answer", proxy)
		return f
	case path.At.IsZero():
		f.Err = errors.New("the Controller's clock cannot be read: there is no answer")
		return f
	}
	if path.Date.IsZero() {
		f.Detail = "the Controller does not send its time"
		return f
	}
	apart := path.At.Sub(path.Date).Abs().Round(time.Second)
	f.Detail = fmt.Sprintf("%s apart from the Controller's", apart)
	switch {
	case apart > clockTolerance:
		f.Err = fmt.Errorf("this machine's clock and the Controller's differ by %s; set this machine's clock", apart)
	case apart > clockWorth:
		f.Note = "; set this machine's clock"
	}
	return f
}

func onDay(t time.Time) string { return t.UTC().Format("2 January 2006") }
