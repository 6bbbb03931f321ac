package mapping

import (
	"strings"
	"testing"
)

// TestImplausible puts values that cannot be the attribute's, each an error of the rule.
func TestImplausible(t *testing.T) {
	for _, tc := range []struct {
		attributes []Attribute
		rule       Rule
		values     string
	}{
		{[]Attribute{FirstName, City, CellPhone, Street, StudentNumber}, RuleProgramText,
			`System.String[]|[object Object]|[Object]|Microsoft.ActiveDirectory.Management.ADPropertyValueCollection|["613-555-0100"]|{613-555-0101}|{'a': 1}|<Person object at 0x7f2a>|[Ljava.lang.String;@1b2c3d|java.util.Date@1b2c3d|java.util.Date|org.example.Person|app.models.Person@5f3a|HASH(0x55d0c8)|#<Person:0x007>|<class 'str'>|System.Collections.Generic.List` + "`" + `1[System.String]|@{Name=Ann}|&{Ann Roy}|${first}|%!s(<nil>)|function () { return a }|b'Ann'|('Ann',)|<Student: Ann>|Optional[Ann]|Optional.empty|Some(Ann)|stdClass Object|Resource id #5|a:1:{i:0;s:3:"Ann";}|%FNAME%|<<First Name>>`},
		{[]Attribute{City, StudentNumber}, RuleProgramText, `Array|Object`},
		{[]Attribute{FirstName, LastName, City}, RuleBadName, `http://example.ca/ann|HTTPS://example.ca|www.example.ca|mailto:ann@example.ca|12;#Ann Roy|CN=Ann Roy,OU=Students,DC=example`},
		{[]Attribute{FirstName, City, CellPhone, Street, Province, UserName}, RuleNoCachedValue, `=B2|=PROPER("ann")|=VLOOKUP(A2,Cities!A:B,2,0)|=-B2`},
		{[]Attribute{FirstName, City, Street, CellPhone}, RuleNoCachedValue, `+D4|+A1&B1`},
		{[]Attribute{FirstName, LastName, City}, RuleBadName, `12345|613-555-0100|2004-03-09|ann@example.ca|900123401|12%`},
		{[]Attribute{CellPhone, StudentPhone}, RuleBadPhone, `call mom|Ottawa|ask|ann@example.ca|p1@example.ca`},
		{[]Attribute{LastName, City, Street, CellPhone, UniqueID, UserName}, RuleTurnedToBoolean, "TRUE|FALSE"},
		{[]Attribute{City, CellPhone, FirstName, StudentNumber, Email}, RuleCellError,
			"#N/D|#NV|#VALEUR!|#WERT!|#ERROR!|#BEZUG!|#¡REF!|#¿NOMBRE?|#DIV/0!|#DEEL/0!|#SAKNAS!|#Н/Д|#ЗНАЧ!|#Error|#Deleted|#Num!|#Name?|Err:502|err:508|Fehler:502|Loading...|Chargement…|##|##########|#N/B|#I/T|#PUUTTUU|#NEDOSTUPNÝ|#NENÍ_K_DISPOZICI|Errore:504|Erro:502|Fout:502|Fel:502|Fejl:502|Virhe:502|Hiba:502|Chyba:502|Błąd:502"},
	} {
		for _, attribute := range tc.attributes {
			for value := range strings.SplitSeq(tc.values, "|") {
				cell := Cell{Text: value}
				if tc.rule == RuleTurnedToBoolean {
					cell.Kind = BoolCell
				}
				r := mapCell(t, attribute, "", cell)
				if got, sent := r.Profile.Get(attribute); sent {
					t.Errorf("%s %q was sent as %q", attribute, value, got)
				}
				if len(r.Problems) != 1 || r.Problems[0].Rule != tc.rule {
					t.Errorf("%s %q: got %v, want %s", attribute, value, r.Problems, tc.rule)
				}
			}
		}
	}
}

// What only looks implausible is sent as it is.
func TestPlausible(t *testing.T) {
	for attribute, values := range map[Attribute]string{
		FirstName: "True|False|J.R.|J|Ü|花子|Object|System|Array|Mary (Molly)|Anna-Lena|Err|D’Arcy|II|Ⅷ|3rd|O'Neil|B'Elanna|Some|Just|Optional|Array|Joe www|Ann: Bo|W. W.",
		LastName:  "O|X|St.John|True|Loading|Error|de la O|Deleted|Valeur|Systems",
		City:      "Y|Eu|St.Catharines|100 Mile House|1770 Town|Loading|Reff|Winston-Salem|St. John's|Error|Object City|Arraya|A: B|Oulu|Cnossos",
		CellPhone: "1-800-555-HELP|613-555-0100 x12|+44 20 7946 0000|4521|(613) 555-0100|٦١٣٥٥٥٠١٠٠",
		Street:    "12 Main St (rear)|[B] 4 King St|#4|#12-400 King St|# 7|#4B|Loading Dock 4, 12 Main St|Ref. 502|Null 5|#A|#B12|Fel 502|Hiba 502|Unit:502|Apt: 512|Rm:510|Virhe 4: 502|50% Lane|(Rear), Lot 5|@ The Mews 4|& Sons Yard|$5 Alley",
		UserName:  "#aroy|true|ann.roy|com.user|net.ann.roy|java.ann|j.r@example.ca|ann.roy@2024|Ann.Roy@2024|roy@cafe",
	} {
		for value := range strings.SplitSeq(values, "|") {
			r := mapCell(t, attribute, "", Cell{Text: value})
			if got, _ := r.Profile.Get(attribute); got != value || len(r.Problems) > 0 {
				t.Errorf("%s %q was sent as %q: %v", attribute, value, got, r.Problems)
			}
		}
	}
}
