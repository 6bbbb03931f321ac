package excel

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"path"
	"strings"

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
		return nil, rows.NewError(0, rows.DamagedBook, err)
	}
	p := &officePackage{parts: make(map[string]*zip.File, len(zipped.File))}
	for _, f := range zipped.File {
		name := archive.PartName(f.Name)
		if _, twice := p.parts[name]; twice {
			return nil, rows.NewError(0, fmt.Sprintf("The workbook has its part %q twice, so nobody can say which one counts. Open it in Excel, save it again as .xlsx, and use that copy.", name), nil)
		}
		p.parts[name] = f
	}
	return p, nil
}

// read returns a small part as a whole, nil when there is no such part.
func (p *officePackage) read(name string) ([]byte, error) {
	part, err := p.open(name, maxSmallPart)
	if part == nil || err != nil {
		return nil, err
	}
	content, err := io.ReadAll(part)
	if closeErr := part.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, rows.NewError(0, rows.DamagedBook, fmt.Errorf("read part %s: %w", name, err))
	}
	return content, nil
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
		return nil, rows.NewError(0, rows.DamagedBook, fmt.Errorf("open part %s: %w", name, err))
	}
	if packed := int64(f.CompressedSize64); packed < limit/maxRatio {
		limit = min(limit, max(freeBytes, maxRatio*packed))
	}
	return &archive.CappedReader{ReadCloser: part, Left: limit}, nil
}

// relationships returns what the part points to, with the targets as names of
// parts. The part "" stands for the package itself.
func (p *officePackage) relationships(part string) ([]relationship, error) {
	dir, base := path.Split(archive.PartName(part))
	content, err := p.read(dir + "_rels/" + base + ".rels")
	if content == nil || err != nil {
		return nil, err
	}
	var list struct {
		Relationships []relationship `xml:"Relationship"`
	}
	if err := xml.NewDecoder(bytes.NewReader(content)).Decode(&list); err != nil {
		return nil, rows.NewError(0, rows.DamagedBook, fmt.Errorf("read relationships of %q: %w", part, err))
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
