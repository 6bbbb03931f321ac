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

// phone writes a valid phone number in one way: 613-555-1212 in North America,
// +44 20 7946 0958 elsewhere, with x123 for an extension. What is no valid
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
