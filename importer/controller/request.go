package controller

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/go-json-experiment/json/jsontext"
)

// endpoint is one call of the Controller: what every request to it has in common.
type endpoint struct {
	request *http.Request // without a body; only ever copied
	head    []byte        // how every body begins: the token, up to where the profile follows
}

// newEndpoint prepares the call at path, which is escaped, below base. In the
// bodies joint stands between the token and what follows.
func newEndpoint(base *url.URL, path string, cfg Config, joint string) (*endpoint, error) {
	u := base.JoinPath(path)
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, u.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("prepare the request to %s: %w", u.Host, err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	request.Header.Set("Cache-Control", "no-cache")
	if cfg.UserAgent != "" {
		request.Header.Set("User-Agent", cfg.UserAgent)
	}
	head, err := jsontext.AppendQuote([]byte(`{"apiToken":`), *cfg.Token.secret)
	if err != nil {
		return nil, errors.New("the API token is not valid UTF-8 text")
	}
	return &endpoint{request, append(head, joint...)}, nil
}

// body returns the body of a request: the endpoint's head, and what follows it.
func (e *endpoint) body(tail []byte) []byte {
	return append(append(make([]byte, 0, len(e.head)+len(tail)), e.head...), tail...)
}

// post returns a request with the body, which must not change any more: the
// transport may still read it after the request is over.
//
// The body is read by a bytes.Reader, which net/http knows: of any other reader
// it sends the header in a packet of its own.
func (e *endpoint) post(ctx context.Context, body []byte) *http.Request {
	request := e.request.WithContext(ctx)
	request.ContentLength = int64(len(body))
	request.Body = io.NopCloser(bytes.NewReader(body))
	request.GetBody = func() (io.ReadCloser, error) { // for a kept connection that turns out to be closed
		return io.NopCloser(bytes.NewReader(body)), nil
	}
	return request
}
