package dateformat

import "testing"

func TestCutTime(t *testing.T) {
	for text, want := range map[string]string{
		"2004-03-09":                          "2004-03-09",
		"2004-03-09 00:00:00.000":             "2004-03-09",
		"2004-03-09T00:00:00-05:00":           "2004-03-09",
		"2004-03-09T00:00Z":                   "2004-03-09",
		"9/3/2004 12:00:00 AM":                "9/3/2004",
		"9/3/2004 12:00 a.m.":                 "9/3/2004",
		"09-MAR-04 12.00.00.000000000 AM":     "09-MAR-04",
		"09-MAR-04 12.00.00.000000 AM -05:00": "09-MAR-04",
		"09-MAR-04 00.00.00":                  "09-MAR-04",
		"09.03.2004 00.00":                    "09.03.2004",
		"2004-03-09 0.00":                     "2004-03-09",
		"Tue Mar 09 2004 00:00:00 GMT-0500 (Eastern Standard Time)":  "Mar 09 2004",
		"Tue Mar 09 2004 00:00:00 GMT+0100 (heure normale d’Europe)": "Mar 09 2004",
		"Tue Mar  9 00:00:00 EST 2004":                               "Mar 9 2004",
		"Tue Mar 09 00:00:00 2004":                                   "Mar 09 2004",
		"Tue, 09 Mar 2004 00:00:00 +0000":                            "09 Mar 2004",
		"Tuesday, March 9, 2004":                                     "March 9, 2004",
		"Tuesday, 9 March 2004":                                      "9 March 2004",
		"mardi 9 mars 2004":                                          "9 mars 2004",
		"mar. 9 mars 2004":                                           "9 mars 2004",
		"Mar 9 2004":                                                 "Mar 9 2004",
		"mar-09-2004":                                                "mar-09-2004",
		"Di 09.03.2004":                                              "09.03.2004",
		"Dienstag, 9. März 2004":                                     "9 März 2004",
		"1er mars 2004":                                              "1 mars 2004",
		"le 1er mars 2004":                                           "1 mars 2004",
		"20 December 1979":                                           "20 December 1979",
		"27 Oct 2004":                                                "27 Oct 2004",
		"3 d'octobre 2004":                                           "3 octobre 2004",
		"le mardi 9 mars 2004":                                       "9 mars 2004",
		"Monday, 14th July, 2003":                                    "14 July 2003",
		"9. Sept., 2004":                                             "9 Sept. 2004",
		"March 1st, 2004":                                            "March 1, 2004",
		"9th of March 2004":                                          "9 March 2004",
		"martes, 9 de marzo de 2004":                                 "9 marzo 2004",
		"1º de março de 2004":                                        "1 março 2004",
		"August 2004":                                                "August 2004",
		"02AUG2004":                                                  "02AUG2004",
		"0:00":                                                       "0:00",
		"12.30":                                                      "12.30",
	} {
		if got, clock := CutTime(text); got != want || !clock.IsMidnight() {
			t.Errorf("CutTime(%q) = %q, %+v; want %q", text, got, clock, want)
		}
	}
}

func TestZoneShift(t *testing.T) {
	for text, want := range map[string]bool{
		"2004-03-08T19:00:00.000Z":        true,
		"2004-03-08 18:30:00":             true,
		"3/8/2004 11:00 PM":               true,
		"2004-03-08T20:00:00-04:00":       true,
		"08-MAR-04 07.00.00.000000000 PM": true,
		"2004-03-09T05:00:00Z":            false,
		"2004-03-09 12:00:00 AM":          false,
		"2004-03-09 19:40:12":             false,
		"2004-03-09 13:37:00":             false,
		"2004-03-09":                      false,
		"08.03.2004 22.00":                true,
		"9 03.2004":                       false,
	} {
		if _, clock := CutTime(text); clock.IsZoneShift() != want {
			t.Errorf("%s: %+v, want %v", text, clock, want)
		}
	}
}
