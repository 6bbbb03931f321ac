package journeys_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/network"
)

// hasNeighbors visits another program's page on this computer, which must learn nothing
// and cannot lock the person out: browsers keep the cookies of two ports together.
func hasNeighbors(j *journey) {
	p := j.startProgram("--sandbox")
	j.open(p.address)
	j.find("button", "Close the program")
	ours := j.address()
	cookies := call(j, network.GetCookies, network.GetCookiesParams{URLs: []string{ours}}).Cookies
	if len(cookies) == 0 {
		j.Fatal("the page has given no cookie")
	}

	var mu sync.Mutex
	var learned []string
	neighbor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		learned = append(learned, r.Header.Get("Cookie")+r.Referer())
		mu.Unlock()
		for _, cookie := range cookies { // even if it knew the name
			http.SetCookie(w, &http.Cookie{Name: cookie.Name, Value: "another's", Path: "/"})
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, `<!DOCTYPE html><html lang="en"><title>Neighbor</title><main>The neighbor's page <a href="`+ours+`">to the file</a></main></html>`)
	}))
	j.Cleanup(neighbor.Close)
	host := strings.Split(strings.TrimPrefix(ours, "http://"), ":")[0]
	j.open(strings.Replace(neighbor.URL, "127.0.0.1", host, 1))
	j.sees("The neighbor's page")
	j.open(ours)
	j.find("button", "Close the program")
	j.open(neighbor.URL)
	mu.Lock()
	defer mu.Unlock()
	for _, told := range learned {
		for _, cookie := range cookies {
			if strings.Contains(told, cookie.Value) {
				j.Errorf("a program at another port was sent %q", told)
			}
		}
		if strings.Contains(told, p.address[strings.LastIndex(p.address, "=")+1:]) {
			j.Errorf("a program at another port was told the address: %q", told)
		}
	}
}
