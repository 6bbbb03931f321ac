package suggest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"opscom-import/mapping"
	"opscom-import/mapping/internal/chars"
)

// table makes a header and rows of text cells from lines whose cells are separated
// by "|".
func table(lines ...string) (header []string, rows [][]mapping.Cell) {
	header = strings.Split(lines[0], "|")
	for _, line := range lines[1:] {
		var row []mapping.Cell
		for cell := range strings.SplitSeq(line, "|") {
			row = append(row, mapping.Cell{Text: cell})
		}
		rows = append(rows, row)
	}
	return header, rows
}

// short writes what is matched, in the attributes' order: "email = Courriel" for
// what is certain, "email ? Courriel" for a guess.
func short(suggestions []Suggestion) string {
	var lines []string
	for _, spec := range mapping.Attributes() {
		for _, s := range suggestions {
			if s.Attribute == spec.Attribute {
				lines = append(lines, s.Attribute.String()+map[Confidence]string{Certain: " = ", Likely: " ? "}[s.Confidence]+s.Header)
			}
		}
	}
	return strings.Join(lines, "\n")
}

// TestColumnsSystems has the headers of exports from student systems and directories,
// with invented people.
func TestColumnsSystems(t *testing.T) {
	for _, tc := range []struct {
		name  string
		table []string
		want  string
	}{
		{"the API's own names", []string{
			"unique_id|login_source|first_name|last_name|user_name|email|street|city|state|zip|street2|city2|province2|postal_code2|phone_cell|user_type_id|employ_no|employee_phone|student_no|student_phone|driver_license_num|driver_license_state|date_of_birth|locker_user_type_id",
		}, "unique_id = unique_id\nlogin_source = login_source\nfirst_name = first_name\nlast_name = last_name\nuser_name = user_name\nemail = email\nstreet = street\ncity = city\nprovince = state\npostal_code = zip\nstreet2 = street2\ncity2 = city2\nprovince2 = province2\npostal_code2 = postal_code2\nphone_cell = phone_cell\nuser_type_id = user_type_id\nemploy_no = employ_no\nemployee_phone = employee_phone\nstudent_no = student_no\nstudent_phone = student_phone\ndriver_licence_num = driver_license_num\ndriver_licence_prov = driver_license_state\ndate_of_birth = date_of_birth\nlocker_user_type_id = locker_user_type_id"},

		{"Banner report", []string{
			"Banner ID|Legal Last Name|Legal First Name|Middle Name|DOB|Student Email|Cell Phone|Street Address|City|Prov|Postal Code|Term|Program",
			"900100201|O'Neil|Zoé||2001-12-31|zoe@college.example|613-555-0101|1 Main St|Ottawa|ON|K1A 0B1|202610|NURS",
		}, "unique_id = Banner ID\nfirst_name = Legal First Name\nlast_name = Legal Last Name\nemail = Student Email\nstreet = Street Address\ncity = City\nprovince = Prov\npostal_code = Postal Code\nphone_cell = Cell Phone\ndate_of_birth = DOB"},

		{"Banner tables", []string{
			"SPRIDEN_PIDM|SPRIDEN_ID|SPRIDEN_LAST_NAME|SPRIDEN_FIRST_NAME|SPRIDEN_MI|SPBPERS_BIRTH_DATE|GOREMAL_EMAIL_ADDRESS|SPRADDR_STREET_LINE1|SPRADDR_STREET_LINE2|SPRADDR_CITY|SPRADDR_STAT_CODE|SPRADDR_ZIP|SPRTELE_PHONE_NUMBER",
		}, "unique_id = SPRIDEN_ID\nfirst_name = SPRIDEN_FIRST_NAME\nlast_name = SPRIDEN_LAST_NAME\nemail = GOREMAL_EMAIL_ADDRESS\nstreet ? SPRADDR_STREET_LINE1\ncity = SPRADDR_CITY\nprovince = SPRADDR_STAT_CODE\npostal_code = SPRADDR_ZIP\nstudent_phone ? SPRTELE_PHONE_NUMBER\ndate_of_birth = SPBPERS_BIRTH_DATE"},

		{"PeopleSoft query", []string{
			"EMPLID|FIRST_NAME|LAST_NAME|PREF_FIRST_NAME|BIRTHDATE|EMAIL_ADDR|ADDRESS1|CITY|STATE|POSTAL|COUNTRY|PHONE|NATIONAL_ID",
		}, "unique_id = EMPLID\nfirst_name = FIRST_NAME\nlast_name = LAST_NAME\nemail = EMAIL_ADDR\nstreet = ADDRESS1\ncity = CITY\nprovince = STATE\npostal_code = POSTAL\nstudent_phone ? PHONE\ndate_of_birth = BIRTHDATE"},

		{"Colleague, several IDs", []string{
			"Colleague ID|Student Number|Username|Last|First|E-Mail Address|Birth Date",
		}, "unique_id ? Colleague ID\nunique_id ? Student Number\nfirst_name = First\nlast_name = Last\nuser_name = Username\nemail = E-Mail Address\nstudent_no = Student Number\ndate_of_birth = Birth Date"},

		{"Jenzabar", []string{
			"ID_NUM|LAST_NAME|FIRST_NAME|MIDDLE_NAME|EMAIL_ADDRESS|ADDR_LINE_1|ADDR_LINE_2|CITY|STATE|ZIP|MOBILE_PHONE|BIRTH_DTE",
		}, "unique_id ? ID_NUM\nfirst_name = FIRST_NAME\nlast_name = LAST_NAME\nemail = EMAIL_ADDRESS\nstreet ? ADDR_LINE_1\ncity = CITY\nprovince = STATE\npostal_code = ZIP\nphone_cell = MOBILE_PHONE\ndate_of_birth = BIRTH_DTE"},

		{"Workday Student", []string{
			"Universal ID|Legal Name - First Name|Legal Name - Last Name|Preferred Name - First Name|Primary Institutional Email|Home Email|Primary Home Address - City|Primary Home Address - Postal Code|Date of Birth",
		}, "unique_id = Universal ID\nfirst_name ? Legal Name - First Name\nfirst_name ? Preferred Name - First Name\nlast_name = Legal Name - Last Name\nemail ? Primary Institutional Email\nemail ? Home Email\ncity ? Primary Home Address - City\npostal_code ? Primary Home Address - Postal Code\ndate_of_birth = Date of Birth"},

		{"PowerSchool", []string{
			"Student_Number|Last_Name|First_Name|Middle_Name|Grade_Level|DOB|Street|City|State|Zip|Mailing_Street|Mailing_City|Mailing_State|Mailing_Zip|Home_Phone|Mother|Father_Email|DCID",
		}, "unique_id ? Student_Number\nfirst_name = First_Name\nlast_name = Last_Name\nstreet = Street\ncity = City\nprovince = State\npostal_code = Zip\nstreet2 ? Mailing_Street\ncity2 ? Mailing_City\nprovince2 ? Mailing_State\npostal_code2 ? Mailing_Zip\nstudent_no = Student_Number\nstudent_phone ? Home_Phone\ndate_of_birth = DOB"},

		{"Infinite Campus", []string{
			"studentNumber|stateID|lastName|firstName|middleName|birthdate|gender|grade|cellPhone|email|guardianEmail",
		}, "unique_id ? studentNumber\nfirst_name = firstName\nlast_name = lastName\nemail = email\nphone_cell = cellPhone\nstudent_no = studentNumber\ndate_of_birth = birthdate"},

		{"Skyward", []string{
			"Other ID|Stu First Name|Stu Last Name|Stu Birthday|Stu Email|Guardian 1 First Name|Guardian 1 Cell Phone|Emergency Contact Phone",
		}, "unique_id ? Other ID\nfirst_name = Stu First Name\nlast_name = Stu Last Name\nemail = Stu Email\ndate_of_birth = Stu Birthday"},

		{"OneRoster users.csv", []string{
			"sourcedId|status|dateLastModified|enabledUser|orgSourcedIds|role|username|userIds|givenName|familyName|middleName|identifier|email|sms|phone|agentSourcedIds|grades|password",
		}, "unique_id ? sourcedId\nunique_id ? identifier\nfirst_name = givenName\nlast_name = familyName\nuser_name = username\nemail = email\nphone_cell ? sms\nuser_type_id ? role\nstudent_phone ? phone"},

		{"Moodle", []string{
			"username|firstname|lastname|email|idnumber|phone1|phone2|city|country|auth",
		}, "unique_id ? idnumber\nlogin_source ? auth\nfirst_name = firstname\nlast_name = lastname\nuser_name = username\nemail = email\ncity = city\nphone_cell ? phone2\nstudent_phone ? phone1"},

		{"Canvas", []string{
			"canvas_user_id|user_id|integration_id|authentication_provider_id|login_id|first_name|last_name|full_name|sortable_name|short_name|email|status|pronouns",
		}, "unique_id ? user_id\nunique_id ? integration_id\nunique_id ? login_id\nlogin_source ? authentication_provider_id\nfirst_name = first_name\nlast_name = last_name\nuser_name ? login_id\nemail = email"},

		{"Entra ID", []string{
			"userPrincipalName|displayName|surname|mail|givenName|objectId|userType|jobTitle|department|streetAddress|city|state|country|postalCode|mobilePhone|alternateEmailAddress|employeeId",
			"zroy@college.example|Zoé Roy|Roy|zoe@college.example|Zoé|0a1b|Member|||1 Main St|Ottawa|ON|Canada|K1A 0B1|613-555-0101|z@home.example|900100201",
		}, "unique_id ? userPrincipalName\nunique_id ? employeeId\nfirst_name = givenName\nlast_name = surname\nuser_name ? userPrincipalName\nemail ? mail\nemail ? alternateEmailAddress\nstreet = streetAddress\ncity = city\nprovince = state\npostal_code = postalCode\nphone_cell = mobilePhone\nuser_type_id = userType\nemploy_no ? employeeId"},

		{"Google Workspace", []string{
			"First Name [Required]|Last Name [Required]|Email Address [Required]|Password [Required]|Status [READ ONLY]|Recovery Email|Work Secondary Email|Work Phone|Home Phone|Mobile Phone|Employee ID|Manager Email",
		}, "unique_id ? Employee ID\nfirst_name = First Name [Required]\nlast_name = Last Name [Required]\nemail = Email Address [Required]\nphone_cell = Mobile Phone\nemploy_no ? Employee ID\nemployee_phone ? Work Phone\nstudent_phone ? Home Phone"},

		{"French", []string{
			"Numéro d'étudiant|Nom de famille|Prénom|Date de naissance (AAAA-MM-JJ)|Courriel|Adresse|Ville|Province|Code postal|Téléphone cellulaire|Téléphone à domicile|Courriel du parent|Code permanent|NAS|Permis de conduire",
			"2100201|Côté|Zoé|2001-12-31|zoe@college.example|1, rue Principale|Gatineau|Québec|J8X 0A1|819-555-0101|819-555-0102|p@home.example||| D1234-567890-12",
		}, "unique_id ? Numéro d'étudiant\nfirst_name = Prénom\nlast_name = Nom de famille\nemail = Courriel\nstreet ? Adresse\ncity = Ville\nprovince = Province\npostal_code = Code postal\nphone_cell = Téléphone cellulaire\nstudent_no = Numéro d'étudiant\nstudent_phone ? Téléphone à domicile\ndriver_licence_num = Permis de conduire\ndate_of_birth = Date de naissance (AAAA-MM-JJ)"},

		{"French, short", []string{
			"Matricule|Nom|Prénom|Courriel institutionnel|Courriel personnel|Adresse postale|Tél. cell.|Type d'étudiant",
		}, "unique_id ? Matricule\nfirst_name = Prénom\nlast_name ? Nom\nemail ? Courriel institutionnel\nemail ? Courriel personnel\nstreet ? Adresse postale\nphone_cell = Tél. cell.\nuser_type_id ? Type d'étudiant\nemploy_no ? Matricule\nstudent_no ? Matricule"},

		{"by hand", []string{
			"Student #|Student Name|E-mail|Phone #|Driver's License State|Plate #",
			"100201|Roy, Zoé|zoe@college.example|613-555-0101|ON|ABCD 123",
		}, "unique_id ? Student #\nfirst_name ? Student Name\nlast_name ? Student Name\nemail = E-mail\nstudent_no = Student #\nstudent_phone ? Phone #\ndriver_licence_prov = Driver's License State"},

		{"Active Directory", []string{
			"sAMAccountName|employeeID|givenName|sn|mail|streetAddress|l|st|postalCode|mobile",
			"zroy|900100201|Zoé|Roy|zroy@c.example|1 Main St|Ottawa|ON|K1A 0B1|613-555-0101",
		}, "unique_id ? employeeID\nfirst_name = givenName\nlast_name ? sn\nuser_name = sAMAccountName\nemail = mail\nstreet = streetAddress\ncity ? l\nprovince ? st\npostal_code = postalCode\nphone_cell = mobile\nemploy_no ? employeeID"},

		{"Apogée", []string{
			"COD_ETU|LIB_NOM_PAT_IND|LIB_PR1_IND|DATE_NAI_IND|LIB_AD1|LIB_AD2|COD_BDI|NUM_TEL_PORT|ADR_MAIL|COD_ETP|COD_NNE_IND",
		}, "unique_id = COD_ETU\nfirst_name = LIB_PR1_IND\nlast_name = LIB_NOM_PAT_IND\nemail = ADR_MAIL\nstreet ? LIB_AD1\npostal_code = COD_BDI\nphone_cell = NUM_TEL_PORT\ndate_of_birth = DATE_NAI_IND"},

		{"ScoDoc", []string{"code_nip|nom|prenom|date_naissance|emailperso|codepostaldomicile|villedomicile|telephonemobile"},
			"unique_id ? code_nip\nfirst_name = prenom\nlast_name ? nom\nemail ? emailperso\ncity = villedomicile\npostal_code = codepostaldomicile\nphone_cell = telephonemobile\nstudent_no ? code_nip\ndate_of_birth = date_naissance"},

		{"PeopleSoft, only for searching", []string{"EMPLID|FIRST_NAME_SRCH|LAST_NAME_SRCH"}, "unique_id = EMPLID\nfirst_name ? FIRST_NAME_SRCH\nlast_name ? LAST_NAME_SRCH"},

		{"German", []string{"Matrikelnr|Name|Vorname|Geb.-Datum|PLZ|Ort", "1|Roy|Zoé|31.12.2004|80331|München"},
			"unique_id ? Matrikelnr\nfirst_name = Vorname\nlast_name ? Name\ncity ? Ort\npostal_code = PLZ\nstudent_no = Matrikelnr\ndate_of_birth = Geb.-Datum"},

		{"a PIN is no number of a student", []string{"NIP|DNI|CURP|Geburtsort|Segundo apellido"}, ""},

		{"nothing of a person", []string{
			"Order|Last Date|Postage Code|Last Update|Statute|Country|Birth Place|Stateside|First Year|Emergency|Cost Code",
		}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			header, rows := table(tc.table...)
			suggestions := Columns(header, rows)
			if diff := cmp.Diff(tc.want, short(suggestions)); diff != "" {
				t.Errorf("Suggest differs (-want +got):\n%s", diff)
			}
			checkSuggestions(t, header, suggestions)
		})
	}
}

