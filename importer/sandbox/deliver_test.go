package sandbox

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const firstSuccess = `{"status":"success","reference_id":1001}`

// postRaw pushes a valid profile and returns the answer with its body unread.
func postRaw(ctx context.Context, t *testing.T, client *http.Client) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://sandbox"+pushPath, bytes.NewReader(body(t, personWith(nil))))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept-Encoding", "identity") // or else the transport unpacks
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

func TestDrip(t *testing.T) {
	for _, tc := range []struct {
		timeout   time.Duration
		delivered bool
	}{{time.Minute, true}, {3 * time.Second, false}} {
		synctest.Test(t, func(t *testing.T) {
			s, client := pipeServer(t, "drip=1:4s")
			ctx, cancel := context.WithTimeout(t.Context(), tc.timeout)
			defer cancel()
			began := time.Now()
			response := postRaw(ctx, t, client)
			text, err := io.ReadAll(response.Body)
			if took := time.Since(began); tc.delivered && (err != nil || string(text) != firstSuccess || took < 3900*time.Millisecond || took > 4*time.Second) {
				t.Errorf("%q, %v, after %s", text, err, took)
			}
			if !tc.delivered && (!errors.Is(err, context.DeadlineExceeded) || !strings.HasPrefix(firstSuccess, string(text)) || len(text) < 20) {
				t.Errorf("%q, %v", text, err)
			}
			synctest.Wait()
			if entry := s.Requests()[0]; entry.Fault != Drip || !entry.Applied || entry.Delivered != tc.delivered || s.People() != 1 {
				t.Errorf("entry %+v", entry)
			}
		})
	}
}

func TestEndless(t *testing.T) {
	for name, end := range map[string]func(cancel context.CancelFunc, s *Sandbox){
		"until the client gives up":   func(cancel context.CancelFunc, _ *Sandbox) { cancel() },
		"until the sandbox is closed": func(_ context.CancelFunc, s *Sandbox) { _ = s.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, client := pipeServer(t, "endless=1")
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				response := postRaw(ctx, t, client)
				text, err := io.ReadAll(io.LimitReader(response.Body, 4<<20))
				if err != nil || strings.TrimRight(string(text), " ") != firstSuccess {
					t.Errorf("%.60q, %v", text, err)
				}
				go end(cancel, s)
				if _, err := io.Copy(io.Discard, response.Body); err == nil {
					t.Error("the answer came to an end")
				}
				synctest.Wait()
				if entry := s.Requests()[0]; entry.Fault != Endless || !entry.Applied || entry.Delivered || s.People() != 1 {
					t.Errorf("entry %+v", entry)
				}
			})
		})
	}
}

func TestBomb(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, client := pipeServer(t, "bomb=1")
		response := postRaw(t.Context(), t, client)
		packed, err := io.ReadAll(response.Body)
		if err != nil || response.Header.Get("Content-Encoding") != "gzip" || len(packed) > 2<<20 {
			t.Fatalf("%v, %d bytes, %v", response.Header, len(packed), err)
		}
		unpacked, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			t.Fatal(err)
		}
		begin, err := io.ReadAll(io.LimitReader(unpacked, 4<<20)) // each MiB is the same bytes again
		if err != nil || strings.TrimRight(string(begin), " ") != firstSuccess || len(packed) < 1<<10*len(zipped(begin))/4 {
			t.Errorf("%.60q, %v; %d bytes in all", begin, err, len(packed))
		}
		if entry := s.Requests()[0]; entry.Fault != Bomb || !entry.Applied || entry.Delivered {
			t.Errorf("entry %+v", entry)
		}
	})
}
