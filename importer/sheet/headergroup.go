package sheet

import (
	"slices"
	"strings"

	"opscom-import/importer/sheet/internal/rows"

	"opscom-import/importer"
)

// findGroups looks for a header of two rows, the upper one naming groups of
// columns ("Home address" above "Street" and "City"). What was taken for the
// header may be either of them.
func (p *preview) findGroups(f *finding) error {
	if up := f.at - 1; up >= 0 && p.follows(f.at) && p.looks[up].values == 0 && (p.looks[up].filled >= 2 || p.repeatsNames(f.at)) {
		merges, err := p.mergesOf(up, f.at)
		if err != nil {
			return err
		}
		if p.spreads(up, f.at, merges) || (len(merges) == 0 && p.looks[up].filled >= 2 && p.repeatsNames(f.at)) {
			f.group = up
			return nil
		}
	}
	down := f.at + 1
	if down >= len(p.rows) || !p.follows(down) || p.looks[down].values > 0 || !p.fillsGaps(f.at, down) {
		return nil
	}
	merges, err := p.mergesOf(f.at, down)
	if err != nil {
		return err
	}
	below := lookDown(p.looks[down+1:])
	_, alike := below.contrast(p.looks[down])
	isHeader := alike == 0 && below.haveValues()
	switch {
	case p.known(down) >= 2 && p.known(down) >= p.known(f.at), p.spreads(f.at, down, merges) && (isHeader || p.spans(f.at, down, merges)):
		f.group, f.at, f.known, f.sure = f.at, down, max(p.known(down), f.known), true
		return nil
	case isHeader:
		return p.askBetween(f.at, down)
	}
	return nil
}

// spans reports whether a name is merged over both rows.
func (p *preview) spans(upper, lower int, merges []rows.Range) bool {
	return slices.ContainsFunc(merges, func(m rows.Range) bool {
		return m.FirstRow <= p.rows[upper].Number && m.LastRow == p.rows[lower].Number
	})
}

// follows reports whether no blank row stands between the row and the one above.
func (p *preview) follows(i int) bool { return p.rows[i].Number == p.rows[i-1].Number+1 }

// mergesOf returns the merged cells of two rows, where the reader knows any.
func (p *preview) mergesOf(upper, lower int) ([]rows.Range, error) {
	source, ok := p.source.(interface {
		Merges(first, last int) ([]rows.Range, error)
	})
	if !ok {
		return nil, nil
	}
	return source.Merges(p.rows[upper].Number, p.rows[lower].Number)
}

// spreads reports whether merged cells of the upper row stand above some, but
// not all, of the columns that the lower row names.
func (p *preview) spreads(upper, lower int, merges []rows.Range) bool {
	named := p.looks[lower]
	all := 0
	for c := range max(len(named.cells), len(p.looks[upper].cells)) {
		if named.at(c) != blankLook || p.looks[upper].at(c) != blankLook {
			all++
		}
	}
	return slices.ContainsFunc(merges, func(m rows.Range) bool {
		if m.FirstRow != p.rows[upper].Number || m.LastRow >= p.rows[lower].Number || m.LastColumn == m.FirstColumn {
			return false
		}
		inside := 0
		for c := m.FirstColumn; c <= m.LastColumn; c++ {
			if named.at(c) != blankLook {
				inside++
			}
		}
		return inside >= 2 && inside < all
	})
}

// repeatsNames reports whether two columns have one name, which only a group can
// tell apart.
func (p *preview) repeatsNames(i int) bool {
	seen := map[string]bool{}
	for c := range min(len(p.rows[i].Cells), lookedAt) {
		name := strings.ToLower(rows.TextAt(&p.rows[i], c))
		if name != "" && seen[name] {
			return true
		}
		seen[name] = true
	}
	return false
}

// fillsGaps reports whether the lower row has names to the right of one in the
// upper row, where that is blank: the upper one names a group.
func (p *preview) fillsGaps(upper, lower int) bool {
	named := false
	for c := range p.looks[lower].cells {
		if p.looks[upper].at(c) != blankLook {
			named = p.looks[lower].at(c) != blankLook
			continue
		}
		if named && p.looks[lower].at(c) != blankLook {
			return true
		}
	}
	return false
}

// joinGroups puts the name of its group before each name: "Home address / Street".
// Merged cells say how far a group goes; without them it goes up to the next one,
// and a group without a name below it is the name of its own column alone.
func joinGroups(upper *importer.Row, names []string, merges []rows.Range) []string {
	names = append(names, make([]string, max(0, len(upper.Cells)-len(names)))...)
	group := ""
	for c, name := range names {
		own := rows.TextAt(upper, c)
		switch m := slices.IndexFunc(merges, func(m rows.Range) bool {
			return m.FirstRow <= upper.Number && upper.Number <= m.LastRow && m.FirstColumn <= c && c <= m.LastColumn
		}); {
		case m >= 0:
			group = rows.TextAt(upper, merges[m].FirstColumn)
		case own != "" || len(merges) > 0:
			group = own
		}
		switch {
		case group == "" || strings.EqualFold(group, strings.TrimSpace(name)):
		case name != "":
			names[c] = group + " / " + strings.TrimSpace(name)
		case own != "":
			names[c], group = own, ""
		}
	}
	return names
}