// TestColumnsPrecision: what only resembles the student's own is not suggested, and of
// two of a kind the right one is.
func TestColumnsPrecision(t *testing.T) {
	for header, want := range map[string]string{
		"Student's e-mail|Parent e-mail":                                           "email = Student's e-mail",
		"Students’ E-mail|Parents’ E-mail":                                         "email = Students’ E-mail",
		"Email|Father's Email|Mother's Email|Guardian1Email|Emergency Email":       "email = Email",
		"Email|Advisor Email|Instructor Email|Created By Email|Counsellor E-mail":  "email = Email",
		"Email|Spouse E-mail|Sponsor Email|Employer Email|Email Verified":          "email = Email",
		"Email (Parent)|Phone (Guardian)|Email [Parent]|Cell / Parent":             "",
		"Created By|Modified By|Entered By Name|Approved By":                       "",
		"Advisor|Advisor First Name|Instructor Last Name|Coach Cell Phone":         "",
		"Emergency Contact First Name|Emergency Contact Cell|Next of Kin Phone":    "",
		"Contact Name|Contact Relationship|Contact Phone|Contact Email":            "",
		"Contact Phone|Contact Email":                                              "email ? Contact Email\nstudent_phone ? Contact Phone",
		"Nom du père|Prénom de la mère|Courriel du répondant|Cellulaire du tuteur": "",
		"Contact d'urgence|Téléphone d'urgence|Courriel de l'employeur":            "",
		"Courriel de l'étudiant|Courriel du parent":                                "email = Courriel de l'étudiant",

		"Legal First Name|Preferred First Name|Legal Last Name":         "first_name ? Legal First Name\nfirst_name ? Preferred First Name\nlast_name = Legal Last Name",
		"Last Name|Former Last Name|Maiden Name|Alternate Last Name":    "last_name = Last Name",
		"First Name|Middle Name|First Generation|First Term|First Lang": "first_name = First Name",

		"Home City|Mailing City|City of Birth|School City|Employer City": "city ? Home City\ncity2 ? Mailing City",
		"Permanent State|Local State|Plate State|State of Residency":     "province ? Permanent State\nprovince2 ? Local State",
		"Mailing City|Mailing State|Mailing Zip":                         "city ? Mailing City\nprovince ? Mailing State\npostal_code ? Mailing Zip",
		"City|Mailing City":                                              "city = City\ncity2 ? Mailing City",
		"Residence Hall|Home Room|Campus Box|Local Fees|Primary Major":   "",
		"Ville de résidence|Ville de naissance|Ville de l'école":         "city ? Ville de résidence",

		"Cell Phone|Home Phone|Work Phone|Fax|Home Fax|Phone Type|Area Code": "phone_cell = Cell Phone\nemployee_phone ? Work Phone\nstudent_phone ? Home Phone",
		"Cell Carrier|Phone Ext|Mobile Opt In|Work Location|Office":          "",

		"First Name / Prénom|Last Name / Nom de famille":                 "first_name = First Name / Prénom\nlast_name = Last Name / Nom de famille",
		"First Name / Preferred Name|Phone (Fax)|Email / Carrier pigeon": "first_name ? First Name / Preferred Name",
		"City / Phone|Name / Email":                                      "",
		"First name [givenName]|Office phone [telephoneNumber]":          "first_name = First name [givenName]\nemployee_phone ? Office phone [telephoneNumber]",
		"Birth Date [Required]|Card Date|Date of Death":                  "date_of_birth = Birth Date [Required]",
		"School ID|School Number|Student ID":                             "unique_id ? Student ID\nstudent_no ? Student ID",
		"User ID|Login ID":                                               "unique_id ? User ID\nunique_id ? Login ID\nuser_name ? Login ID",
		"User ID|Email":                                                  "unique_id ? User ID\nuser_name ? User ID\nemail = Email",
		"Stu Nbr|Last_Nm|Prov Cd|Student Type Desc|Birth_Dt":             "unique_id ? Stu Nbr\nlast_name = Last_Nm\nprovince = Prov Cd\nuser_type_id ? Student Type Desc\nstudent_no = Stu Nbr\ndate_of_birth = Birth_Dt",
	} {
		t.Run(header, func(t *testing.T) {
			names, _ := table(header)
			if diff := cmp.Diff(want, short(Columns(names, nil))); diff != "" {
				t.Errorf("Suggest differs (-want +got):\n%s", diff)
			}
		})
	}
}

