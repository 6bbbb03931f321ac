package lang

import (
	_ "embed"
	"sync"

	"github.com/leonelquinteros/gotext"
)

//go:embed fr.po
var frenchPage []byte

// pageTexts returns the French texts of the page.
var pageTexts = sync.OnceValue(func() *catalogue { return parseCatalogue(frenchPage) })

// catalogue has the translations of one PO file.
type catalogue struct {
	po    *gotext.Po
	texts map[string]*gotext.Translation // by the English text, the singular where it has a plural
}

func parseCatalogue(text []byte) *catalogue {
	po := gotext.NewPo()
	po.Parse(text)
	return &catalogue{po, po.GetDomain().GetTranslations()}
}

// get returns the translation of a text, if there is one.
func (c *catalogue) get(text string) (french string, ok bool) {
	translation, ok := c.texts[text]
	if !ok || text == "" || !translation.IsTranslated() {
		return "", false
	}
	return translation.Get(), true
}
