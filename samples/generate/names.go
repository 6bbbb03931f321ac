package main

// names is what students are made up from.
type names struct {
	given, family []string
	towns         []town
}

// town is where students live. Streets are made up.
type town struct {
	name       string
	province   []string // as people write it
	postalArea string   // the first half of a Canadian postal code, or a whole ZIP code
	streets    []string
}

// inventedNames has accents, apostrophes, hyphens and spaces, as names do.
func inventedNames() names {
	english := []string{"Maple Grove Rd.", "Old Mill Lane", "Heron Crescent", "King's Landing Dr.", "Fifth Ave.", "St. Clare St. W."}
	french := []string{"rue de l'Érable", "chemin du Vieux-Moulin", "boul. des Hérons", "av. Sainte-Odile", "rue de la Grève"}
	ontario := []string{"ON", "ON", "Ontario", "Ont."}
	quebec := []string{"QC", "QC", "Quebec", "Québec"}
	return names{
		given: []string{
			"Aaliyah", "Adèle", "Agnès", "Akira", "Amélie", "Anouk", "Arjun", "Beatriz", "Björn", "Chloé", "Da'Quan", "Dmitri",
			"Eleanor", "Émile", "Fatima", "Félix", "François", "Grace", "Hélène", "Hyun-woo", "Inés", "Isaac", "Jean-Luc", "José",
			"Kateri", "Keisha", "Léa", "Liam", "Màiri", "Marie-Ève", "Mohammed", "Ngozi", "Noah", "Oluwaseun", "Owen", "Priya",
			"Renée", "Rosalind", "Séan", "Sofia", "Tanvi", "Thu", "Usha", "Wei", "Xiomara", "Yusuf", "Zachary", "Zoë",
		},
		family: []string{
			"Abernathy", "Adeyemi", "Beaulieu", "Bélanger", "Chaudhary", "Côté", "D'Amico", "de la Cruz", "Desrosiers", "Eriksen",
			"Fitzgerald", "Gagné", "González", "Haddad", "Hébert", "Ivanova", "Jürgens", "Kowalczyk", "L'Heureux", "Lefèvre", "Li",
			"MacAllister", "McKenzie", "Müller", "Ng", "Nuñez", "O'Brien", "O'Shaughnessy", "Okonkwo", "Pelletier", "Quirke",
			"Rahman", "Saint-Amand", "Singh", "St. Onge", "Tanaka", "Thériault", "Ueda", "Van der Berg", "Whitfield", "Yilmaz", "Zhou",
		},
		towns: []town{
			{"Ottawa", ontario, "K1N", english},
			{"Kingston", ontario, "K7L", english},
			{"Perth", ontario, "K7H", english},
			{"Gatineau", quebec, "J8X", french},
			{"Montréal", quebec, "H2X", french},
			{"Trois-Rivières", quebec, "G9A", french},
			{"Halifax", []string{"NS", "Nova Scotia"}, "B3H", english},
			{"St. John's", []string{"NL", "Newfoundland and Labrador"}, "A1C", english},
			{"Ogdensburg", []string{"NY", "New York"}, "13669", english},
			{"Burlington", []string{"VT", "Vermont"}, "05401", english},
		},
	}
}