// TestColumnsNothing has headers that resemble an attribute and give none: other
// people's, the school's, dates and flags about an attribute, and private things.
func TestColumnsNothing(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "no_attribute_headers.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for header := range strings.Lines(string(text)) {
		if got := short(Columns([]string{strings.TrimSpace(header)}, nil)); got != "" {
			t.Errorf("%q is suggested: %s", header, got)
		}
	}
}

// checkSuggestions checks what is true of all suggestions.
func checkSuggestions(t *testing.T, header []string, suggestions []Suggestion) {
	t.Helper()
	certain := make(map[mapping.Attribute]string)
	column := 0
	for _, s := range suggestions {
		if s.Column != column && s.Column != column+1 {
			t.Errorf("column %d comes after column %d", s.Column, column)
		}
		column = s.Column
		if s.Header != header[s.Column] {
			t.Errorf("column %d is called %q, want %q", s.Column, s.Header, header[s.Column])
		}
		if (s.Attribute == mapping.NoAttribute) != (s.Confidence == Unmatched) || s.Why == "" {
			t.Errorf("column %d: attribute %q, %s, why %q", s.Column, s.Attribute, s.Confidence, s.Why)
		}
		if s.Confidence == Certain {
			if other, twice := certain[s.Attribute]; twice {
				t.Errorf("%s comes from %q and %q", s.Attribute, other, s.Header)
			}
			certain[s.Attribute] = s.Header
		}
	}
	if column != len(header)-1 {
		t.Errorf("the last column is %d, want %d", column, len(header)-1)
	}
	for _, s := range suggestions {
		if other, taken := certain[s.Attribute]; s.Confidence == Likely && taken {
			t.Errorf("%s is likely from %q although it comes from %q", s.Attribute, s.Header, other)
		}
	}
}

