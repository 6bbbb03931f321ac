package mapping

// mapPlain does what mapField does where a text shows by its signs that nothing is wrong
// with it, as nearly all do. It reports whether it did: until then it changes nothing.
func (f *fieldMapper) mapPlain(cells []Cell, r *Result, sequence int) bool {
	if !f.plain {
		return false
	}
	column := f.firstFilled(cells)
	if column == NoColumn {
		return f.blank == blankOmit && f.fallback == ""
	}
	cell := &cells[column]
	text := cell.Text
	if cell.Kind != TextCell || text[0] <= ' ' || text[len(text)-1] <= ' ' {
		return false
	}
	s := signsOf(text)
	if !f.damage.isPlain(text, s) || s&(pointSign|colonSign) != 0 && mayBeError(text) || f.missing.judge(text) != isValue {
		return false
	}
	value := text
	var problem *Problem
	if f.dates != nil {
		if value, problem = f.dates.read(TextCell, text); problem != nil {
			return false
		}
	}
	for _, t := range f.transforms {
		value = t(value)
	}
	switch {
	case value == "":
		return false
	case value == text && s&accentSign == 0:
		value, problem = f.check.checkCounted(value, len(value))
	default:
		value, problem = f.check.check(value)
	}
	if problem != nil {
		return false
	}
	f.damage.seen++
	if !r.Skipped && f.damage.kind.mayBeWord() {
		f.missing.other[styleOf(text)]++
	}
	r.Profile.Set(f.check.spec.Attribute, value)
	if !r.Skipped {
		for _, e := range f.evidence {
			e.add(sequence, *cell, value)
		}
	}
	return true
}

// isMappedPlain reports whether mapPlain may map the field's values: where nothing else of
// the row has to do with them, and no table or region has to be looked up.
func (f *fieldMapper) isMappedPlain() bool {
	if f.expression != nil || f.damage == nil || f.values != nil || f.accepted != nil || f.country != nil {
		return false
	}
	return f.damage.kind != postalValue && f.damage.kind != regionValue
}

// mapKnown does what mapField does where the value is in the cache, or all is blank and
// that means nothing. It reports whether it did.
func (f *fieldMapper) mapKnown(cells []Cell, r *Result, sequence int) bool {
	if f.cache == nil {
		return false
	}
	column := f.firstFilled(cells)
	if column == NoColumn {
		return f.blank == blankOmit && f.fallback == ""
	}
	known := f.cache.find(&cells[column])
	if known == nil {
		return false
	}
	if f.damage != nil {
		f.damage.seen++
		if !r.Skipped && f.damage.kind.mayBeWord() {
			f.missing.other[known.style]++
		}
	}
	f.take(cells, r, sequence, mappedValue{column, cells[column], known.value, known.send}, nil)
	return true
}

// firstFilled returns the first of the field's columns with anything in its cell, NoColumn
// when there is none.
func (f *fieldMapper) firstFilled(cells []Cell) int {
	for _, column := range f.columns {
		if column < len(cells) && (cells[column].Text != "" || cells[column].Kind != TextCell) {
			return column
		}
	}
	return NoColumn
}
