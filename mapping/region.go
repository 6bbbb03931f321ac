package mapping

import "strings"

// region is a province, territory or state that has a postal abbreviation.
type region struct {
	code    string   // of Canada Post or of the United States Postal Service
	country string   // "ca" or "us", as in the ISO 3166-2 codes CA-ON and US-NY
	names   []string // the name to show, then other names and old abbreviations
}

// regions holds every region, Canada's first. The French names and
// abbreviations are those of the Office québécois de la langue française; the
// American ones of several letters those in use before the two-letter codes.
var regions = [...]region{
	{"AB", "ca", []string{"Alberta", "Alta.", "Alb."}},
	{"BC", "ca", []string{"British Columbia", "Colombie-Britannique", "C.-B."}},
	{"MB", "ca", []string{"Manitoba", "Man."}},
	{"NB", "ca", []string{"New Brunswick", "Nouveau-Brunswick", "N.-B."}},
	{"NL", "ca", []string{"Newfoundland and Labrador", "Newfoundland & Labrador", "Newfoundland", "Labrador", "Terre-Neuve-et-Labrador", "Terre-Neuve", "Nfld.", "Nfld. & Lab.", "NF", "LB", "T.-N.-L.", "T.-N."}},
	{"NS", "ca", []string{"Nova Scotia", "Nouvelle-Écosse", "N.-É.", "N.-E."}},
	{"NT", "ca", []string{"Northwest Territories", "Northwest Territory", "Territoires du Nord-Ouest", "N.W.T.", "T.N.-O."}},
	{"NU", "ca", []string{"Nunavut", "Nvt.", "Nun."}},
	{"ON", "ca", []string{"Ontario", "Ont."}},
	{"PE", "ca", []string{"Prince Edward Island", "Île-du-Prince-Édouard", "P.E.I.", "Î.-P.-É."}},
	{"QC", "ca", []string{"Quebec", "Québec", "Que.", "P.Q."}},
	{"SK", "ca", []string{"Saskatchewan", "Sask."}},
	{"YT", "ca", []string{"Yukon", "Yukon Territory", "Territoire du Yukon", "Yuk.", "YK", "Yn"}},

	{"AL", "us", []string{"Alabama", "Ala."}},
	{"AK", "us", []string{"Alaska"}},
	{"AZ", "us", []string{"Arizona", "Ariz."}},
	{"AR", "us", []string{"Arkansas", "Ark."}},
	{"CA", "us", []string{"California", "Calif.", "Cal."}},
	{"CO", "us", []string{"Colorado", "Colo.", "Col."}},
	{"CT", "us", []string{"Connecticut", "Conn."}},
	{"DE", "us", []string{"Delaware", "Del."}},
	{"DC", "us", []string{"District of Columbia", "Washington DC"}},
	{"FL", "us", []string{"Florida", "Fla."}},
	{"GA", "us", []string{"Georgia"}},
	{"HI", "us", []string{"Hawaii"}},
	{"ID", "us", []string{"Idaho", "Ida."}},
	{"IL", "us", []string{"Illinois", "Ill."}},
	{"IN", "us", []string{"Indiana", "Ind."}},
	{"IA", "us", []string{"Iowa"}},
	{"KS", "us", []string{"Kansas", "Kans.", "Kan."}},
	{"KY", "us", []string{"Kentucky"}},
	{"LA", "us", []string{"Louisiana"}},
	{"ME", "us", []string{"Maine"}},
	{"MD", "us", []string{"Maryland"}},
	{"MA", "us", []string{"Massachusetts", "Mass."}},
	{"MI", "us", []string{"Michigan", "Mich."}},
	{"MN", "us", []string{"Minnesota", "Minn."}},
	{"MS", "us", []string{"Mississippi", "Miss."}},
	{"MO", "us", []string{"Missouri"}},
	{"MT", "us", []string{"Montana", "Mont."}},
	{"NE", "us", []string{"Nebraska", "Nebr.", "Neb."}},
	{"NV", "us", []string{"Nevada", "Nev."}},
	{"NH", "us", []string{"New Hampshire"}},
	{"NJ", "us", []string{"New Jersey"}},
	{"NM", "us", []string{"New Mexico", "N. Mex."}},
	{"NY", "us", []string{"New York"}},
	{"NC", "us", []string{"North Carolina", "N. Car."}},
	{"ND", "us", []string{"North Dakota", "N. Dak."}},
	{"OH", "us", []string{"Ohio"}},
	{"OK", "us", []string{"Oklahoma", "Okla."}},
	{"OR", "us", []string{"Oregon", "Oreg.", "Ore."}},
	{"PA", "us", []string{"Pennsylvania", "Penna.", "Penn."}},
	{"RI", "us", []string{"Rhode Island"}},
	{"SC", "us", []string{"South Carolina", "S. Car."}},
	{"SD", "us", []string{"South Dakota", "S. Dak."}},
	{"TN", "us", []string{"Tennessee", "Tenn."}},
	{"TX", "us", []string{"Texas", "Tex."}},
	{"UT", "us", []string{"Utah"}},
	{"VT", "us", []string{"Vermont"}},
	{"VA", "us", []string{"Virginia"}},
	{"WA", "us", []string{"Washington", "Wash."}},
	{"WV", "us", []string{"West Virginia", "W. Va."}},
	{"WI", "us", []string{"Wisconsin", "Wisc.", "Wis."}},
	{"WY", "us", []string{"Wyoming", "Wyo."}},

	{"AS", "us", []string{"American Samoa"}},
	{"GU", "us", []string{"Guam"}},
	{"MP", "us", []string{"Northern Mariana Islands"}},
	{"PR", "us", []string{"Puerto Rico"}},
	{"VI", "us", []string{"Virgin Islands", "U.S. Virgin Islands"}},
	{"AA", "us", []string{"Armed Forces Americas"}},
	{"AE", "us", []string{"Armed Forces Europe"}},
	{"AP", "us", []string{"Armed Forces Pacific"}},
}

// regionTable finds a region's code by whatever stands for it.
type regionTable map[string]string

// newRegionTable enters the codes first and the names in full before their
// folded forms, so that NE is Nebraska and N.-É. is Nova Scotia.
func newRegionTable() regionTable {
	t := make(regionTable, 8*len(regions))
	add := func(key, code string) {
		if _, taken := t[key]; !taken {
			t[key] = code
		}
	}
	for _, r := range regions {
		t[r.code] = r.code
		t[strings.ToLower(r.code)] = r.code
		t[r.country+strings.ToLower(r.code)] = r.code
	}
	for _, r := range regions {
		for _, name := range r.names {
			add(strings.ToLower(name), r.code)
		}
	}
	for _, r := range regions {
		for _, name := range r.names {
			add(foldHeader(name), r.code)
		}
	}
	return t
}

// code returns the code of the region that text names or abbreviates, whatever
// its case, dots and accents.
func (t regionTable) code(text string) (string, bool) {
	if code, ok := t[text]; ok {
		return code, true
	}
	if code, ok := t[strings.ToLower(text)]; ok {
		return code, true
	}
	code, ok := t[foldHeader(text)]
	return code, ok
}

// nearestRegion returns the name and the code of the region that text most
// likely means, "" when none is near.
func nearestRegion(text string) (name, code string) {
	var names []string
	for _, r := range regions {
		names = append(names, r.names...)
	}
	name = Nearest(text, names)
	for _, r := range regions {
		for _, n := range r.names {
			if n == name {
				return name, r.code
			}
		}
	}
	return "", ""
}
