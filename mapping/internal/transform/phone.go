package transform

import (
	"strings"

	"github.com/nyaruka/phonenumbers"
)

const (
	// phoneRegion is the region of a number without a country code. Canada shares its
	// numbering plan with the United States.
	phoneRegion = "CA"

	// maxPhoneChars is the published limit of phone_cell, the tightest of the
	// phone attributes.
	maxPhoneChars = 20
)

// phoneFormatter formats phone numbers. It is for one goroutine at a time.
type phoneFormatter struct {
	exchanges map[string]bool // area code and exchange of a ten-digit number → valid
}

func newPhoneFormatter() *phoneFormatter { return &phoneFormatter{exchanges: map[string]bool{}} }

// format does what phone does. The first six digits of a North American number
// decide whether it is valid, so they are remembered: that takes a fiftieth of the
// time.
func (w *phoneFormatter) format(s string) string {
	var buffer [11]byte
	digits, plain := plainDigits(s, buffer[:0])
	if !plain {
		return phone(s)
	}
	if len(digits) == 11 && digits[0] == '1' {
		digits = digits[1:]
	}
	if len(digits) != 10 || digits[0] < '2' { // 0 and 1 are prefixes
		return phone(s)
	}
	valid, known := w.exchanges[string(digits[:6])]
	if !known {
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
// only the usual separators are between them, and they fit.
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

// phone formats a valid phone number: 613-555-1212 in North America,
// +44 20 7946 0958 elsewhere, with x123 for an extension. A number that is not
// valid, or does not fit, is unchanged.
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
