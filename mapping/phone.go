package mapping

import (
	"strings"

	"github.com/nyaruka/phonenumbers"
)

const (
	// phoneRegion is where a number without a country code belongs. Canada shares
	// its numbering plan with the United States.
	phoneRegion = "CA"

	// maxPhoneChars is the published limit of phone_cell, the tightest of the
	// phone attributes.
	maxPhoneChars = 20
)

// phoneWriter writes phone numbers in one way. It is for one goroutine at a time.
type phoneWriter struct {
	exchanges map[string]bool // area code and exchange of ten-digit numbers that were met → valid
}

func newPhoneWriter() *phoneWriter { return &phoneWriter{exchanges: map[string]bool{}} }

// write does what phone does. Whether a number of the North American plan is valid
// shows in its first six digits, so that these are looked up once: that takes a
// fiftieth of the time.
func (w *phoneWriter) write(s string) string {
	var buffer [11]byte
	digits, plain := plainDigits(s, buffer[:0])
	if !plain {
		return phone(s)
	}
	if len(digits) == 11 && digits[0] == '1' {
		digits = digits[1:]
	}
	if len(digits) != 10 || digits[0] < '2' { // 0 and 1 lead elsewhere
		return phone(s)
	}
	valid, met := w.exchanges[string(digits[:6])]
	if !met {
		number, err := phonenumbers.Parse(s, phoneRegion)
		valid = err == nil && phonenumbers.IsValidNumber(number)
		w.exchanges[string(digits[:6])] = valid
	}
	if !valid {
		return s
	}
	return string(digits[:3]) + "-" + string(digits[3:6]) + "-" + string(digits[6:])
}

// plainDigits appends the digits of a number to digits. The number is plain when
// nothing but the usual signs stands between them, and they fit.
func plainDigits(s string, digits []byte) (all []byte, plain bool) {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9' && len(digits) < cap(digits):
			digits = append(digits, c)
		case c != ' ' && c != '-' && c != '.' && c != '(' && c != ')':
			return digits, false
		}
	}
	return digits, true
}

// phone writes a valid phone number in one way: 613-555-1212 in North America,
// +44 20 7946 0958 elsewhere, with x123 for an extension. What is not a valid
// number, or does not fit, stays as it is.
func phone(s string) string {
	number, err := phonenumbers.Parse(s, phoneRegion)
	if err != nil || !phonenumbers.IsValidNumber(number) {
		return s
	}
	extension := ""
	if number.GetExtension() != "" {
		extension = " x" + number.GetExtension()
		number.Extension = nil
	}
	for _, format := range []phonenumbers.PhoneNumberFormat{phonenumbers.INTERNATIONAL, phonenumbers.E164} {
		written := strings.TrimPrefix(phonenumbers.Format(number, format), "+1 ") + extension
		if len(written) <= maxPhoneChars {
			return written
		}
	}
	return s
}
