package web

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// No form is read without end, whatever it says that it is.
func TestRequestsAreLimited(t *testing.T) {
	for contentType, most := range map[string]int64{
		"":                                  8 << 20,
		"application/x-www-form-urlencoded": 8 << 20,
		"multipart/form-data; boundary=x":   64<<10 + 5,
	} {
		t.Run(contentType, func(t *testing.T) {
			handler := (&Server{maxUpload: 5}).limit(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				if n, err := io.Copy(io.Discard, r.Body); n != most || !errors.As(err, new(*http.MaxBytesError)) {
					t.Errorf("%d bytes were read, %v; want %d", n, err, most)
				}
			}))
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", endless{})
			r.Header.Set("Content-Type", contentType)
			handler.ServeHTTP(httptest.NewRecorder(), r)
		})
	}
}
