package controller

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/go-json-experiment/json/jsontext"
)

// credential is a token as requests have it.
type credential struct {
	member   []byte            // the start of every body: {"apiToken":"…"
	redacter *strings.Replacer // for this token and those before it
	accepted atomic.Bool       // the Controller has accepted a request with it: token, client code and address are right
}

// credentials holds the token that requests have from now on. It may be used by many
// goroutines at once.
type credentials struct {
	current   atomic.Pointer[credential]
	reread    func() Token // may be nil
	onRenewed func()       // may be nil

	mu     sync.Mutex // held while the token is read again
	tokens []Token    // all so far
}

// use makes token the one that requests have from now on. The caller holds mu, or
// nobody else has c yet.
func (c *credentials) use(token Token) error {
	member, err := jsontext.AppendQuote([]byte(`{"apiToken":`), *token.secret)
	if err != nil {
		return errors.New("the API token is not valid UTF-8 text")
	}
	c.tokens = append(c.tokens, token)
	longest := slices.SortedFunc(slices.Values(c.tokens), func(a, b Token) int { return cmp.Compare(len(*b.secret), len(*a.secret)) })
	var pairs []string
	for _, t := range longest { // where one begins with another, the longer one is replaced
		pairs = append(pairs, *t.secret, redacted)
	}
	c.current.Store(&credential{member: member, redacter: strings.NewReplacer(pairs...)})
	return nil
}

// renew reports whether requests have another token by now than the refused one,
// which it reads again if no other worker has: many are refused at a time. A token
// that was refused before is not tried again, so that there is an end.
func (c *credentials) renew(refused *credential) bool {
	if c.reread == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current.Load() != refused {
		return true
	}
	token := c.reread()
	if token.IsZero() || slices.ContainsFunc(c.tokens, func(t Token) bool { return *t.secret == *token.secret }) || c.use(token) != nil {
		return false
	}
	if c.onRenewed != nil {
		c.onRenewed()
	}
	return true
}

// redact returns text with "[token]" where a token was.
func (c *credentials) redact(text string) string { return c.current.Load().redacter.Replace(text) }
