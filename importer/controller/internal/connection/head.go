package connection

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strconv"
)

// Head is the head of requests that differ in their body alone.
type Head struct {
	request       *http.Request
	before, after []byte // the number of the body's bytes
}

// NewHead returns the head of a request that has no body yet, as net/http writes it.
func NewHead(request *http.Request) (Head, error) {
	var whole bytes.Buffer
	if err := request.Write(&whole); err != nil {
		return Head{}, fmt.Errorf("write the head of a request: %w", err)
	}
	const line = "\r\nContent-Length: "
	before, after, found := bytes.Cut(whole.Bytes(), []byte(line+"0\r\n"))
	if !found {
		return Head{}, errors.New("write the head of a request: it has no length")
	}
	return Head{request, append(bytes.Clone(before), line...), append([]byte("\r\n"), after...)}, nil
}

// appendRequest appends a whole request with that body.
func (h Head) appendRequest(to, body []byte) []byte {
	to = strconv.AppendInt(append(to, h.before...), int64(len(body)), 10)
	return append(append(to, h.after...), body...)
}
