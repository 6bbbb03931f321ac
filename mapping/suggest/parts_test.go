package suggest

import (
	"testing"

	"opscom-import/mapping"
)

// A value whose parts are in several columns is made of all of them, in the order in
// which they are written, and is a guess: one part alone would lose the others.
func TestParts(t *testing.T) {
	for name, tc := range map[string]struct {
		table     []string
		attribute mapping.Attribute
		want      string // the expression
	}{
		"a house number":                 {[]string{"House Number|Street|City", "12|Main|Ottawa"}, mapping.Street, `trim(col("House Number") + " " + col("Street"))`},
		"behind its street":              {[]string{"Street|House No|City", "Main|12|Ottawa"}, mapping.Street, `trim(col("House No") + " " + col("Street"))`},
		"of Banner, with a second line":  {[]string{"SPRADDR_HOUSE_NUMBER|SPRADDR_STREET_LINE1|SPRADDR_STREET_LINE2", "12|Main St|Apt 3"}, mapping.Street, `trim(col("SPRADDR_HOUSE_NUMBER") + " " + col("SPRADDR_STREET_LINE1") + " " + col("SPRADDR_STREET_LINE2"))`},
		"in French":                      {[]string{"No civique|Rue|App.", "12|Principale|3"}, mapping.Street, `trim(col("No civique") + " " + col("Rue") + " " + col("App."))`},
		"of a mailing address":           {[]string{"City|Mailing Civic Number|Mailing Street|Mailing City", "Ottawa|12|Main|Ottawa"}, mapping.Street2, `trim(col("Mailing Civic Number") + " " + col("Mailing Street"))`},
		"in German, it follows":          {[]string{"Hausnummer|Straße|PLZ", "5a|Hauptstraße|80331"}, mapping.Street, `trim(col("Straße") + " " + col("Hausnummer"))`},
		"in Dutch, with an addition":     {[]string{"Straat|Huisnummer|Toevoeging", "Dorpsstraat|5|bis"}, mapping.Street, `trim(col("Straat") + " " + col("Huisnummer") + " " + col("Toevoeging"))`},
		"in Spanish":                     {[]string{"Calle|Número exterior|Número interior", "Juárez|12|3"}, mapping.Street, `trim(col("Calle") + " " + col("Número exterior") + " " + col("Número interior"))`},
		"the particle of a name":         {[]string{"Voornaam|Tussenvoegsel|Achternaam", "Jan|van den|Berg"}, mapping.LastName, `trim(col("Tussenvoegsel") + " " + col("Achternaam"))`},
		"the particle of a name, Banner": {[]string{"SPRIDEN_SURNAME_PREFIX|SPRIDEN_LAST_NAME", "van|Berg"}, mapping.LastName, `trim(col("SPRIDEN_SURNAME_PREFIX") + " " + col("SPRIDEN_LAST_NAME"))`},
	} {
		t.Run(name, func(t *testing.T) {
			header, rows := table(tc.table...)
			found := false
			for _, s := range Columns(header, rows) {
				if s.Attribute != tc.attribute {
					continue
				}
				found = true
				if s.Expr != tc.want || s.Confidence != Likely {
					t.Errorf("%s %s, want likely %s", s.Confidence, s.Expr, tc.want)
				}
			}
			if !found {
				t.Errorf("nothing gives %s", tc.attribute)
			}
		})
	}
}

// What stands beside an address or a name and is no part of it leaves it certain.
func TestNoParts(t *testing.T) {
	for header, want := range map[string]string{
		"Phone Number|Street|City":            "street = Street",
		"Room Number|House Name|Street":       "street = Street",
		"Plate Number|Street Address":         "street = Street Address",
		"Student Number|Rue":                  "street = Rue",
		"Prefix|First Name|Last Name":         "last_name = Last Name",
		"House Number|School House|Last Name": "last_name = Last Name",
	} {
		names, _ := table(header)
		found := false
		for _, s := range Columns(names, nil) {
			found = found || s.Attribute.String()+" = "+s.Header == want && s.Confidence == Certain && s.Expr == ""
		}
		if !found {
			t.Errorf("%s: want %s", header, want)
		}
	}
}
