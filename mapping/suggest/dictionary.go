package suggest

import (
	"cmp"
	_ "embed"
	"slices"
	"strings"

	"opscom-import/mapping"
)

// fit says how surely a header means an attribute.
type fit uint8

const (
	fitsPart   fit = iota // it holds a part of the attribute; another column holds what is before it
	fitsAhead             // it holds a part that comes before what another column holds, as a house number does
	fitsWhole             // it holds the attribute and others in one cell
	fitsLast              // it may, where no other column of the table does
	fitsBefore            // it replaces the attribute where it is not blank, as a preferred name does
	fitsMaybe             // it may, and may mean something else
	fitsAlone             // it does, unless another column of the table could be meant too
	fitsOnly              // it means this attribute and no other
	fitsOwn               // it is the name that the Controller itself accepts, in a table that uses these names
)

// fitNames are the words for fit in the dictionary, in its order.
var fitNames = []string{"part", "ahead", "whole", "last", "before", "maybe", "alone", "only"}

const (
	whyOwn        = "the attribute's own name"
	whyUsual      = "a usual name for it" // the reason for a match that needs no other
	whySoundsLike = "it sounds like it"
	whyPreferred  = "a preferred name may differ from the legal one, and is often blank"
	whyHouse      = "house number" // in the reasons of columns that hold it
	whyHomePhone  = "the profile has no home phone of its own"
)

// synonyms are headers that mean an attribute to the same degree.
type synonyms struct {
	meaning
	headers []string
}

//go:embed dictionary.txt
var dictionaryText string

// readDictionary reads the embedded dictionary.
func readDictionary() []synonyms {
	reasons := map[fit]string{
		fitsPart:   "it is the second line of a street, and the profile has one line for it",
		fitsAhead:  "it comes before what another column holds, and the profile has one line for both",
		fitsWhole:  "it holds the full name, and the profile wants first and last name separately; an expr can split it at a comma",
		fitsBefore: whyPreferred,
		fitsMaybe:  whySoundsLike,
	}
	var entries []synonyms
	for line := range strings.Lines(dictionaryText) {
		line = strings.TrimSuffix(line, "\n")
		headers, indented := strings.CutPrefix(line, "\t")
		switch {
		case indented:
			last := &entries[len(entries)-1]
			last.headers = append(last.headers, strings.Split(strings.TrimSuffix(headers, ";"), "; ")...)
		case line != "" && line[0] != '#':
			heading, why, _ := strings.Cut(line, ": ")
			attribute, word, _ := strings.Cut(heading, " ")
			fit := fit(slices.Index(fitNames, word))
			why = cmp.Or(why, reasons[fit], whyUsual)
			entries = append(entries, synonyms{meaning: meaning{mapping.AttributeNamed(attribute), fit, why}})
		}
	}
	return entries
}
