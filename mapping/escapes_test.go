package mapping

import (
	"fmt"
	"testing"
)

func TestEscapes(t *testing.T) {
	const same = "\x00same"
	for _, tc := range []struct {
		attribute Attribute
		text      string
		want      string // the value as it is sent; same when nothing is said; "" when it is not sent
		says      string // part of the message
	}{
		// HTML
		{LastName, "O&#39;Brien", "O'Brien", "HTML character references; it is sent as"},
		{LastName, "O&#x27;Brien", "O'Brien", ""},
		{LastName, "O&apos;Brien", "O'Brien", ""},
		{LastName, "O&#39Brien", "O'Brien", ""},
		{LastName, "O&amp;#39;Brien", "O'Brien", ""},
		{LastName, "CH&EACUTE;NIER", "CHÉNIER", ""},
		{FirstName, "Ren&#65533;e", "", "references."},
		{FirstName, "Ren&#7;e", "", "means no letter"},
		{LastName, "Lee &amp; Roy", "Lee & Roy", ""},
		{LastName, "Lee &amp Roy", "Lee & Roy", ""},
		{FirstName, "Ren&eacute;e", "Renée", ""},
		{FirstName, "Ren&eacutee", "Renée", ""},
		{FirstName, "Fran&#231;ois", "François", ""},
		{FirstName, "&Eacute;ric", "Éric", ""},
		{FirstName, "&#26757;", "梅", ""},
		{LastName, "M&uuml;ller", "Müller", ""},
		{LastName, "Mary&nbsp;Jane", "Mary Jane", "HTML"},
		{City, "Qu&eacute;bec", "Québec", ""},
		{Street, "3 ch. de l&rsquo;&Icirc;le", "3 ch. de l’Île", ""},
		{FirstName, "<b>Ann</b>", "Ann", "HTML tags"},
		{LastName, "<![CDATA[Roy & Lee]]>", "Roy & Lee", ""},
		{FirstName, "Ren<U+00E9>e", "Renée", ""},
		{Street, "12 Main St<br/>", "12 Main St", ""},
		{Street, "12 Main St<BR>Apt 4", "", "HTML tags."},
		{Street, "<p>12 Main St</p><p>Apt 4</p>", "", ""},
		{Street, "12 Main St&lt;br&gt;Apt 4", "", ""},
		{Street, "12 Main St&#xa;Apt 4", "", ""},
		{Email, `<a href="mailto:ann@example.ca">ann@example.ca</a>`, "ann@example.ca", ""},
		{Email, "o&#39;brien@example.ca", "", `means "o'brien@example.ca"`},
		{UniqueID, "900123401&nbsp;", "900123401", ""},
		{UniqueID, "A&amp;12", "", `means "A&12"`},
		{CellPhone, "613&nbsp;555&nbsp;0100", "613 555 0100", ""},
		{Street, "R&D; Bldg 4", same, ""},
		{Street, "AT&T Plaza", same, ""},
		{Street, "Smith & Sons; 4 Q&A Lane", same, ""},
		{Street, "Smith&#200 King St", same, ""},
		{Street, "Unit #4; back", same, ""},
		{Street, "Bldg A&B; 2", same, ""},
		{Street, "Black&Tan; 4", same, ""},
		{LastName, "Ann <Bo> Roy", same, ""},

		// Backslashes
		{LastName, `O\'Brien`, "O'Brien", "backslash escapes"},
		{LastName, `O\\'Brien`, "O'Brien", ""},
		{LastName, `O\u0027Brien`, "O'Brien", ""},
		{FirstName, `Ren\u00e9e`, "Renée", ""},
		{FirstName, `Ren\\u00E9e`, "Renée", ""},
		{FirstName, `Ren\u{00e9}e`, "Renée", ""},
		{FirstName, `\u00c9ric`, "Éric", ""},
		{FirstName, `\u82b1\u5b50`, "花子", ""},
		{FirstName, `REN\U00C9E`, "RENÉE", ""},
		{FirstName, `Ren\ufffde`, "", "escapes."},
		{FirstName, `Ren\xc3\xa9e`, "Renée", ""},
		{FirstName, `Ren\303\251e`, "Renée", ""},
		{FirstName, `Ren\C3\A9e`, "Renée", ""},
		{FirstName, `Ren\xe9e`, "", `"Renée"`},
		{FirstName, `Ren\351e`, "", `"Renée"`},
		{FirstName, `Ren\'e9e`, "", `"Renée"`},
		{LastName, `Roy\, Jr.`, "Roy, Jr.", ""},
		{LastName, `Roy\2C Ann`, "Roy, Ann", ""},
		{Street, `12 Main St\, Apt 4`, "12 Main St, Apt 4", ""},
		{Street, `12 Main St\; Apt 4`, "12 Main St; Apt 4", ""},
		{Street, `12 Main St\nApt 4`, "", "backslash escapes."},
		{Street, `12 Main St\r\nApt 4`, "", ""},
		{Street, `12 rue Roy\napp. 4`, "", ""},
		{Street, `12 Main St\r\n`, "12 Main St", ""},
		{Email, `o\'brien@example.ca`, "", "means"},
		{UserName, `CAMPUS\nroy`, same, ""},
		{UserName, `CAMPUS\u00e9`, same, ""},
		{Street, `C\O Roy, 12 Main St`, same, ""},
		{Street, `4\north`, same, ""},
		{Street, `King St\north side`, same, ""},
		{Street, `C:\new`, same, ""},
		{Street, `12\140 King St`, same, ""},
		{LastName, `Smith\Jones`, same, ""},

		// Doubled
		{LastName, "O''Neil", "O'Neil", "doubled apostrophes"},
		{LastName, "D''Angelo", "D'Angelo", ""},
		{City, "L''Assomption", "L'Assomption", ""},
		{City, `Gda\u{144}sk`, "Gdańsk", ""},
		{UserName, `o\'neil`, "", `means "o'neil"`},
		{FirstName, `Robert ""Bob"" R`, `Robert "Bob" R`, "doubled quotes"},
		{Street, "12'' Pipe Rd", same, ""},
		{LastName, "O'Neil", same, ""},
		{LastName, "Ng'ang'a", same, ""},

		// Transfer encodings
		{FirstName, "Mary%20Jane", "Mary Jane", "percent-encoded"},
		{FirstName, "Mary+Jane%2C+R", "Mary Jane, R", ""},
		{FirstName, "Ren%C3%A9e", "Renée", ""},
		{FirstName, "Ren%25C3%25A9e", "Renée", ""},
		{FirstName, "Ren%u00e9e", "Renée", ""},
		{FirstName, "Ren%E9e", "", `"Renée"`},
		{City, "Montr%c3%a9al", "Montréal", ""},
		{Street, "12%20Main%20St", "12 Main St", ""},
		{Email, "ann%40example.ca", "", `means "ann@example.ca"`},
		{CellPhone, "613%2D555%2D0100", "613-555-0100", ""},
		{FirstName, "%C9ric", "", `"Éric"`},
		{Street, "100% Fitness Plaza", same, ""},
		{Street, "50 % Rd", same, ""},
		{Street, "50% off", same, ""},
		{Street, "5%50 Rd", same, ""},
		{FirstName, "Ren=C3=A9e", "Renée", "quoted-printable"},
		{FirstName, "Ren=E9e", "", `"Renée"`},
		{FirstName, "Mary=20Jane", "Mary Jane", ""},
		{FirstName, "=?UTF-8?Q?Ren=C3=A9e?=", "Renée", ""},
		{FirstName, "=?utf-8?B?UmVuw6ll?=", "Renée", ""},
		{FirstName, "=?iso-8859-1?Q?Ren=E9e?=", "Renée", ""},
		{Street, "Unit A=12, 4 King St", same, ""},
		{Street, "Unit A=C4 King St", same, ""},
		{FirstName, "Ren+AOk-e", "Renée", "UTF-7"},
		{FirstName, "Ren&AOk-e", "Renée", ""},
		{FirstName, "Jos+AOk-", "José", ""},
		{City, "Trois-Rivi+AOg-res", "Trois-Rivières", ""},
		{Street, "Lot C+D, 4-5", same, ""},
		{Street, "Lot C+DEF-4", same, ""},
		{Email, "bo+AOk-x@example.ca", same, ""},

		// Workbooks
		{FirstName, "Ann_x000D_", "Ann", "_xHHHH_"},
		{UniqueID, "900123401_x000D_", "900123401", ""},
		{Email, "ann@example.ca_x000D_", "ann@example.ca", ""},
		{UserName, "roy_x000D_", "roy", ""},
		{LastName, "O_x0027_Brien", "O'Brien", ""},
		{FirstName, "Mary_x0020_Jane", "Mary Jane", ""},
		{Street, "12 Main St_x000D_\nApt 4", "", ""},
		{UserName, "roy_x1", same, ""},
		{UserName, "roy_", same, ""},
	} {
		t.Run(fmt.Sprint(tc.attribute, " ", tc.text), func(t *testing.T) {
			r := mapCell(t, tc.attribute, "", Cell{Text: tc.text})
			got, _ := r.Profile.Get(tc.attribute)
			if tc.want == same {
				if got != tc.text || len(r.Problems) > 0 && r.Problems[0].Rule != RuleUnusualCharacter {
					t.Errorf("sent %q, and said %v", got, r.Problems)
				}
				return
			}
			if got != tc.want {
				t.Errorf("sent %q, want %q", got, tc.want)
			}
			rule := RuleCleanedText
			if len(r.Problems) > 0 && tc.want == "" {
				rule = r.Problems[0].Rule
			}
			checkProblem(t, r, rule, tc.says)
			if asIs := mapCell(t, tc.attribute, "as_is: true", Cell{Text: tc.text}); len(asIs.Problems) > 0 && asIs.Problems[0].Rule == RuleCleanedText {
				t.Errorf("as it is: %v", asIs.Problems)
			}
		})
	}
}
