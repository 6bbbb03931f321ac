package controller

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"opscom-import/importer/controller/internal/connection"
)

// endpoint is one of the Controller's calls: what all requests to it share.
type endpoint struct {
	request   *http.Request   // template without a body; only copies are sent
	head      connection.Head // the same for connections of the client's own
	lastHead  connection.Head // of the last request on a connection
	separator string          // follows the token in every body
}

// newEndpoint returns the endpoint at path, which is escaped, below base.
func newEndpoint(base *url.URL, path string, cfg Config, separator string) (*endpoint, error) {
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
	e := &endpoint{request: request, separator: separator}
	if e.head, err = connection.NewHead(request); err != nil {
		return nil, err
	}
	last := request.Clone(request.Context())
	last.Close = true
	e.lastHead, err = connection.NewHead(last)
	return e, err
}

// body returns the body of a request: the token, followed by tail.
func (e *endpoint) body(token *credential, tail []byte) []byte {
	body := make([]byte, 0, len(token.member)+len(e.separator)+len(tail))
	return append(append(append(body, token.member...), e.separator...), tail...)
}

// post returns a request with the body, which must not change afterwards: the
// transport may still read it after the request is over.
//
// The body is a bytes.Reader, because net/http knows it: with any other reader it
// sends the header in a separate packet.
func (e *endpoint) post(ctx context.Context, body []byte) *http.Request {
	request := e.request.WithContext(ctx)
	request.ContentLength = int64(len(body))
	request.Body = io.NopCloser(bytes.NewReader(body))
	request.GetBody = func() (io.ReadCloser, error) { // for an idle connection that turns out to be closed
		return io.NopCloser(bytes.NewReader(body)), nil
	}
	return request
}