// TestColumnsByValues: what a column holds confirms or lowers what its header says.
func TestColumnsByValues(t *testing.T) {
	for _, tc := range []struct {
		name  string
		table []string
		want  string
		why   string // part of the reason of the first column
	}{
		{"e-mail", []string{"Email", "a@b.example", "c@d.example"}, "email = Email", "own name"},
		{"e-mail, one in four is wrong", []string{"Email", "a@b.example", "c@d.example", "e@f.example", "none"}, "email = Email", "own name"},
		{"e-mail, half are wrong and refused row by row", []string{"Email", "a@b.example", "yes"}, "email = Email", "own name"},
		{"phone, half are wrong", []string{"Cell Phone", "613-555-0100", "yes"}, "phone_cell ? Cell Phone", "1 of 2 values don't look like phone numbers"},
		{"e-mail, wish", []string{"Personal Email", "yes", "no"}, "", "may mean email, but 2 of 2 values"},
		{"e-mail, no values", []string{"Email", "", ""}, "email = Email", "own name"},
		{"province is a status", []string{"State", "active", "inactive"}, "province ? State", "provinces or states"},
		{"province by name", []string{"State", "Ontario", "N.B.", "qc"}, "province = State", ""},
		{"first name is the full name", []string{"First Name", "Roy, Zoé", "Oka, Max"}, "first_name ? First Name", "only a first or last name"},
		{"a licence is yes or no", []string{"Driver's License", "Y", "N"}, "driver_licence_num ? Driver's License", "licence numbers"},
		{"phone", []string{"Cell", "Y", "N"}, "phone_cell ? Cell", "phone numbers"},
		{"the ID of the college", []string{"EMPLID", "7", "7", "7", "7"}, "unique_id ? EMPLID", "only 1 of 4 values are different"},
		{"ISO dates", []string{"DOB", "2001-12-31", "1999-01-02"}, "date_of_birth = DOB", ""},
		{"dates that prove day first", []string{"DOB", "31/12/2001", "01/02/1999"}, "date_of_birth = DOB", "only DD/MM/YYYY"},
		{"dates that prove month first", []string{"DOB", "12/31/2001", "01/02/1999"}, "date_of_birth = DOB", "only MM/DD/YYYY"},
		{"dates that prove nothing", []string{"DOB", "03/04/2001", "01/02/1999"}, "date_of_birth ? DOB", "DD/MM/YYYY or MM/DD/YYYY; which"},
		{"dates in two formats", []string{"DOB", "31/12/2001", "12/31/2001"}, "date_of_birth ? DOB", "not dates in a known format"},
		{"dates, some ISO", []string{"DOB", "31/12/2001", "1999-01-02"}, "date_of_birth ? DOB", "1 of 2 dates are written YYYY-MM-DD"},
		{"dates, nearly all ISO", []string{"DOB", "2001-12-31", "1999-01-02", "1998-01-02", "31/12/01"}, "date_of_birth = DOB", "3 of 4 dates are written YYYY-MM-DD"},
		{"dates that prove day first, and a note", []string{"DOB", "31/12/2001", "01/02/1999", "30/02/1999", "unknown", "13/01/1998"}, "date_of_birth ? DOB", "5 of 5 values are not dates in a known format"},
		{"dates that prove day first, one cell apart", []string{"DOB", "31/12/2001", "01/02/1999", "unknown", "13/01/1998"}, "date_of_birth = DOB", "only DD/MM/YYYY reads the sample dates, except for 1"},
		{"dates without the century", []string{"DOB", "31/12/01"}, "date_of_birth = DOB", "only DD/MM/YY"},
		{"dates without the century, either way", []string{"DOB", "03/12/01"}, "date_of_birth ? DOB", "DD/MM/YY or MM/DD/YY; which is it"},
		{"dates in one number", []string{"DOB", "20011231", "19990102"}, "date_of_birth = DOB", "only YYYYMMDD"},
		{"dates by the month's name", []string{"DOB", "31-Dec-2001", "2-févr.-1999"}, "date_of_birth = DOB", "only D-MMM-YYYY"},
		{"a slip of the fingers", []string{"Emial Adress", "a@b.example"}, "", ""},
		{"two letters changed places", []string{"Emial", "a@b.example"}, "email ? Emial", "spelled almost like"},
		{"one letter left out", []string{"Frst Name", "Zoé"}, "first_name ? Frst Name", "spelled almost like"},
		{"spelled like it, and is not", []string{"Emial", "red", "blue"}, "", "may mean email, but"},
		{"another number", []string{"First Name 2", "Zoé"}, "", "no attribute is known"},
		{"the same header twice", []string{"Email|Email", "a@b.example|c@d.example"}, "email ? Email\nemail ? Email", "columns A, B have this same header"},
		{"two names of one attribute", []string{"Province|State", "ON|ON"}, "province = Province", "the first of the two that is not blank"},
		{"two names of one attribute, and a third", []string{"Province|State|Prov", "ON|ON|ON"}, "province ? Province\nprovince ? State\nprovince ? Prov", "or is it column B, C?"},
		{"street 2 alone", []string{"Street 2|City", "Apt 3|Ottawa"}, "city = City\nstreet2 ? Street 2", "second line of the one address"},
		{"street 2 with its city", []string{"Street 2|City 2", "2 Main St|Ottawa"}, "street2 = Street 2\ncity2 = City 2", ""},
		{"unique id and others", []string{"Student ID|unique_id", "1|2"}, "unique_id = unique_id\nstudent_no ? Student ID", ""},
		{"an ID beside a user name", []string{"Banner ID|NetID", "1|zroy"}, "unique_id ? Banner ID\nunique_id ? NetID\nuser_name ? NetID", ""},
		{"an ID beside a sure user name", []string{"Banner ID|User name", "1|zroy"}, "unique_id ? Banner ID\nuser_name = User name", "other columns hold IDs too"},
		{"preferred beside the plain name", []string{"Preferred Name|First Name", "Max|Maxime"}, "first_name = First Name", `first_name comes from "First Name" (column B); the line "# or:" prefers this one`},
		{"full name in one", []string{"Name", "Roy, Zoé Marie", "Oka, Max"}, "first_name ? Name\nlast_name ? Name", "the part after the comma"},
		{"full name in one, French", []string{"Nom", "Roy, Zoé", "Oka, Max"}, "first_name ? Nom\nlast_name ? Nom", "the part after the comma"},
		{"full name beside a first name", []string{"Name|First Name", "Roy, Zoé|Zoé"}, "first_name = First Name", "full name"},
		{"full name, not always", []string{"Name", "Roy, Zoé", "Oka"}, "", "at a comma"},
		{"full name with a suffix", []string{"Name", "Roy, Zoé, Jr."}, "", "at a comma"},
		{"a name and a number", []string{"Name", "Roy, 100201"}, "", "at a comma"},
		{"full name without a comma", []string{"Name", "Zoé Roy"}, "", "at a comma"},
		{"no header", []string{" ", "x"}, "", "no header"},
		{"private", []string{"SIN", "x"}, "", "private"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			header, rows := table(tc.table...)
			suggestions := Columns(header, rows)
			if diff := cmp.Diff(tc.want, short(suggestions)); diff != "" {
				t.Errorf("Suggest differs (-want +got):\n%s", diff)
			}
			if !strings.Contains(suggestions[0].Why, tc.why) {
				t.Errorf("the reason is %q, want one with %q", suggestions[0].Why, tc.why)
			}
			checkSuggestions(t, header, suggestions)
			for _, s := range suggestions {
				for _, sample := range s.Samples {
					if strings.Contains(s.Why, sample) && len(sample) > 2 {
						t.Errorf("the reason %q holds a value", s.Why)
					}
				}
			}
		})
	}
}

