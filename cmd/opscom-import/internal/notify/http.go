package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"

	"opscom-import/cmd/opscom-import/internal/config"
)

// The last part of a healthcheck's address, as healthchecks.io and others define it: a
// number is the exit code of a failure.
const (
	pathStart   = "start"
	pathSuccess = ""
)

// ping tells a healthcheck something. The service keeps the text for anyone who looks.
func (n *Notifier) ping(ctx context.Context, h *config.HealthcheckTarget, path, text string) error {
	address, err := h.URL()
	if err != nil {
		return permanent(err)
	}
	if path != "" {
		address = address.JoinPath(path)
	}
	return n.request(ctx, address, "text/plain; charset=utf-8", []byte(text))
}

// post posts a message to a webhook.
func (n *Notifier) post(ctx context.Context, w config.WebhookTarget, message Message) error {
	address, err := w.URL()
	if err != nil {
		return permanent(err)
	}
	body, err := message.body(w.Style)
	if err != nil {
		return permanent(err)
	}
	return n.request(ctx, address, "application/json", body)
}

// request posts the body once. Its address is a secret: redirects are not followed, and
// neither an error nor a log has more of it than the host, nor anything of the answer,
// which may repeat it.
func (n *Notifier) request(ctx context.Context, address *url.URL, contentType string, body []byte) error {
	proxy, err := n.options.Settings.FindProxy(address.String())
	if err != nil {
		return permanent(err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address.String(), bytes.NewReader(body))
	if err != nil {
		return permanent(errors.New("the address cannot be used"))
	}
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("User-Agent", "opscom-import/"+n.options.Version)
	transport := &http.Transport{
		Proxy: http.ProxyURL(proxy.URL), DisableKeepAlives: true, ForceAttemptHTTP2: true,
		TLSClientConfig: &tls.Config{RootCAs: n.options.Roots},
	}
	defer transport.CloseIdleConnections()
	answer, err := transport.RoundTrip(request) // follows no redirect
	if err != nil {
		return unreachable(ctx, address.Host, proxy.String(), err)
	}
	_ = answer.Body.Close() // only the status counts
	return judge(answer, address.Host)
}

// unreachable is the error of a request without an answer.
func unreachable(ctx context.Context, host, proxy string, err error) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = errors.New("it does not answer in time")
	}
	if proxy != "" {
		err = fmt.Errorf("%w (through %s)", err, proxy)
	}
	err = fmt.Errorf("%s cannot be reached: %w", host, err)
	if errors.As(err, new(*tls.CertificateVerificationError)) {
		return permanent(err)
	}
	return err
}

// judge returns what is wrong with an answer. Too many requests, and faults of the
// server, are worth another try.
func judge(answer *http.Response, host string) error {
	code := answer.StatusCode
	err := fmt.Errorf("%s answered %s", host, strings.TrimSpace(strconv.Itoa(code)+" "+http.StatusText(code)))
	switch {
	case code >= 200 && code < 300:
		return nil
	case code >= 300 && code < 400:
		return permanent(fmt.Errorf("%w: a redirect, which is not followed; name the address that it leads to", err))
	case code == http.StatusTooManyRequests:
		if seconds, wrong := strconv.Atoi(answer.Header.Get("Retry-After")); wrong == nil && seconds > 0 {
			return fmt.Errorf("%w; it says: %w", err, &backoff.RetryAfterError{Duration: time.Duration(seconds) * time.Second})
		}
		return err
	case code == http.StatusRequestTimeout, code >= 500:
		return err
	default:
		return permanent(err)
	}
}
