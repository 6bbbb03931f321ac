package journeys_test

import (
	"os"
	"path/filepath"
)

// speaksFrench reads the page in the other language, with what the engine says of a file.
func speaksFrench(j *journey) {
	p := j.startProgram("--sandbox")
	j.open(p.address)
	j.find("button", "Close the program")
	j.goes("button", "Français")
	j.sees("Transmettre des personnes à OPS-COM")
	j.isAccessible()
	path := filepath.Join(j.TempDir(), "étudiants.csv")
	j.must(os.WriteFile(path, []byte("Banner ID,First Name,Last Name,Phone\r\n000123,Zoë,Roy,613-555-0100\r\n"), 0o600))
	j.attaches("#file", path)
	j.goes("button", "Ouvrir le fichier")
	j.sees("étudiants.csv")
	j.open(evaluate[string](j, `location.href.replace(/[a-z]+$/, "columns")`))
	j.sees("Quelle est la source de connexion de tout le monde?", "c’est peut-être le cellulaire, ou le téléphone d’employé")
	j.isAccessible()
	if language := evaluate[string](j, "document.documentElement.lang"); language != "fr" {
		j.Errorf("the page says that its language is %q", language)
	}
	j.goes("button", "English")
	j.sees("Close the program")
	j.goes("button", "Close the program")
	p.ends()
}
