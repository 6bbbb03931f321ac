package main

import (
	"maps"
	"strings"
)

// spoil puts mistakes among the students, each kind a few times, as nobody sees them
// in a long list. The comments say which status the rows get.
func spoil(all []student) []student {
	// Invalid: without an id.
	all[17]["Banner ID"], all[230]["Banner ID"] = "", ""

	// Invalid: not e-mail addresses.
	all[24]["E-mail"] = strings.Replace(all[24]["E-mail"], "@", " at ", 1)
	all[101]["E-mail"] = strings.TrimSuffix(all[101]["E-mail"], ".ca") + "."
	all[188]["E-mail"] = "none"

	// Invalid: days that do not exist.
	all[33]["DOB"], all[145]["DOB"] = "2004-02-31", "2005-13-01"

	// Invalid: student types that the mapping does not list.
	all[41]["Student Type"], all[207]["Student Type"] = "FTE", "Co-op"

	// Invalid: cities with more than 50 characters.
	all[52]["City"] = "Saint-Louis-du-Ha! Ha! (mail goes to the cottage until September)"
	all[266]["City"] = "c/o International Student Centre, Main Campus, Ottawa"

	// Invalid: not provinces.
	all[63]["State/Province"], all[219]["State/Province"] = "Ontari-ari-o", "ZZ"

	// Invalid: two people with one e-mail address, two with one user name.
	all[79]["E-mail"] = all[78]["E-mail"]
	all[160]["E-mail"] = all[12]["E-mail"]
	all[251]["Username"] = all[250]["Username"]

	// Rejected: they belong to the Controller's administrator, which no rule can know.
	all[90]["E-mail"] = "parking@example.edu"
	all[198]["Username"] = "admin"

	// Invalid: not born yet.
	all[115]["DOB"] = "2081-05-14"

	// Sent with a warning: an unusual character in an id.
	all[120]["Banner ID"] += "/2"

	// Duplicate: the same rows again, pasted at the end.
	repeated := []student{all[8], all[140]}

	// Invalid: the same people again, with other values.
	moved, renamed := maps.Clone(all[70]), maps.Clone(all[175])
	moved["Addr 1"], moved["Addr 2"] = "77 Old Mill Lane", ""
	renamed["Legal Last Name"] = "Whitfield"
	return append(all, append(repeated, moved, renamed)...)
}
