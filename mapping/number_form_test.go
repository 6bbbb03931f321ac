package mapping

import (
	"fmt"
	"testing"
)

// Numbers in the forms that programs give to amounts, in the marks of any locale.
func TestNumberForms(t *testing.T) {
	for _, tc := range []struct {
		attribute Attribute
		text      string
		rule      Rule   // "" when it is right as it is
		says      string // part of the message
	}{
		// Exponents
		{UniqueID, "9.00123401E8", RuleDamagedNumber, "last digits are lost"},
		{UniqueID, "9,00123401E8", RuleDamagedNumber, ""},
		{StudentNumber, "900.123E+06", RuleDamagedNumber, ""},
		{StudentNumber, "9.00e-08", RuleDamagedNumber, ""},
		{UniqueID, "9,00 E+08", RuleDamagedNumber, ""},
		{UniqueID, "9.00×10^8", RuleDamagedNumber, ""},
		{UniqueID, "+9.00E+008", RuleDamagedNumber, ""},
		{CellPhone, "6.135550100E9", RuleDamagedNumber, ""},
		{CellPhone, "6E9", RuleDamagedNumber, ""},
		{UserName, "9.00123E8", RuleDamagedNumber, ""},
		{Street2, "1.2E5", RuleDamagedNumber, ""},
		{PostalCode, "9.021E4", RuleDamagedNumber, ""},
		{UniqueID, "1E5", "", ""},
		{UniqueID, "12E4", "", ""},
		{UserName, "1e5", "", ""},
		{Street2, "12E4", "", ""},
		{StudentNumber, "A1.2E5", "", ""},
		{StudentNumber, "12E-45F", "", ""},

		// Marks between thousands
		{UniqueID, "900.123.401", RuleDamagedNumber, `Write "900123401" if`},
		{UniqueID, "900'123'401", RuleDamagedNumber, `Write "900123401" if`},
		{UniqueID, "900’123’401", RuleDamagedNumber, `Write "900123401" if`},
		{UniqueID, "900\u00a0123\u00a0401", RuleDamagedNumber, `Write "900123401" if`},
		{StudentNumber, "900\u202f123\u202f401", RuleDamagedNumber, `Write "900123401" if`},
		{StudentNumber, "900\u2009123\u2009401", RuleDamagedNumber, ""},
		{StudentNumber, "90,01,23,401", RuleDamagedNumber, `Write "900123401" if`},
		{StudentNumber, "900,123,000", RuleDamagedNumber, `Write "900123000" if`},
		{StudentNumber, "9.000", RuleDamagedNumber, `Write "9000" if`},
		{UserName, "900,123,401", RuleDamagedNumber, ""},
		{CellPhone, "6.135.550.100", RuleDamagedNumber, ""},
		{CellPhone, "6 135 550 100", RuleDamagedNumber, ""},
		{CellPhone, "6'135'550'100", RuleDamagedNumber, ""},
		{CellPhone, "6,135,550,100", RuleDamagedNumber, ""},
		{CellPhone, "613.555.0100", "", ""},
		{CellPhone, "612.345.678", "", ""},
		{CellPhone, "612 345 678", "", ""},
		{CellPhone, "0 800 123 456", "", ""},
		{CellPhone, "1 800 555 010", "", ""},
		{CellPhone, "48 612 345 678", "", ""},
		{CellPhone, "06 12 34 56 78", "", ""},
		{StudentNumber, "12.345.678-5", "", ""},
		{StudentNumber, "123.456.789-09", "", ""},
		{StudentNumber, "A.123.456", "", ""},
		{StudentNumber, "046 454 286", "", ""},
		{StudentNumber, "012.345.678", "", ""},
		{StudentNumber, "2024.1234", "", ""},
		{UserName, "12.345", "", ""},
		{UserName, "roy.12.345", "", ""},
		{PostalCode, "123 456", "", ""},
		{Street, "1,234 Main St", "", ""},

		// Decimals and currencies
		{UniqueID, "900123402,00", RuleDamagedNumber, `Write "900123402" if`},
		{UniqueID, "900.123.402,00", RuleDamagedNumber, `Write "900123402" if`},
		{UniqueID, "900,123,402.00", RuleDamagedNumber, `Write "900123402" if`},
		{UniqueID, "900 123 402,00", RuleDamagedNumber, `Write "900123402" if`},
		{UniqueID, "900123402.", RuleDamagedNumber, `Write "900123402" if`},
		{UniqueID, "$900,123,402.00", RuleDamagedNumber, `Write "900123402" if`},
		{StudentNumber, "900123402 €", RuleDamagedNumber, `Write "900123402" if`},
		{UserName, "900123402.0", RuleDamagedNumber, ""},
		{CellPhone, "6135550100,00", RuleDamagedNumber, ""},
		{CellPhone, "555.0000", "", ""},
	} {
		t.Run(fmt.Sprint(tc.attribute, " ", tc.text), func(t *testing.T) {
			r := mapCell(t, tc.attribute, "", Cell{Text: tc.text})
			checkProblem(t, r, tc.rule, tc.says)
			if got, _ := r.Profile.Get(tc.attribute); tc.rule == "" && got != tc.text {
				t.Errorf("sent %q", got)
			}
		})
	}
}

