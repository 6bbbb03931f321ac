package notify

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"strconv"
	"strings"

	"github.com/cenkalti/backoff/v5"
	"github.com/wneessen/go-mail"

	"opscom-import/cmd/opscom-import/internal/config"
)

// partlyError says that some recipients have the message, and why others do not.
type partlyError struct{ err error }

func (e *partlyError) Error() string { return e.err.Error() }
func (e *partlyError) Unwrap() error { return e.err }

// mailer returns a function that sends a message to those who do not have it yet.
func (n *Notifier) mailer(target config.MailTarget, message Message) func(context.Context) error {
	left := target.To
	return func(ctx context.Context) (err error) {
		if left, err = n.mail(ctx, target, left, message); err != nil && len(left) < len(target.To) {
			err = &partlyError{err}
		}
		return err
	}
}

// mail sends a message once, and returns those who did not get it. Each recipient gets a
// letter of his own: a server that knows one of them no longer does not keep it from the
// others.
func (n *Notifier) mail(ctx context.Context, target config.MailTarget, to []string, message Message) (left []string, err error) {
	var password string
	if target.User != "" {
		if password, err = target.Password(); err != nil {
			return to, permanent(err)
		}
	}
	client, err := n.mailClient(ctx, target, password)
	if err != nil {
		return to, permanent(err)
	}
	letters := make([]*mail.Msg, len(to))
	for i, recipient := range to {
		if letters[i], err = newLetter(target.From, recipient, message); err != nil {
			return to, permanent(err)
		}
	}
	explain := func(err error) error { return mailError(ctx, target, password, err) }
	connection, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return to, explain(err)
	}
	sent := client.SendWithSMTPClient(connection, letters...)
	_ = client.CloseWithSMTPClient(connection) // what was taken before a farewell is taken
	var faults []error
	for i, letter := range letters {
		if !letter.IsDelivered() {
			left = append(left, to[i])
			faults = append(faults, letter.SendError())
		}
	}
	if len(left) == 0 {
		return nil, nil
	}
	if err := errors.Join(faults...); err != nil {
		sent = err
	}
	return left, explain(sent)
}

func newLetter(from, to string, message Message) (*mail.Msg, error) {
	letter := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := errors.Join(letter.From(from), letter.To(to)); err != nil {
		return nil, err
	}
	letter.Subject(message.Title)
	letter.SetDateWithValue(message.At)
	letter.SetMessageID()
	letter.SetGenHeader("Auto-Submitted", "auto-generated") // so that no vacation notice answers it
	letter.SetBodyString(mail.TypeTextPlain, message.Text)
	return letter, nil
}

func (n *Notifier) mailClient(ctx context.Context, target config.MailTarget, password string) (*mail.Client, error) {
	port, err := strconv.Atoi(target.Port)
	if err != nil {
		return nil, fmt.Errorf("the port of the mail server: %w", err)
	}
	encryption := &tls.Config{ServerName: target.Host, RootCAs: n.options.Roots, MinVersion: tls.VersionTLS12}
	options := []mail.Option{
		mail.WithPort(port), mail.WithTimeout(n.timeout), mail.WithTLSConfig(encryption),
		mail.WithDialContextFunc(dialer(ctx, target.TLS == config.TLSFirst, encryption)),
		mail.WithoutNoop(), mail.WithoutRset(),
	}
	switch target.TLS {
	case config.TLSFirst:
		options = append(options, mail.WithSSL())
	case config.TLSNone:
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	default:
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if target.User != "" {
		options = append(options, mail.WithUsername(target.User), mail.WithPassword(password), mail.WithOpportunisticSMTPAuth(
			mail.SMTPAuthSCRAMSHA256, mail.SMTPAuthSCRAMSHA1, mail.SMTPAuthCramMD5, mail.SMTPAuthPlain, mail.SMTPAuthLogin))
	}
	return mail.NewClient(target.Host, options...)
}

// dialer returns a function that connects, encrypted from the first byte where that is
// asked for. The connection is closed when ctx ends, which the library does not look at
// once it is connected.
func dialer(ctx context.Context, encrypted bool, encryption *tls.Config) mail.DialContextFunc {
	return func(dialCtx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(dialCtx, network, address)
		if err != nil {
			return nil, err
		}
		context.AfterFunc(ctx, func() { _ = conn.Close() })
		if !encrypted {
			return conn, nil
		}
		secured := tls.Client(conn, encryption)
		if err := secured.HandshakeContext(dialCtx); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		return secured, nil
	}
}

// mailError says what went wrong without the password, which a server may repeat, and
// whether another try may help.
func mailError(ctx context.Context, target config.MailTarget, password string, err error) error {
	final := errors.As(err, new(*tls.CertificateVerificationError)) || errors.Is(err, mail.ErrNoSupportedAuthDiscovered)
	var answer *textproto.Error
	if errors.As(err, &answer) {
		final = final || answer.Code >= 500
		err = fmt.Errorf("it answered %d %s", answer.Code, answer.Msg)
	}
	if faults, refused := refusals(err); len(faults) > 0 {
		final = final || refused
		err = errors.New(strings.Join(faults, "; "))
	}
	switch {
	case secretIn(err.Error(), target.User, password):
		err = errors.New("it refused the login")
	case ctx.Err() != nil:
		err = errors.New("it does not answer in time")
	}
	err = fmt.Errorf("the mail server %s: %w", net.JoinHostPort(target.Host, target.Port), err)
	if final {
		return backoff.Permanent(err)
	}
	return err
}

// refusals returns why letters were not taken, and whether each was refused for good.
func refusals(err error) (faults []string, final bool) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		final = true
		for _, part := range joined.Unwrap() {
			more, finally := refusals(part)
			faults, final = append(faults, more...), final && finally
		}
		return faults, final
	}
	var fault *mail.SendError
	if !errors.As(err, &fault) {
		return nil, false
	}
	text, _, _ := strings.Cut(fault.Error(), ", affected message ID")
	return []string{text}, fault.ErrorCode() >= 500
}

// secretIn reports whether the text has the password in one of the forms in which it is
// sent.
func secretIn(text, user, password string) bool {
	if password == "" {
		return false
	}
	for _, form := range []string{
		password, base64.StdEncoding.EncodeToString([]byte(password)),
		base64.StdEncoding.EncodeToString([]byte("\x00" + user + "\x00" + password)),
	} {
		if strings.Contains(text, form) {
			return true
		}
	}
	return false
}