func TestColumnsKinds(t *testing.T) {
	header := []string{"DOB", "Email"}
	rows := [][]mapping.Cell{
		{{Text: "2001-12-31", Kind: mapping.DateCell}, {Text: "#N/A", Kind: mapping.ErrorCell}},
		{{Text: "2001-02-01T08:00:00", Kind: mapping.DateCell}, {Kind: mapping.NoValueCell}},
		{},
	}
	if got := short(Columns(header, rows)); got != "email = Email\ndate_of_birth = DOB" {
		t.Errorf("dates of the spreadsheet: %q", got)
	}
	rows = [][]mapping.Cell{{{Text: "37256", Kind: mapping.NumberCell}}}
	if got := short(Columns(header, rows)); got != "email = Email\ndate_of_birth ? DOB" {
		t.Errorf("numbers for dates: %q", got)
	}
}

func TestFile(t *testing.T) {
	header, rows := table(
		"EMPLID|Nickname|Address 1|Apt|DOB||Email|Role",
		"1|Max|1 Main St|2|31/12/2001||a@b.example|student",
	)
	suggestions := Columns(header, rows)
	source := mapping.SourceSection{Sheet: "People"}
	want := &mapping.File{
		Source: mapping.SourceSection{Sheet: "People", Headers: []string{"EMPLID", "Nickname", "Address 1", "Apt", "DOB", "Email", "Role"}},
		Fields: []mapping.Field{
			{Attribute: mapping.UniqueID, Columns: []string{"EMPLID"}},
			{Attribute: mapping.Email, Columns: []string{"Email"}},
			{Attribute: mapping.DateOfBirth, Columns: []string{"DOB"}, Date: "DD/MM/YYYY"},
		},
	}
	if diff := cmp.Diff(want, File(source, suggestions, Certain)); diff != "" {
		t.Errorf("certain ones differ (-want +got):\n%s", diff)
	}
	want.Fields = []mapping.Field{
		want.Fields[0],
		{Attribute: mapping.FirstName, Columns: []string{"Nickname"}},
		want.Fields[1],
		{Attribute: mapping.Street, Expr: `trim(col("Address 1") + " " + col("Apt"))`},
		{Attribute: mapping.UserTypeID, Columns: []string{"Role"}, Values: []mapping.ValuePair{{From: "student", To: "student"}}},
		want.Fields[2],
	}
	all := File(source, suggestions, Likely)
	if diff := cmp.Diff(want, all); diff != "" {
		t.Errorf("likely ones differ (-want +got):\n%s", diff)
	}
	if _, err := mapping.Compile(all, header, mapping.Options{LoginSource: "SSO"}); err != nil {
		t.Errorf("the suggested mapping does not fit the table: %v", err)
	}
}

