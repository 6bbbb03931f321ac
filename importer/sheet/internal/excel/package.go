package excel

import (
	"archive/zip"
	"bufio"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding/unicode"

	"opscom-import/importer/sheet/internal/archive"
	"opscom-import/importer/sheet/internal/rows"
)

// Most bytes that the parts of a workbook may have once unpacked, so that a small
// file cannot fill the memory or keep the program busy for hours.
const (
	maxStringsBytes = 3 << 30  // shared strings
	maxSmallPart    = 16 << 20 // workbook, styles, relationships

	// A part that is larger than freeBytes may be maxRatio times as large as it is in
	// the file. Sheets of people are 5 to 50 times as large.
	freeBytes = 64 << 20
	maxRatio  = 200
)

// officePackage is an Office file: a zip archive of parts that point to each
// other by relationships (ECMA-376, part 2).
type officePackage struct {
	parts map[string]*zip.File // by partName
}

// relationship points from one part to another.
type relationship struct {
	ID     string `xml:"Id,attr"`
	Type   string `xml:"Type,attr"` // a URI; its last segment is the same in both editions of the standard
	Target string `xml:"Target,attr"`
	Mode   string `xml:"TargetMode,attr"`
}

// is reports whether the relationship is of a kind such as "worksheet".
func (r relationship) is(kind string) bool { return path.Base(r.Type) == kind && r.Mode != "External" }

func openPackage(r io.ReaderAt, size int64) (*officePackage, error) {
	zipped, err := archive.OpenZip(r, size)
	if err != nil {
		return nil, rows.ErrorAt(0, err, rows.DamagedBook)
	}
	p := &officePackage{parts: make(map[string]*zip.File, len(zipped.File))}
	for _, f := range zipped.File {
		name := archive.PartName(f.Name)
		if _, twice := p.parts[name]; twice {
			return nil, rows.Errorf("The workbook has its part %q twice, so it is not clear which one counts. "+rows.SaveAgain, name)
		}
		p.parts[name] = f
	}
	return p, nil
}

// decode reads a small part into the value v, and nothing where there is no such part.
func (p *officePackage) decode(name string, v any) error {
	part, err := p.open(name, maxSmallPart)
	if part == nil || err != nil {
		return err
	}
	d := xml.NewDecoder(part)
	d.CharsetReader = func(label string, r io.Reader) (io.Reader, error) {
		if isUTF16Label(label) { // open has decoded it
			return r, nil
		}
		return charset.NewReaderLabel(label, r)
	}
	if err = d.Decode(v); err == nil || err == io.EOF {
		_, err = io.Copy(io.Discard, part) // up to the end, where the checksum is
	}
	if err = errors.Join(err, part.Close()); err != nil {
		return rows.ErrorAt(0, fmt.Errorf("read part %s: %w", name, err), rows.DamagedBook)
	}
	return nil
}

// open opens a part for reading at most limit bytes of it; nil when there is no
// such part.
func (p *officePackage) open(name string, limit int64) (io.ReadCloser, error) {
	f := p.parts[archive.PartName(name)]
	if f == nil || f.FileInfo().IsDir() {
		return nil, nil
	}
	part, err := f.Open()
	if err != nil {
		return nil, rows.ErrorAt(0, fmt.Errorf("open part %s: %w", name, err), rows.DamagedBook)
	}
	if packed := int64(f.CompressedSize64); packed < limit/maxRatio {
		limit = min(limit, max(freeBytes, maxRatio*packed))
	}
	return decodedPart(archive.Limit(part, limit)), nil
}

// decodedPart gives a part in UTF-8 that is written in UTF-16, as the standard allows.
func decodedPart(part io.ReadCloser) io.ReadCloser {
	buffered := bufio.NewReaderSize(part, 16)
	head, _ := buffered.Peek(2) // an error comes again at the next read
	var order unicode.Endianness
	switch string(head) {
	case "\xFF\xFE", "<\x00":
		order = unicode.LittleEndian
	case "\xFE\xFF", "\x00<":
		order = unicode.BigEndian
	default:
		return partReader{buffered, part}
	}
	return partReader{unicode.UTF16(order, unicode.UseBOM).NewDecoder().Reader(buffered), part}
}

type partReader struct {
	io.Reader
	io.Closer
}

// isUTF16Label reports whether an XML document says of itself that it is in UTF-16.
func isUTF16Label(label string) bool { return strings.HasPrefix(strings.ToLower(label), "utf-16") }

// relationships returns what the part points to, with the targets as names of
// parts. The part "" is the package itself.
func (p *officePackage) relationships(part string) ([]relationship, error) {
	dir, base := path.Split(archive.PartName(part))
	var list struct {
		Relationships []relationship `xml:"Relationship"`
	}
	if err := p.decode(dir+"_rels/"+base+".rels", &list); err != nil {
		return nil, err
	}
	for i, r := range list.Relationships {
		target := strings.ReplaceAll(r.Target, `\`, "/")
		if !strings.HasPrefix(target, "/") {
			target = dir + target
		}
		list.Relationships[i].Target = archive.PartName(target)
	}
	return list.Relationships, nil
}
