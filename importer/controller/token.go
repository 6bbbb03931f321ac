package controller

import (
	"fmt"
	"io"
	"log/slog"
)

// redacted is printed in place of a token.
const redacted = "[token]"

// Token is the secret that the Controller requires. Printed, logged or encoded,
// alone or as part of another value, it shows as "[token]". The zero value is no
// token.
type Token struct {
	// secret is a pointer because fmt prints unexported fields without calling
	// their methods: for a Token deep inside a struct it then shows an address.
	secret *string
}

// NewToken returns the token whose text is secret.
func NewToken(secret string) Token {
	if secret == "" {
		return Token{}
	}
	return Token{&secret}
}

// IsZero reports whether there is no token.
func (t Token) IsZero() bool { return t.secret == nil }

// String returns "[token]".
func (Token) String() string { return redacted }

// Format prints "[token]", whatever the verb.
func (Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue returns "[token]".
func (Token) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns "[token]"; encoders of JSON and the like use it.
func (Token) MarshalText() ([]byte, error) { return []byte(redacted), nil }