func TestFormat(t *testing.T) {
	header, rows := table(
		"Banner ID|Nick\nname|Address 1|Apt, unit|DOB||Email|Role #|Full Name|{x}: #y",
		"1|Max\nfields: z|1 Main St|2|31/12/2001||a@b.example|student|Roy, Max|z",
		"2|Zoé\x1b[2J|2 Main St||01/02/2002||c@d.example|staff|Roy, Zoé|z",
	)
	got, err := Format(mapping.SourceSection{HeaderRow: 2}, Columns(header, rows))
	if err != nil {
		t.Fatal(err)
	}
	const want = note + sampleNote + `version: 1
source:
  header_row: 2
  headers: [Banner ID, "Nick\nname", Address 1, 'Apt, unit', DOB, Email, 'Role #', Full Name, '{x}: #y']
fields:
  unique_id: Banner ID # certain: it is the institution's number for a person; such as 1 | 2
  # login_source: {value: SSO} # no column has it: write the code of your login source here, or give --login-source
  # likely: first_name: "Nick\nname" # a preferred name may differ from the legal one, and is often blank; 1 of 2 values don't look like only a first or last name; such as Max fields: z | Zoé[2J
  email: Email # certain: the attribute's own name; such as a@b.example | c@d.example
  # likely: street: {expr: 'trim(col("Address 1") + " " + col("Apt, unit"))'} # a usual name for it; the street has more than one line in this table; such as 1 Main St | 2 Main St
  date_of_birth: {column: DOB, date: DD/MM/YYYY} # certain: a usual name for it; only DD/MM/YYYY reads all sample dates; such as 31/12/2001 | 01/02/2002
# These columns are not used:
#   D "Apt, unit": it is the second line of a street, and the profile has one line for it
#   F "": it has no header
#   H "Role #": no attribute is known by this name
#   I "Full Name": it holds the full name, and the profile wants first and last name separately; an expr can split it at a comma
#   J "{x}: #y": no attribute is known by this name
`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("Format differs (-want +got):\n%s", diff)
	}
	header, rows = table("Name")
	got, err = Format(mapping.SourceSection{}, Columns(header, rows))
	if err != nil {
		t.Fatal(err)
	}
	if want := "  # unique_id: # no column has it, and every profile needs it: write the column's name here\n"; !strings.Contains(string(got), want) {
		t.Errorf("no word of the missing unique ID in\n%s", got)
	}
}

