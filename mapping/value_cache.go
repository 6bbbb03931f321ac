package mapping

import "strings"

// valueCache remembers what became of the values that a field has over and over: towns,
// types, first names. It has only values with nothing wrong, whose outcome depends on
// nothing but their cell, so that a mapper gives the same with it and without.
//
// An entry gives way to the next value of its slot. A field whose values do not repeat,
// such as ids, is left alone for a while.
type valueCache struct {
	entries *[cacheEntries]cachedValue // made at the first value
	asked   int                        // values of this trial
	found   int                        // of these, those that were known
	paused  int                        // values until the next trial
}

// cachedValue is what became of a cell.
type cachedValue struct {
	text  string // of the cell, which is trimmed; "" for no entry
	value string // that it became
	kind  CellKind
	style textStyle
	send  bool // the value is to be sent
}

const (
	cacheEntries = 1 << cacheBits
	cacheBits    = 10
	maxCached    = 48 // bytes of a text; values that repeat are short

	// A trial is so many values, of which at least one in cacheShare has to be known:
	// otherwise the next cachePause are not looked up.
	cacheTrial = 1024
	cacheShare = 4
	cachePause = 8 * cacheTrial
)

// find returns what became of a cell before, nil when that is not known. It is valid until
// the next put.
func (c *valueCache) find(cell *Cell) *cachedValue {
	if cell.Text == "" || len(cell.Text) > maxCached {
		return nil
	}
	if c.asked == cacheTrial && !c.next() {
		return nil
	}
	c.asked++
	if c.entries == nil {
		return nil
	}
	entry := &c.entries[cacheSlot(cell.Text)]
	if entry.text != cell.Text || entry.kind != cell.Kind {
		return nil
	}
	c.found++
	return entry
}

// next begins the next trial, if the last was worth it or the pause is over.
func (c *valueCache) next() bool {
	if c.paused == 0 && c.found < cacheTrial/cacheShare {
		c.paused = cachePause
	}
	if c.paused > 1 {
		c.paused--
		return false
	}
	c.asked, c.found, c.paused = 0, 0, 0
	return true
}

// put adds what became of a cell, whose text is not blank.
func (c *valueCache) put(v cachedValue) {
	if c.paused > 0 || len(v.text) > maxCached {
		return
	}
	if c.entries == nil {
		c.entries = new([cacheEntries]cachedValue)
	}
	isSame := v.value == v.text
	v.text = strings.Clone(v.text) // it is a part of its row's text, which would stay in memory
	if isSame {
		v.value = v.text
	} else {
		v.value = strings.Clone(v.value)
	}
	c.entries[cacheSlot(v.text)] = v
}

// cacheSlot returns the slot of a text, which is not blank, by its ends and its length.
func cacheSlot(text string) uint64 {
	n := len(text)
	h := uint64(n)
	switch {
	case n >= 8:
		h += eightBytes(text) ^ eightBytes(text[n-8:])<<1
	case n >= 4:
		h += (fourBytes(text) | fourBytes(text[n-4:])<<32) << 1
	default:
		h += uint64(text[0])<<8 | uint64(text[n/2])<<16 | uint64(text[n-1])<<24
	}
	return h * 0x9E3779B97F4A7C15 >> (64 - cacheBits) // Fibonacci hashing
}

// eightBytes returns the first eight bytes, the first of them lowest.
func eightBytes(s string) uint64 { return fourBytes(s) | fourBytes(s[4:])<<32 }

func fourBytes(s string) uint64 {
	s = s[:4]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24
}