// Values that a spreadsheet took for days, and what only looks like them.
func TestTurnedToDate(t *testing.T) {
	for _, tc := range []struct {
		attribute Attribute
		text      string
		rule      Rule
	}{
		{UserName, "1-Mar", RuleTurnedToDate},
		{UserName, "10-Dec", RuleTurnedToDate},
		{UserName, "Sep-04", RuleTurnedToDate},
		{UserName, "01-mars", RuleTurnedToDate},
		{UserName, "1-Mar-04", RuleTurnedToDate},
		{UserName, "2004-03-01", RuleTurnedToDate},
		{UserName, "01. Mrz", RuleTurnedToDate},
		{Street2, "2-Jan", RuleTurnedToDate},
		{Street2, "Jan-02", RuleTurnedToDate},
		{Street2, "02-janv.", RuleTurnedToDate},
		{Street2, "02. Jan", RuleTurnedToDate},
		{Street2, "1/2/2003", RuleTurnedToDate},
		{Street2, "2003-01-02 00:00:00", RuleTurnedToDate},
		{UniqueID, "2-ene", RuleTurnedToDate},
		{UniqueID, "févr.-02", RuleTurnedToDate},
		{UniqueID, "02/mar", RuleTurnedToDate},
		{UniqueID, "01-MAR-2004", RuleTurnedToDate},
		{UniqueID, "2003-01-02", RuleTurnedToDate},
		{UniqueID, "1/2/2003", RuleTurnedToDate},
		{CellPhone, "2003-01-02", RuleTurnedToDate},
		{CellPhone, "5/12/2003", RuleTurnedToDate},
		{FirstName, "1-Mar", RuleTurnedToDate},

		{UserName, "mar1", ""},
		{UserName, "1mar", ""},
		{UserName, "dec10", ""},
		{UserName, "sept.a", ""},
		{UserName, "may-12", ""},
		{UserName, "anna-12", ""},
		{UserName, "mar-2004", ""},
		{Street2, "1-2", ""},
		{Street2, "4-B", ""},
		{Street2, "May-B", ""},
		{Street2, "Unit 2-3", ""},
		{Street2, "1/2", ""},
		{Street, "25 Aprile", ""},
		{Street, "1. Mai", ""},
		{Street, "12 May Ave", ""},
		{Street, "2-12 March St", ""},
		{UniqueID, "MAR-0123", ""},
		{UniqueID, "MAR-01", ""},
		{UniqueID, "2024-13-01", ""},
		{UniqueID, "2024-1234", ""},
		{UniqueID, "12345678-5", ""},
		{CellPhone, "2003-0102", ""},
		{FirstName, "Jan-Erik", ""},
		{LastName, "March", ""},
		{City, "Sept-Îles", ""},
	} {
		t.Run(fmt.Sprint(tc.attribute, " ", tc.text), func(t *testing.T) {
			r := mapCell(t, tc.attribute, "", Cell{Text: tc.text})
			checkProblem(t, r, tc.rule, "")
			if got, _ := r.Profile.Get(tc.attribute); tc.rule == "" && got != tc.text {
				t.Errorf("sent %q", got)
			}
		})
	}
}