// FuzzFormat: whatever the headers and the values, the suggestion is a
// mapping file that says what is certain, and with the marks of the guesses
// deleted it says what is likely too.
func FuzzFormat(f *testing.F) {
	f.Add("Banner ID|Prénom|Nickname|Email", "1|a|b|c@d.example")
	f.Add("Student Name|Class", "Roy, Zoé|no")
	f.Add("First Name|Preferred Name|Field 7", "Max|M|a@b.example")
	f.Add("Email|email address|# DOB\nfields:|Cell", "x|y\u2028z: 1|'|\"")
	f.Fuzz(func(t *testing.T, headers, values string) {
		header, rows := table("unique_id|"+strings.ToValidUTF8(headers, ""), "1|"+strings.ToValidUTF8(values, ""))
		suggestions := Columns(header, rows)
		checkSuggestions(t, header, suggestions)
		text, err := Format(mapping.SourceSection{}, suggestions)
		if err != nil {
			t.Fatal(err)
		}
		got, err := mapping.Parse("x.yaml", text)
		if slices.ContainsFunc(suggestions, func(s Suggestion) bool { return s.Confidence == Certain }) {
			if err != nil {
				t.Fatalf("the suggestion cannot be read: %v\n%s", err, text)
			}
			if diff := cmp.Diff(File(mapping.SourceSection{}, suggestions, Certain), got, ignoreLines); diff != "" {
				t.Fatalf("read, the suggestion differs:\n%s\n%s", diff, text)
			}
		}
		attributes := make(map[mapping.Attribute]bool)
		for _, s := range suggestions {
			if s.Confidence == Unmatched {
				continue
			}
			if attributes[s.Attribute] {
				return
			}
			attributes[s.Attribute] = true
		}
		taken := strings.ReplaceAll(string(text), "\n  "+likelyMark, "\n  ")
		got, err = mapping.Parse("x.yaml", []byte(taken))
		if err != nil {
			t.Fatalf("without the marks the suggestion cannot be read: %v\n%s", err, taken)
		}
		if diff := cmp.Diff(File(mapping.SourceSection{}, suggestions, Likely), got, ignoreLines); diff != "" {
			t.Fatalf("without the marks the suggestion differs:\n%s\n%s", diff, taken)
		}
	})
}

