package controller_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"opscom-import/importer/controller"
)

// benchWorkers is how many requests the benchmarks keep in flight.
const benchWorkers = 32

// BenchmarkPush, with each client, and BenchmarkBareLoop send the same requests with
// the same settings of connections to the same kind of server: the difference is what
// this package costs.
func BenchmarkPush(b *testing.B) { controller.BenchEachClient(b, benchmarkPush) }

func benchmarkPush(b *testing.B, newClient func(controller.Config) (*controller.Client, error)) {
	url := benchServer(b)
	client, err := newClient(controller.Config{
		BaseURL: url, Client: "OC_TEST", Token: controller.NewToken("a-token-for-benchmarks"),
		Workers: benchWorkers, MaxAttempts: 5, Timeout: 30 * time.Second,
	})
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	ctx := b.Context()
	payload := benchPayload()
	inParallel(b, func() bool {
		answer, err := client.Push(ctx, ctx, payload, nil)
		return err == nil && answer.ReferenceID == "44"
	})
}

func BenchmarkBareLoop(b *testing.B) {
	url := benchServer(b) + "/api/OC_TEST/v1/profiles/push"
	transport := &http.Transport{
		MaxIdleConns: benchWorkers, MaxIdleConnsPerHost: benchWorkers, MaxConnsPerHost: benchWorkers, DisableCompression: true,
	}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	body := append([]byte(`{"apiToken":"a-token-for-benchmarks",`), benchPayload()[1:]...)
	inParallel(b, func() bool {
		request, err := http.NewRequestWithContext(b.Context(), http.MethodPost, url, bytes.NewReader(body))
		if err != nil {
			return false
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Accept", "application/json")
		request.Header.Set("Cache-Control", "no-cache")
		response, err := client.Do(request)
		if err != nil {
			return false
		}
		defer response.Body.Close()
		_, err = io.Copy(io.Discard, response.Body)
		return err == nil && response.StatusCode == http.StatusOK
	})
}

// inParallel runs b.N calls of send in benchWorkers goroutines.
func inParallel(b *testing.B, send func() bool) {
	b.ReportAllocs()
	turns := make(chan struct{}, 1024)
	var workers sync.WaitGroup
	for range benchWorkers {
		workers.Go(func() {
			for range turns {
				if !send() {
					b.Error("a request failed")
				}
			}
		})
	}
	b.ResetTimer()
	for range b.N {
		turns <- struct{}{}
	}
	close(turns)
	workers.Wait()
}

func benchPayload() []byte {
	return []byte(`{"unique_id":"900123456","login_source":"SSO","first_name":"Zoë","last_name":"O'Brien-Tremblay",` +
		`"user_name":"zobrien","email":"zoe.obrien@example.edu","street":"12 Main Street","city":"Ottawa","province":"ON",` +
		`"postal_code":"K1A 0B1","phone_cell":"613-555-0100","user_type_id":"1","student_no":"00012345","date_of_birth":"2004-02-29"}`)
}

// benchServer answers at once, always the same, with as little work as it can.
func benchServer(b *testing.B) (url string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"status":"success","reference_id":44}`)
	})}
	go func() { _ = server.Serve(listener) }()
	b.Cleanup(func() { _ = server.Shutdown(context.Background()) })
	return "http://" + listener.Addr().String()
}
