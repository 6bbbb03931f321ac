package lang

import (
	_ "embed"
	"sync"

	"github.com/leonelquinteros/gotext"
)

//go:embed fr.po
var frenchPage []byte

// pageTexts returns the French texts of the page.
var pageTexts = sync.OnceValue(func() *catalogue { return parse(frenchPage) })

// catalogue has the translations of one PO file.
type catalogue struct {
	po    *gotext.Po
	texts map[string]*gotext.Translation // by the English text, the singular where it has a plural
}

func parse(text []byte) *catalogue {
	po := gotext.NewPo()
	po.Parse(text)
	return &catalogue{po, po.GetDomain().GetTranslations()}
}

// get returns the translation, the text itself where there is none.
func (c *catalogue) get(text string) string {
	if translation, ok := c.texts[text]; ok && text != "" {
		return translation.Get()
	}
	return text
}
