package webpage

import (
	"bufio"
	"errors"
	"io"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/transform"

	"opscom-import/importer/sheet/internal/rows"
)

var errTokenLarge = errors.New("a cell or a tag is too long")

// pageEncoding returns what decodes a page: nothing where all of it is UTF-8, else the
// encoding that it names, or else the one of Windows in the west.
func pageEncoding(r io.Reader) (decode func(io.Reader) io.Reader, err error) {
	page := bufio.NewReader(r)
	head, err := page.Peek(page.Size())
	if err != nil && err != io.EOF {
		return nil, err
	}
	named, name, _ := charset.DetermineEncoding(head, "")
	_, err = io.Copy(io.Discard, transform.NewReader(page, encoding.UTF8Validator))
	switch {
	case err == nil && !strings.HasPrefix(name, "utf-16"):
		return func(r io.Reader) io.Reader { return r }, nil
	case err != nil && !errors.Is(err, encoding.ErrInvalidUTF8):
		return nil, err
	case name == "utf-8":
		return nil, rows.Errorf("The web page says that it is written in UTF-8, but it contains other letters, so names with accents would be read wrong. " + rows.SaveAsXLSX)
	}
	return func(r io.Reader) io.Reader { return named.NewDecoder().Reader(r) }, nil
}

// pageTokens reads the tags of a page and knows which table they are in.
type pageTokens struct {
	*html.Tokenizer
	tables int   // begun so far
	open   []int // indexes of the tables that are open
	mute   atom.Atom
}

func newPageTokens(r io.Reader) pageTokens {
	z := html.NewTokenizer(r)
	z.SetMaxBuf(1 << 20) // bytes of a tag or a text
	return pageTokens{Tokenizer: z}
}

// next returns the next token that counts: a text, or a tag with its name. Scripts and
// styles are skipped.
func (p *pageTokens) next() (html.TokenType, atom.Atom, error) {
	for {
		kind := p.Next()
		switch kind {
		case html.ErrorToken:
			if errors.Is(p.Err(), html.ErrBufferExceeded) {
				return kind, 0, errTokenLarge
			}
			return kind, 0, p.Err()
		case html.TextToken:
			if p.mute == 0 {
				return kind, 0, nil
			}
		case html.StartTagToken, html.EndTagToken, html.SelfClosingTagToken:
			name, _ := p.TagName()
			tag := atom.Lookup(name)
			if tag == atom.Script || tag == atom.Style || tag == atom.Title {
				if p.mute = 0; kind == html.StartTagToken {
					p.mute = tag
				}
				continue
			}
			if p.mute != 0 {
				continue
			}
			switch {
			case tag == atom.Table && kind == html.StartTagToken:
				p.open = append(p.open, p.tables)
				p.tables++
			case tag == atom.Table && kind == html.EndTagToken && len(p.open) > 0:
				p.open = p.open[:len(p.open)-1]
			}
			return kind, tag, nil
		}
	}
}

// innermost returns the index of the table that the token is in, -1 for none.
func (p *pageTokens) innermost() int {
	if len(p.open) == 0 {
		return -1
	}
	return p.open[len(p.open)-1]
}

// isOpen reports whether a table is open. The indexes are in order.
func (p *pageTokens) isOpen(table int) bool {
	_, open := slices.BinarySearch(p.open, table)
	return open
}

// surveyPage reads the whole page and returns the index of its largest table, and how many
// have cells. A page whose largest table is never closed was cut short.
func surveyPage(r io.Reader) (largest, tables int, err error) {
	page := newPageTokens(r)
	var cells []int
	for {
		kind, tag, err := page.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return 0, 0, pageError(0, err)
		}
		if i := page.innermost(); i >= 0 && kind == html.StartTagToken && (tag == atom.Td || tag == atom.Th) {
			cells = append(cells, make([]int, max(0, i+1-len(cells)))...)
			if cells[i]++; cells[i] == 1 {
				tables++
			}
		}
	}
	if len(cells) == 0 {
		return 0, 0, rows.Errorf("This is a web page (HTML) without a table, whatever its name says. " + rows.ExportXLSX)
	}
	largest = slices.Index(cells, slices.Max(cells))
	if page.isOpen(largest) {
		return 0, 0, rows.Errorf("This is a web page (HTML) that ends in the middle of its table, so it was cut short. Export it again.")
	}
	return largest, tables, nil
}
