package importer

import (
	"cmp"
	"math"
	"slices"

	"opscom-import/mapping"
)

// ProblemCount counts the rows that broke one rule in one column.
type ProblemCount struct {
	Rule     mapping.Rule
	Severity mapping.Severity
	Column   int    // index in the sheet; mapping.NoColumn when no single cell is meant
	Header   string // of that column
	Count    int
	Row      int    // the first such row
	Message  string // about that row; holds its value
}

type problemKey struct {
	rule     mapping.Rule
	severity mapping.Severity
	column   int
}

// ProblemCounter counts problems by rule and column. The zero value is ready to use.
type ProblemCounter struct {
	counts map[problemKey]*ProblemCount
}

// Add counts a problem.
func (c *ProblemCounter) Add(p RowProblem) {
	key := problemKey{p.Rule, p.Severity, p.Column}
	count := c.counts[key]
	if count == nil {
		if c.counts == nil {
			c.counts = map[problemKey]*ProblemCount{}
		}
		count = &ProblemCount{Rule: p.Rule, Severity: p.Severity, Column: p.Column, Header: p.Header, Row: math.MaxInt}
		c.counts[key] = count
	}
	count.Count++
	if p.Row < count.Row {
		count.Row, count.Message = p.Row, p.Located()
	}
}

// MostCommon returns the counts: errors before warnings, the most common first.
func (c *ProblemCounter) MostCommon() []ProblemCount {
	list := make([]ProblemCount, 0, len(c.counts))
	for _, p := range c.counts {
		list = append(list, *p)
	}
	slices.SortFunc(list, func(a, b ProblemCount) int {
		return cmp.Or(cmp.Compare(a.Severity, b.Severity), cmp.Compare(b.Count, a.Count), cmp.Compare(a.Row, b.Row), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Rule, b.Rule))
	})
	return list
}
