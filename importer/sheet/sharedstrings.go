package sheet

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// sharedStrings holds the texts that the cells of a workbook refer to by number:
// all of them in one string, since a million small ones would cost far more.
type sharedStrings struct {
	text string
	ends []uint32 // where each one ends in text
}

// maxStringsMemory is what the shared strings may take, in bytes.
const maxStringsMemory = 256 << 20

// get returns the text at index.
func (s *sharedStrings) get(index int) (string, bool) {
	if index < 0 || index >= len(s.ends) {
		return "", false
	}
	start := uint32(0)
	if index > 0 {
		start = s.ends[index-1]
	}
	return s.text[start:s.ends[index]], true
}

// readSharedStrings reads the part as a stream; there may be none.
func readSharedStrings(pkg *officePackage, name string) (*sharedStrings, error) {
	part, err := pkg.open(name, maxStringsBytes)
	if part == nil || err != nil {
		return &sharedStrings{}, err
	}
	s, err := scanSharedStrings(newXMLScanner(part))
	if closeErr := part.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, fault(0, fmt.Sprintf("The texts of the workbook (its shared strings) cannot be read: %v. Open the workbook in Excel, save it again as .xlsx, and use that copy.", err), err)
	}
	return s, nil
}

func scanSharedStrings(x *xmlScanner) (*sharedStrings, error) {
	var (
		all  strings.Builder
		ends []uint32
		item []byte
	)
	if err := x.root("sst"); err != nil {
		return nil, err
	}
	for {
		kind, err := x.next()
		if err != nil {
			return nil, err
		}
		switch {
		case kind == xmlEOF:
			return &sharedStrings{text: all.String(), ends: ends}, nil
		case kind == xmlStart && string(x.name) == "si":
			if item, err = x.appendStringItem(item[:0]); err != nil {
				return nil, err
			}
			if !utf8.Valid(item) {
				return nil, errNotUTF8
			}
			if all.Len()+len(item)+4*len(ends) > maxStringsMemory {
				return nil, errPartTooLarge
			}
			all.Write(item)
			ends = append(ends, uint32(all.Len()))
		case kind == xmlStart:
			if err := x.skip(); err != nil {
				return nil, err
			}
		}
	}
}
