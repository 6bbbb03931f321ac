// Package lang says the page's texts, and the messages of the engine, in the language
// of the person who reads them.
//
//	in:  "fr-CA,fr;q=0.9,en;q=0.8", "Choose a file", "Date of Birth \"31.2.2004\" is not a valid date. Correct the date."
//	out: French, "Choisissez un fichier", "Date de naissance « 31.2.2004 » n'est pas une date valide. Corrigez la date."
//
// The English texts are the keys. Texts of the page are looked up when they are made
// (T, N). Those of the engine are stored in the journal as finished English text, so
// Engine recognizes them again by the catalogue's formats.
//
// The catalogues are PO files, the format of every translator's tools, with one for
// the page and one for the engine. github.com/leonelquinteros/gotext reads them and
// knows their plural rules. golang.org/x/text/message has a catalogue too, but as Go
// code that its own tool writes from JSON: a build step, and no file to give to a
// translator. Numbers are written by x/text.
package lang
