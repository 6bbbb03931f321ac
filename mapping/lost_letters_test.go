package mapping

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestLostLetters(t *testing.T) {
	for _, tc := range []struct {
		attribute Attribute
		text      string
		rule      Rule   // "" for a value that is right
		says      string // part of the message
	}{
		{FirstName, "Jos?", RuleBadCharacter, "question mark"},
		{FirstName, "Jos¿", RuleBadCharacter, "inverted"},
		{LastName, "B¿langer", RuleBadCharacter, ""},
		{FirstName, "¿ric", RuleBadCharacter, ""},
		{FirstName, "???", RuleBadCharacter, "only question marks"},
		{LastName, "?????? ?????", RuleBadCharacter, ""},
		{LastName, "¿¿¿¿", RuleBadCharacter, ""},
		{LastName, "??-??", RuleBadCharacter, ""},
		{FirstName, "Ren\ufffde", RuleBadCharacter, "replacement"},
		{FirstName, "Renï¿½e", RuleBadCharacter, "read in the wrong encoding"},
		{FirstName, "RenÔøΩe", RuleBadCharacter, ""},
		{FirstName, "Ð’Ð°Ð½Ñ", RuleWrongEncoding, "looks like text"},
		{FirstName, "Ren□e", RuleBadCharacter, "sign"},
		{FirstName, "Ren\ue000e", RuleBadCharacter, ""},
		{FirstName, "Ren{e", RuleBadCharacter, "sign inside a word"},
		{LastName, "M}ller", RuleBadCharacter, ""},
		{LastName, "Sch|n", RuleBadCharacter, ""},
		{City, "Montr?al", RuleBadCharacter, ""},
		{City, "?vry", RuleBadCharacter, ""},
		{City, "Montr??al", RuleBadCharacter, ""},
		{City, "St-?tienne", RuleBadCharacter, ""},
		{City, "Montr¿al", RuleBadCharacter, ""},
		{City, "????? ??????", RuleBadCharacter, "only"},
		{City, "Troms?ya", RuleBadCharacter, ""},
		{Street, "12 rue du Ch?ne", RuleBadCharacter, ""},
		{Street, "1 av. de l'?glise", RuleBadCharacter, ""},
		{Street, "4 rue ?douard", RuleBadCharacter, ""},
		{Street, "12 ???? ??", RuleBadCharacter, ""},
		{Street, "Rue n?4", RuleBadCharacter, ""},
		{Street, "5 rue de l'¿glise", RuleBadCharacter, ""},
		{Street, "?????", RuleBadCharacter, ""},
		{Email, "jos?@example.ca", RuleBadCharacter, ""},
		{UniqueID, "A?0123", RuleBadCharacter, ""},
		{UserName, "m?ller", RuleBadCharacter, ""},

		{City, "Gasp?", RuleBadCharacter, "may stand for"},
		{Street, "5 rue de la Libert?", RuleBadCharacter, "may stand for"},

		{City, "Montréal?", "", ""},
		{City, "Saint-Louis-du-Ha! Ha!", "", ""},
		{Street, "Why Not? Café, 12 Main St", "", ""},
		{Street, "¿Qué Tal? Café, 4 King St", "", ""},
		{Street, "Café «¿Por qué?», 4 King St", "", ""},
		{Street, "12 Main St ?", "", ""},
		{Street, "5 ¿Qué? Plaza", "", ""},
		{Street, "A|B Lofts", "", ""},
	} {
		t.Run(fmt.Sprint(tc.attribute, " ", tc.text), func(t *testing.T) {
			checkProblem(t, mapCell(t, tc.attribute, "", Cell{Text: tc.text}), tc.rule, tc.says)
		})
	}
}

// TestLostAtEnds has a question mark at the end of a word, which is a lost letter only
// beside others.
func TestLostAtEnds(t *testing.T) {
	for _, tc := range []struct {
		towns string
		rows  []int // that are reported
	}{
		{"Montr?al|Saint-Andr?|Ottawa|Qu?bec", []int{1}},
		{"Saint-Andr?|Ottawa|L?vis", []int{0}},
		{"Montréal?|Ottawa|Lévis", nil},
	} {
		m := mustCompile(t, parseFields(t, "", "unique_id: {value: u-1}\ncity: It"), []string{"It"}, testOptions())
		for town := range strings.SplitSeq(tc.towns, "|") {
			var r Result
			m.Map(texts(town), &r)
		}
		review, err := m.Review(func(sequence int) int { return sequence })
		var rows []int
		for _, p := range review.Problems {
			rows = append(rows, p.Sequence)
		}
		if err != nil || !slices.Equal(rows, tc.rows) {
			t.Errorf("%s: got %v, %v", tc.towns, review.Problems, err)
		}
	}
}