// TestDictionary: no two entries contradict each other, and what is certain for one
// attribute is in no other but the unique ID.
func TestDictionary(t *testing.T) {
	sure := make(map[string]mapping.Attribute)
	seen := make(map[string][]mapping.Attribute)
	for _, spec := range mapping.Attributes() {
		for _, name := range spec.Names {
			sure[chars.Fold(name)] = spec.Attribute
		}
	}
	for line := range strings.Lines(dictionaryText) {
		words := strings.Fields(strings.TrimSpace(strings.SplitN(line, ":", 2)[0]))
		if line == "\n" || line[0] == '\t' || line[0] == '#' {
			continue
		}
		if len(words) != 2 || words[0] != "-" && mapping.AttributeNamed(words[0]) == mapping.NoAttribute || !slices.Contains(fitNames, words[1]) {
			t.Errorf("not a line with an attribute and a fit: %q", line)
		}
	}
	for _, entry := range readDictionary() {
		for _, header := range entry.headers {
			key := chars.Fold(header)
			if slices.Contains(seen[key], entry.attribute) {
				continue
			}
			seen[key] = append(seen[key], entry.attribute)
			if entry.fit >= fitsAlone {
				if other, ok := sure[key]; ok && other != entry.attribute {
					t.Errorf("%q is surely %q and surely %q", header, other, entry.attribute)
				}
				sure[key] = entry.attribute
			}
			if len(chars.Fold(header)) < 2 && header != "l" { // Active Directory's locality
				t.Errorf("%q is too short to mean anything", header)
			}
		}
	}
	for key, attribute := range sure {
		for _, other := range seen[key] {
			if other != attribute && other != mapping.UniqueID {
				t.Errorf("%q is surely %q and perhaps %q", key, attribute, other)
			}
		}
	}
}
