package main

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"opscom-import/importer/sandbox"
)

// many PORT CLIENTS LATENCY: sandboxes OC_000… on one port; each writes starts to a table; GET /stats prints
func main() {
	n, _ := strconv.Atoi(os.Args[2])
	lat, _ := time.ParseDuration(os.Args[3])
	boxes := map[string]http.Handler{}
	var mu sync.Mutex
	starts := map[string][]time.Time{}
	for i := range n {
		code := fmt.Sprintf("OC_%03d", i)
		faults, _ := sandbox.ParseFaults("")
		b, err := sandbox.New(sandbox.Config{Client: code, Token: "t", Faults: faults})
		if err != nil {
			panic(err)
		}
		boxes[code] = b
	}
	http.HandleFunc("/stats", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		over, total := 0, 0
		limit, _ := strconv.Atoi(r.URL.Query().Get("rate"))
		var first, last time.Time
		for _, s := range starts {
			total += len(s)
			for i := range s {
				if first.IsZero() || s[i].Before(first) {
					first = s[i]
				}
				if s[i].After(last) {
					last = s[i]
				}
				if i >= limit && limit > 0 && s[i].Sub(s[i-limit]) < time.Second {
					over++
				}
			}
		}
		fmt.Fprintf(w, "requests %d, over %d, seconds %.2f\n", total, over, last.Sub(first).Seconds())
		if r.URL.Query().Get("each") != "" {
			for c, s := range starts {
				fmt.Fprintf(w, "%s %d %.2f\n", c, len(s), s[len(s)-1].Sub(first).Seconds())
			}
		}
		if r.URL.Query().Get("reset") != "" {
			clear(starts)
		}
	})
	http.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) {
		code := strings.Split(r.URL.Path, "/")[2]
		if strings.HasSuffix(r.URL.Path, "/push") {
			now := time.Now()
			mu.Lock()
			starts[code] = append(starts[code], now)
			mu.Unlock()
			time.Sleep(lat)
		}
		if b := boxes[code]; b != nil {
			b.ServeHTTP(w, r)
			return
		}
		http.Error(w, "no", 404)
	})
	panic(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
