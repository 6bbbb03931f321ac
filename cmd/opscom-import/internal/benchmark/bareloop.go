package benchmark

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// BareLoop posts every body once, from that many goroutines and connections, and
// reads each answer to its end. It is the best that net/http can do.
func BareLoop(url string, bodies [][]byte, workers int) error {
	transport := &http.Transport{MaxIdleConns: workers, MaxIdleConnsPerHost: workers}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	var next atomic.Int64
	var group errgroup.Group
	for range workers {
		group.Go(func() error {
			for i := next.Add(1) - 1; i < int64(len(bodies)); i = next.Add(1) - 1 {
				if err := post(client, url, bodies[i]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

func post(client *http.Client, url string, body []byte) error {
	response, err := client.Post(url, "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer response.Body.Close() // read to its end
	if _, err = io.Copy(io.Discard, response.Body); err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("the server answered %s", response.Status)
	}
	return err
}
