package sandbox

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"opscom-import/mapping"
)

// maxBody is the size limit of a request's body in bytes, about ten times that of
// the longest profile within the published limits.
const maxBody = 64 << 10

// Call is one of the Controller's calls.
type Call string

// The calls; "" is a request for anything else.
const (
	PushCall  Call = "push"
	TypesCall Call = "types"
)

// route returns the call and the client code in a path.
func route(path string) (call Call, client string) {
	path, ok := strings.CutPrefix(path, "/api/")
	if !ok {
		return "", ""
	}
	if client, ok = strings.CutSuffix(path, "/v1/profiles/push"); ok {
		return PushCall, client
	}
	if client, ok = strings.CutSuffix(path, "/v1/profiles/types/list"); ok {
		return TypesCall, client
	}
	return "", ""
}

// request is a request that was read. It is reused.
type request struct {
	parser  *parser
	encoded []byte // the profile, for its hash
	client  string
	token   string
	profile mapping.Profile
	refused answer // why the request is not accepted
}

// read reads the body of r, and checks everything that does not depend on client
// code and token.
func (q *request) read(r *http.Request) {
	q.token, q.refused = "", answer{}
	q.profile.Reset()
	size, err := q.parser.fill(io.LimitReader(r.Body, maxBody+1))
	switch {
	case r.Method != http.MethodPost:
		q.refused = errorAnswer(http.StatusMethodNotAllowed, 9003, "The request is not a POST.")
	case !isJSON(r.Header.Get("Content-Type")):
		q.refused = errorAnswer(http.StatusUnsupportedMediaType, 9003, "The content type is not application/json.")
	case err != nil:
		q.refused = rejection(9003, "The request ended too early.")
	case size > maxBody:
		q.refused = errorAnswer(http.StatusRequestEntityTooLarge, 9003, "The request is too large.")
	default:
		q.token, q.refused = q.parser.parse(&q.profile)
	}
}

func isJSON(contentType string) bool {
	if contentType == jsonType {
		return true
	}
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && media == jsonType
}

// hash returns the hash of the profile.
func (q *request) hash() (Hash, error) {
	var err error
	if q.encoded, err = q.profile.AppendJSON(q.encoded[:0]); err != nil {
		return Hash{}, fmt.Errorf("hash a profile: %w", err)
	}
	return sha256.Sum256(q.encoded), nil
}

// attributeNames returns every name that the Controller accepts.
func attributeNames() map[string]mapping.Attribute {
	names := make(map[string]mapping.Attribute)
	for _, spec := range mapping.Attributes() {
		for _, name := range spec.Names {
			names[name] = spec.Attribute
		}
	}
	return names
}

// parser reads a profile from a JSON object. It is reused.
type parser struct {
	names   map[string]mapping.Attribute
	source  bytes.Buffer
	decoder *jsontext.Decoder
	text    []byte // an unquoted string
}

func newParser(names map[string]mapping.Attribute) *parser {
	p := &parser{names: names}
	p.decoder = jsontext.NewDecoder(&p.source)
	return p
}

// fill replaces the text to parse by the content of r.
func (p *parser) fill(r io.Reader) (size int64, err error) {
	p.source.Reset()
	return p.source.ReadFrom(r)
}

// parse parses the text, which must be one object. If an attribute is sent under two
// names, the later one counts.
func (p *parser) parse(profile *mapping.Profile) (token string, refused answer) {
	p.decoder.Reset(&p.source)
	if t, err := p.decoder.ReadToken(); err != nil || t.Kind() != '{' {
		return unreadable()
	}
	for p.decoder.PeekKind() == '"' {
		name, err := p.decoder.ReadValue()
		if err != nil {
			return unreadable()
		}
		if p.text, err = jsontext.AppendUnquote(p.text[:0], name); err != nil {
			return unreadable()
		}
		attribute, isToken := p.names[string(p.text)], string(p.text) == "apiToken"
		value, err := p.decoder.ReadValue()
		if err != nil || attribute == mapping.NoAttribute && !isToken {
			return unreadable()
		}
		if value.Kind() != '"' {
			refused = rejection(9033, "A value is invalid.")
			continue
		}
		if p.text, err = jsontext.AppendUnquote(p.text[:0], value); err != nil {
			return unreadable()
		}
		if isToken {
			token = string(p.text)
		} else {
			profile.Set(attribute, string(p.text))
		}
	}
	if t, err := p.decoder.ReadToken(); err != nil || t.Kind() != '}' {
		return unreadable()
	}
	if _, err := p.decoder.ReadToken(); err != io.EOF {
		return unreadable()
	}
	return token, refused
}

func unreadable() (token string, refused answer) {
	return "", rejection(9003, "The request could not be parsed.")
}
