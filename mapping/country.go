package mapping

import (
	"strings"
	"sync"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"opscom-import/mapping/internal/chars"
)

// addressCountry checks a province or state against the country in the same row: TN
// is Tennessee, and Tamil Nadu.
type addressCountry struct {
	label   string
	column  int             // of the country
	postals []int           // the columns of the postal code
	abroad  map[string]bool // what isAbroad said of the texts so far
}

// countryHeaders are the names of columns with the country of an address, folded.
var countryHeaders = map[string]bool{
	"country": true, "countrycode": true, "countryname": true, "countryregion": true, "countryorregion": true,
	"addresscountry": true, "mailingcountry": true, "homecountry": true, "permanentcountry": true, "countryaddress": true,
	"pays": true, "codepays": true, "paysadresse": true, "pais": true, "paese": true, "land": true,
}

// compileCountry finds the column with the country of the main address. Of several,
// none is certain.
func (c *compiler) compileCountry(f *Field, m *fieldMapper) {
	if f.Attribute != Province || f.AsIs || len(m.columns) == 0 {
		return
	}
	columns := columnsWhere(c.header, func(h string) bool { return countryHeaders[chars.Fold(h)] })
	if len(columns) != 1 {
		return
	}
	m.country = &addressCountry{label: m.check.spec.Label, column: columns[0], abroad: map[string]bool{}}
	for i := range c.file.Fields {
		if other := &c.file.Fields[i]; other.Attribute == PostalCode {
			for _, name := range other.Columns {
				if column, err := FindColumn(c.header, name); err == nil {
					m.country.postals = append(m.country.postals, column)
				}
			}
		}
	}
}

// check says whether a row's region is to be sent, and warns where its country has
// others: the column may be that of a citizenship, so a Canadian postal code or a ZIP
// code counts for more.
func (a *addressCountry) check(cells []Cell, text, region string) (send bool, problem *Problem) {
	country := chars.Trim(cellAt(cells, a.column).Text)
	abroad, known := a.abroad[country]
	if !known {
		if abroad = isAbroad(country); len(a.abroad) < 1000 {
			a.abroad[country] = abroad
		}
	}
	if !abroad {
		return true, nil
	}
	about := about(a.label, text)
	switch a.postalShape(cells) {
	case "A9A9A9":
		return true, nil
	case "99999", "999999999":
		return true, warn(RuleBadRegion, about+"is sent as "+region+", though the country is "+chars.Quote(country)+".", "Check the country.")
	}
	return false, warn(RuleBadRegion, about+"is not sent: the country is "+chars.Quote(country)+", and OPS-COM has codes only for Canada and the USA.", "")
}

// postalShape returns the shape of the row's postal code, without spaces and dashes.
func (a *addressCountry) postalShape(cells []Cell) string {
	for _, column := range a.postals {
		if code := chars.Trim(cellAt(cells, column).Text); code != "" {
			return chars.Shape(strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(code)))
		}
	}
	return ""
}

// isAbroad reports whether a text is a country other than Canada and the USA, by its
// ISO 3166 code or its name in a language of western Europe. Anything else is no country.
func isAbroad(country string) bool {
	switch country {
	case "", "CA", "US", "CAN", "USA", "Canada", "United States":
		return false
	}
	if missingWords[strings.ToLower(country)] != 0 { // NA is Namibia as well
		return false
	}
	if len(country) <= 3 {
		region, err := language.ParseRegion(country)
		return err == nil && region.IsCountry() && !isHome(region)
	}
	return countriesAbroad()[chars.Fold(country)]
}

// isHome reports whether a country has provinces or states that OPS-COM knows.
func isHome(region language.Region) bool {
	switch region.String() {
	case "CA", "US", "PR", "GU", "VI", "AS", "MP", "UM":
		return true
	}
	return false
}

// countriesAbroad returns the folded names of the countries other than Canada and the
// USA. Georgia is not among them: it is a state as well.
var countriesAbroad = sync.OnceValue(func() map[string]bool {
	names := map[string]bool{"uk": true, "england": true, "scotland": true, "wales": true, "southkorea": true, "korea": true, "czechrepublic": true, "peoplesrepublicofchina": true, "prchina": true}
	var languages []display.Namer
	for _, tag := range []language.Tag{language.English, language.French, language.German, language.Spanish, language.Portuguese, language.Italian, language.Dutch} {
		languages = append(languages, display.Regions(tag))
	}
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			region, err := language.ParseRegion(string(a) + string(b))
			if err != nil || !region.IsCountry() || isHome(region) || region.String() == "GE" {
				continue
			}
			for _, in := range languages {
				names[chars.Fold(in.Name(region))] = true
			}
		}
	}
	return names
})
