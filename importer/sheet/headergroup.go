package sheet

import (
	"slices"
	"strings"

	"opscom-import/importer"
	"opscom-import/importer/sheet/internal/rows"
)

// findGroups looks for a header of two rows, the upper one of which names groups of columns
// ("Home address" above "Street" and "City"). What was used as the header may be either
// of them.
func (p *preview) findGroups(f *headerPlace) (err error) {
	if up := f.at - 1; up >= 0 && p.follows(f.at) && p.shapes[up].values == 0 && (p.shapes[up].filled >= 2 || p.repeatsNames(f.at)) {
		if f.merged, err = p.mergesOf(up, f.at); err != nil {
			return err
		}
		if p.spreads(up, f.at, f.merged) || (len(f.merged) == 0 && p.shapes[up].filled >= 2 && p.repeatsNames(f.at)) {
			f.groups = []int{up}
			return nil
		}
	}
	down := f.at + 1
	if down >= len(p.rows) || !p.follows(down) || p.shapes[down].values > 0 || !p.fillsGaps(f.at, down) {
		return nil
	}
	if f.merged, err = p.mergesOf(f.at, down); err != nil {
		return err
	}
	below := countColumns(p.shapes[down+1:])
	_, alike := below.contrast(p.shapes[down])
	isHeader := alike == 0 && below.haveValues()
	switch {
	case p.known(down) >= 2 && p.known(down) >= p.known(f.at), p.spreads(f.at, down, f.merged) && (isHeader || p.spans(f.at, down, f.merged)):
		f.groups, f.at, f.known, f.sure = []int{f.at}, down, max(p.known(down), f.known), true
		return nil
	case isHeader:
		return p.askBetween(f.at, down)
	}
	return nil
}

// mergedHeader looks for a header of three or four rows, which merged cells hold together: a
// name that goes down over several rows, and groups with names or groups below them. It
// returns the zero value where there is none.
//
//	Student ID │ Student                 │ E-mail
//	           │ Legal name   │ Preferred │
//	           │ First │ Last │ First     │
func (p *preview) mergedHeader() (headerPlace, error) {
	const leastRows, mostRows = 3, 4
	for top := range min(len(p.rows), maxTitleRows) {
		last := top
		for last+1 < len(p.rows) && last+1-top < mostRows && p.follows(last+1) && p.shapes[last+1].values == 0 {
			last++
		}
		if last-top+1 < leastRows || p.shapes[top].values > 0 || p.shapes[top].filled < 2 || !p.fillsGaps(top, top+1) && !p.fillsGaps(top, top+2) {
			continue
		}
		merges, err := p.mergesOf(top, last)
		if err != nil {
			return headerPlace{}, err
		}
		bottom := p.lastMerged(top, merges)
		if bottom-top+1 < leastRows || bottom > last {
			continue
		}
		f := headerPlace{at: bottom, merged: merges, below: p.belowHeader(bottom), sure: true}
		below, unlike := countColumns(p.shapes[bottom+1:]), 0
		for i := top; i <= bottom; i++ {
			if i < bottom {
				f.groups = append(f.groups, i)
			}
			f.known += p.known(i)
			labels, _ := below.contrast(p.shapes[i])
			unlike += labels
		}
		if unlike > 0 || f.known >= 2 {
			return f, nil
		}
	}
	return headerPlace{}, nil
}

// lastMerged returns the index of the last row that merged cells join with the row top: a
// name goes down to the last row that it is merged over, and below a group are names.
func (p *preview) lastMerged(top int, merges []rows.Range) int {
	bottom := top
	for before := -1; before != bottom; {
		before = bottom
		for _, m := range merges {
			first, end := top+m.FirstRow-p.rows[top].Number, top+m.LastRow-p.rows[top].Number
			if first < top || first > bottom {
				continue
			}
			if m.LastColumn > m.FirstColumn {
				end++
			}
			bottom = max(bottom, end)
		}
	}
	return bottom
}

// spans reports whether a name is merged over both rows.
func (p *preview) spans(upper, lower int, merges []rows.Range) bool {
	return slices.ContainsFunc(merges, func(m rows.Range) bool {
		return m.FirstRow <= p.rows[upper].Number && m.LastRow == p.rows[lower].Number
	})
}

// follows reports whether there is no blank row between the row and the one above.
func (p *preview) follows(i int) bool { return p.rows[i].Number == p.rows[i-1].Number+1 }

// merger is a reader that knows merged cells.
type merger interface {
	Merges(first, last int) ([]rows.Range, error)
}

// mergesOf returns the merged cells of two rows, where the reader knows any.
func (p *preview) mergesOf(upper, lower int) ([]rows.Range, error) {
	source, ok := p.source.(merger)
	if !ok {
		return nil, nil
	}
	return source.Merges(p.rows[upper].Number, p.rows[lower].Number)
}

// spreads reports whether merged cells of the upper row are above some, but not all, of the
// columns that the lower row names.
func (p *preview) spreads(upper, lower int, merges []rows.Range) bool {
	named := p.shapes[lower]
	all := 0
	for c := range max(len(named.cells), len(p.shapes[upper].cells)) {
		if named.at(c) != blankCell || p.shapes[upper].at(c) != blankCell {
			all++
		}
	}
	return slices.ContainsFunc(merges, func(m rows.Range) bool {
		if m.FirstRow != p.rows[upper].Number || m.LastRow >= p.rows[lower].Number || m.LastColumn == m.FirstColumn {
			return false
		}
		inside := 0
		for c := m.FirstColumn; c <= m.LastColumn; c++ {
			if named.at(c) != blankCell {
				inside++
			}
		}
		return inside >= 2 && inside < all
	})
}

// repeatsNames reports whether two columns have the same name, so that only a group can
// tell them apart.
func (p *preview) repeatsNames(i int) bool {
	seen := map[string]bool{}
	for c := range min(len(p.rows[i].Cells), maxClassified) {
		name := strings.ToLower(rows.TextAt(&p.rows[i], c))
		if name != "" && seen[name] {
			return true
		}
		seen[name] = true
	}
	return false
}

// fillsGaps reports whether the lower row has names to the right of one in the upper row,
// where that is blank: the upper one names a group.
func (p *preview) fillsGaps(upper, lower int) bool {
	named := false
	for c := range p.shapes[lower].cells {
		if p.shapes[upper].at(c) != blankCell {
			named = p.shapes[lower].at(c) != blankCell
			continue
		}
		if named && p.shapes[lower].at(c) != blankCell {
			return true
		}
	}
	return false
}

// joinGroups puts the name of its group before each name: "Home address / Street". Merged
// cells say how far a group goes; without them it goes up to the next one, and a group
// without a name below it is the name of its own column alone.
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
