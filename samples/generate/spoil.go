package main

import "strings"

// spoil puts faults among the students, each kind a few times, such as nobody
// sees in a long list. The comments say what becomes of the rows.
func spoil(all []student) []student {
	// Invalid: nobody can tell whose rows they are.
	all[17].bannerID, all[230].bannerID = "", ""

	// Invalid: no e-mail addresses.
	all[24].email = strings.Replace(all[24].email, "@", " at ", 1)
	all[101].email = strings.TrimSuffix(all[101].email, ".ca") + "."
	all[188].email = "none"

	// Invalid: no days of the calendar.
	all[33].birth, all[145].birth = "2004-02-31", "2005-13-01"

	// Invalid: student types that the mapping does not list.
	all[41].studentType, all[207].studentType = "FTE", "Co-op"

	// Invalid: cities with more than 50 characters.
	all[52].city = "Saint-Louis-du-Ha! Ha! (mail goes to the cottage until September)"
	all[266].city = "c/o International Student Centre, Main Campus, Ottawa"

	// Invalid: no provinces.
	all[63].province, all[219].province = "Ontari-ari-o", "ZZ"

	// Invalid: two people with one e-mail address, two with one user name.
	all[79].email = all[78].email
	all[160].email = all[12].email
	all[251].userName = all[250].userName

	// Rejected: the Controller's administrator has them, which no rule here can know.
	all[90].email = "parking@example.edu"
	all[198].userName = "admin"

	// Invalid: not born yet.
	all[115].birth = "2081-05-14"

	// Sent with a warning: an id with a character that ids seldom have.
	all[120].bannerID += "/2"

	// Duplicate: the same rows once more, pasted at the end.
	repeated := []student{all[8], all[140]}

	// Invalid: the same people once more, with something else in the row.
	moved, renamed := all[70], all[175]
	moved.addr1, moved.addr2 = "77 Old Mill Lane", ""
	renamed.lastName = "Whitfield"
	return append(all, append(repeated, moved, renamed)...)
}
