package main

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// page is one Markdown page of the repository.
type page struct {
	name  string // path from the module's root
	lines []string
}

func readPage(t *testing.T, name string) page {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(moduleRoot, name))
	if err != nil {
		t.Fatal(err)
	}
	return page{name, strings.Split(string(text), "\n")}
}

// allPages returns every page of the repository.
func allPages(t *testing.T) []page {
	t.Helper()
	var pages []page
	eachModuleFile(t, ".md", func(name string) { pages = append(pages, readPage(t, name)) })
	if len(pages) < 10 {
		t.Fatalf("only %d pages were found", len(pages))
	}
	return pages
}

func (p page) text() string { return strings.Join(p.lines, "\n") }

// section returns the lines below a heading, up to the next of any level.
func (p page) section(t *testing.T, heading string) []string {
	t.Helper()
	start := slices.Index(p.lines, heading)
	if start < 0 {
		t.Fatalf("%s has no heading %q", p.name, heading)
	}
	below := p.lines[start+1:]
	if end := slices.IndexFunc(below, isHeading); end >= 0 {
		below = below[:end]
	}
	return below
}

func isHeading(line string) bool { return strings.HasPrefix(line, "#") }

// headings returns the texts of the headings of that level, such as "## ".
func (p page) headings(mark string) []string {
	var texts []string
	for _, line := range p.prose() {
		if text, ok := strings.CutPrefix(line, mark); ok {
			texts = append(texts, text)
		}
	}
	return texts
}

// prose returns the lines with those of fenced code blanked.
func (p page) prose() []string {
	lines := slices.Clone(p.lines)
	fenced := false
	for i, line := range lines {
		if isFence := strings.HasPrefix(line, "```"); isFence {
			fenced = !fenced
			lines[i] = ""
		} else if fenced {
			lines[i] = ""
		}
	}
	return lines
}

// fences returns the fenced code in that language.
func (p page) fences(language string) []string {
	var blocks []string
	var block []string
	inside := false
	for _, line := range p.lines {
		switch {
		case !inside && line == "```"+language:
			inside, block = true, nil
		case inside && line == "```":
			inside = false
			blocks = append(blocks, strings.Join(block, "\n")+"\n")
		case inside:
			block = append(block, line)
		}
	}
	return blocks
}

var codeSpan = regexp.MustCompile("`([^`]+)`")

// spans returns what stands between backquotes in a line.
func spans(line string) []string {
	var found []string
	for _, match := range codeSpan.FindAllStringSubmatch(line, -1) {
		found = append(found, match[1])
	}
	return found
}

// firstColumn returns the first cells of the tables in the lines, headers left
// out: what stands between backquotes in each, or else its text.
func firstColumn(lines []string) []string {
	var cells []string
	for i, line := range lines {
		isHeader := i+1 < len(lines) && strings.HasPrefix(lines[i+1], "|---")
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|---") || isHeader {
			continue
		}
		cell, _, _ := strings.Cut(strings.TrimPrefix(line, "|"), " |")
		if inside := spans(cell); len(inside) > 0 {
			cells = append(cells, inside...)
		} else {
			cells = append(cells, strings.TrimSpace(cell))
		}
	}
	return cells
}

// code returns what a reader would take for code: indented lines, and what stands
// between backquotes.
func (p page) code() []string {
	var found []string
	for _, line := range p.lines {
		if strings.HasPrefix(line, "    ") {
			found = append(found, strings.TrimSpace(line))
			continue
		}
		found = append(found, spans(line)...)
	}
	return found
}

// slug is the anchor that a heading has on GitHub.
func slug(heading string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(strings.TrimSpace(heading)) {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
			b.WriteRune(r)
		case r == ' ':
			b.WriteByte('-')
		}
	}
	return b.String()
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

func TestLinksResolve(t *testing.T) {
	for _, p := range allPages(t) {
		for _, line := range p.prose() {
			for _, match := range link.FindAllStringSubmatch(line, -1) {
				if !strings.Contains(match[1], "://") {
					checkLink(t, p, match[1])
				}
			}
		}
	}
}

func checkLink(t *testing.T, from page, target string) {
	t.Helper()
	file, anchor, hasAnchor := strings.Cut(target, "#")
	name := from.name
	if file != "" {
		name = path.Join(path.Dir(from.name), file)
	}
	if _, err := os.Stat(filepath.Join(moduleRoot, name)); err != nil {
		t.Errorf("%s links to %s, which does not exist", from.name, target)
		return
	}
	if !hasAnchor {
		return
	}
	for _, line := range readPage(t, name).prose() {
		if isHeading(line) && slug(strings.TrimLeft(line, "# ")) == anchor {
			return
		}
	}
	t.Errorf("%s links to %s, where there is no such heading", from.name, target)
}
