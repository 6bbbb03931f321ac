package app

import (
	"context"
	"errors"
	"fmt"

	"opscom-import/cmd/opscom-import/internal/config"
	"opscom-import/importer/controller"
	"opscom-import/importer/sandbox"
	"opscom-import/mapping"
)

// connection is a client of the Controller, or of a sandbox that was started for it.
type connection struct {
	*controller.Client
	url     string
	proxy   controller.Proxy
	sandbox *sandbox.Server // nil for a Controller elsewhere
}

// connect makes the client. It sends nothing.
func connect(ctx context.Context, env Env) (*connection, error) {
	return connectTo(ctx, env, startSandbox)
}

// connectToAsk is connect for questions only. A push to the sandbox may be in progress
// meanwhile, and one may begin: its people are left alone.
func connectToAsk(ctx context.Context, env Env) (*connection, error) {
	return connectTo(ctx, env, startEmptySandbox)
}

func connectTo(ctx context.Context, env Env, start func(Env) (*sandbox.Server, error)) (*connection, error) {
	c := &connection{url: env.Settings.URL}
	token, err := c.prepare(ctx, env, start)
	if err != nil {
		return nil, err
	}
	settings := env.Settings
	if c.proxy, err = settings.FindProxy(c.url); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	var certificates config.Certificates
	if !settings.Sandbox {
		if certificates, err = settings.FindCertificates(); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	for _, warning := range certificates.Warnings {
		env.notify("%s", warning)
	}
	if certificates.Expiring != "" {
		env.notify("%s", certificates.Expiring)
	}
	var turns controller.Turns
	if env.turns != nil {
		turns = env.turns(env.target())
	}
	c.Client, err = controller.New(controller.Config{
		BaseURL: c.url, Client: env.client(), Token: token.Token, RereadToken: env.rereader(ctx, token),
		Workers: settings.Workers, Rate: settings.Rate, Burst: settings.Burst, Turns: turns,
		MaxAttempts: settings.MaxAttempts, Timeout: settings.Timeout, MaxPause: settings.MaxPause,
		InsecureHTTP: settings.InsecureHTTP, Proxy: c.proxy, Roots: certificates.Roots, Certificate: certificates.Client,
		UserAgent: "opscom-import/" + env.Version, Transport: env.Transport,
		OnNewToken: func() {
			if token.File != "" {
				env.notify("The API token was refused. The token file %s has another one by now: the run goes on with it.", token.File)
			} else {
				env.notify("The API token was refused. There is another one by now from %s: the run goes on with it.", token.From)
			}
			env.Log.Info("the run goes on with another token", "from", token.From)
		},
		OnWait: func(w controller.Wait) {
			env.Progress.Waiting(w.Reason, w.For)
			env.Log.Info("all workers are waiting", "reason", w.Reason, "for", w.For.String())
		},
	})
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// prepare returns the API token, and starts the sandbox when that is the Controller.
func (c *connection) prepare(ctx context.Context, env Env, start func(Env) (*sandbox.Server, error)) (token config.Token, err error) {
	switch {
	case env.Settings.Sandbox:
		c.sandbox, err = start(env)
		if err != nil {
			return token, err
		}
		c.url = c.sandbox.URL
		return config.Token{Token: controller.NewToken(sandboxToken)}, nil
	case env.Settings.Client == "":
		return token, errors.New("no client code: give --client CODE, or OPSCOM_CLIENT, or client: in opscom-import.yaml; or try --sandbox")
	}
	token, err = env.Settings.FindToken(ctx)
	if err == nil && token.Warning != "" {
		env.notify("%s", token.Warning)
	}
	return token, err
}

// rereader returns the function that reads the token again where it was found, after the
// Controller refused it; nil for a place that has it once. That it cannot be read is said
// once, though many workers ask.
func (e Env) rereader(ctx context.Context, token config.Token) func() controller.Token {
	if !token.CanChange() {
		return nil
	}
	said := false
	return func() controller.Token {
		again, err := token.ReadAgain(ctx)
		if err != nil && !said {
			said = true
			e.notify("The API token was refused, and there is no other: %v.", err)
			e.Log.Info("the token was read again", "error", err)
		}
		return again.Token
	}
}

// Close closes the client and stops the sandbox.
func (c *connection) Close() error {
	if c.Client != nil {
		c.Client.Close()
	}
	if c.sandbox == nil {
		return nil
	}
	return c.sandbox.Close()
}

// userTypes is the Controller's list of user types, as far as it is known.
type userTypes struct {
	list   []mapping.UserType
	known  bool
	denied *controller.ListDeniedError // why the Controller does not list them for this token; nil if it does, or was not asked
}

// withoutList is what a person should know of a run whose user types the Controller
// does not list.
func withoutList(denied *controller.ListDeniedError) string {
	return fmt.Sprintf("%v. Without the list user types have to be numbers, which are NOT checked.", denied)
}
