package draft

import (
	"slices"

	"opscom-import/importer"
)

// Correct adds the corrections of one answer. Undo takes them back together.
func (d *Draft) Correct(answer []importer.Correction) {
	if len(answer) == 0 {
		return
	}
	d.Corrections = append(slices.Clone(d.Corrections), answer...)
	d.Answered = append(slices.Clone(d.Answered), len(answer))
}

// Undo takes back the corrections of the last answer, and reports whether there was one.
func (d *Draft) Undo() bool {
	last := len(d.Answered) - 1
	if last < 0 {
		return false
	}
	d.Corrections = slices.Clone(d.Corrections[:len(d.Corrections)-d.Answered[last]])
	d.Answered = slices.Clone(d.Answered[:last])
	return true
}

// PutBack forgets every correction that is chosen, so that the file counts there again.
// It reports whether there was one.
func (d *Draft) PutBack(chosen func(importer.Correction) bool) bool {
	var kept []importer.Correction
	var answered []int
	next := 0
	for _, size := range d.Answered {
		before := len(kept)
		for _, c := range d.Corrections[next : next+size] {
			if !chosen(c) {
				kept = append(kept, c)
			}
		}
		if next += size; len(kept) > before {
			answered = append(answered, len(kept)-before)
		}
	}
	changed := len(kept) < len(d.Corrections)
	d.Corrections, d.Answered = kept, answered
	return changed
}
