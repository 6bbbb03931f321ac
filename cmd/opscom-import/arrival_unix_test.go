//go:build unix && !linux

package main

import (
	"net/http"
	"net/http/httptest"
	"time"
)

func stampArrivals(*httptest.Server) error { return nil }

func cameAt(*http.Request) time.Time { return time.Now() }