// TestCodePageOfColumn has values that only the others of the column show to be misread.
func TestCodePageOfColumn(t *testing.T) {
	for _, tc := range []struct {
		names string
		want  string // the proposals
	}{
		{"M‡laga|Garc’a|Pe–a|O’Brien", "García Peña"},
		{"Garc’a|RenŽ", "García"},
		{"RenÚ|Franþois|Steinþór", "François"},
		{"Franþois|D’amours|Jean–pierre", ""},
	} {
		m := mustCompile(t, parseFields(t, "", "unique_id: {value: u-1}\nlast_name: It"), []string{"It"}, testOptions())
		for name := range strings.SplitSeq(tc.names, "|") {
			var r Result
			m.Map(texts(name), &r)
		}
		review, err := m.Review(func(sequence int) int { return sequence })
		var got []string
		for _, p := range review.Problems {
			got = append(got, strings.Split(p.Problem.Message, `"`)[3])
		}
		if err != nil || strings.Join(got, " ") != tc.want {
			t.Errorf("%s: got %v, %v", tc.names, review.Problems, err)
		}
	}
}

func TestCodePages(t *testing.T) {
	for _, tc := range []struct{ text, right string }{
		// DOS and Mac as Windows-1252
		{"Ren‚e", "Renée"},
		{"Andr‚", "André"},
		{"B‚langer", "Bélanger"},
		{"Trois-RiviŠres", "Trois-Rivières"},
		{"Fran‡ois", "François"},
		{"BenoŒt", "Benoît"},
		{"J”rg", "Jörg"},
		{"M\u0081ller", "Müller"},
		{"Mu¤oz", "Muñoz"},
		{"Garc¡a", "García"},
		{"L¢pez", "López"},
		{"RenŽe", "Renée"},
		{"BŽlanger", "Bélanger"},
		{"C™tŽ", "Côté"},
		{"MŸller", "Müller"},
		{"Fran\u008dois", "François"},
		{"H‡kon", "Hçkon"}, // or Hákon
		// Windows-1252 as DOS and Mac
		{"RenÚe", "Renée"},
		{"RiviÞre", "Rivière"},
		{"Mu±oz", "Muñoz"},
		{"J÷rg", "Jörg"},
		{"RenÈe", "Renée"},
		{"MontrÈal", "Montréal"},
		{"CÙtÈ", "Côté"},
		{"FranÁois", "François"},
		{"RenΘe", "Renée"},
		{"BΘlanger", "Bélanger"},
		// other alphabets
		{"Montrйal", "Montréal"},
		{"Bйlanger", "Bélanger"},
		{"Pawe³", "Paweł"},
		{"Wa³êsa", "Wałęsa"},
		// UTF-8 whose second byte was taken for a space
		{"GarcÃa", "García"},
		{"GarcÃ\u00ada", "García"},
		{"VoilÃ", "Voilà"},
		{"VoilÃ\u00a0 Roy", "Voilà Roy"},

		// UTF-8 of other languages
		{"Nguyá»…n", "Nguyễn"},
		{"Tráº§n", "Trần"},
		{"Ð’Ð°Ð½", "Ван"},
		{"å±±ç”°", "山田"},
		{"ë°•", "박"},

		{"Ó’Briain", ""},
		{"CAFÉ’S", ""},
		{"JOÃO", ""},
		{"GONÇALVES", ""},
		{"Žiga Šimić", ""},
		{"Þór", ""},
		{"Guðmundsson", ""},
		{"ÂNGELA", ""},
		{"CÔTÉ", ""},
		{"Saint-Cœur", ""},
		{"Œdipe", ""},
		{"McÉvoy", ""},
		{"MacÓda", ""},
		{"DeÁvila", ""},
		{"Ó hÉigeartaigh", ""},
		{"Bóthar na hÉireann", ""},
		{"D’Éon", ""},
		{"L'Île-Perrot", ""},
		{"MONTRéAL", ""},
		{"O´Brien", ""},
		{"Gal·la", ""},
		{"Mª Carmen", ""},
		{"Rue N°4", ""},
		{"“The Lodge”, Main St", ""},
		{"Café™ Plaza", ""},
		{"12½ King St", ""},
		{"Иванова", ""},
		{"Ивановa", ""},
		{"Nguyễn", ""},
		{"Łódź", ""},
		{"Weiß", ""},
		{"SÜß", ""},
		{"5 A×B", ""},
		{"Jean–Pierre", ""},
		{"Kahuʻena", ""},
	} {
		t.Run(tc.text, func(t *testing.T) {
			a := City
			r := mapCell(t, a, "", Cell{Text: tc.text})
			if tc.right == "" {
				checkProblem(t, r, "", "")
				return
			}
			checkProblem(t, r, RuleWrongEncoding, `"`+tc.right+`"`)
		})
	}
}
