package journal

import (
	"encoding/binary"

	"opscom-import/importer"
	"opscom-import/mapping"
)

// A problem is stored as
//
//	severity, attribute, column + 1, and as texts rule, header, value, message with its advice
func appendProblem(dst []byte, p *importer.RowProblem) []byte {
	dst = append(dst, byte(p.Severity), byte(p.Attribute))
	dst = binary.AppendUvarint(dst, uint64(p.Column-mapping.NoColumn))
	for _, text := range [...]string{string(p.Rule), p.Header, p.Value, p.Text()} {
		dst = appendText(dst, text)
	}
	return dst
}

func (r *blobReader) problem(row int) importer.RowProblem {
	p := importer.RowProblem{Row: row}
	p.Severity, p.Attribute = mapping.Severity(r.byte()), mapping.Attribute(r.byte())
	p.Column = int(r.number()) + mapping.NoColumn
	p.Rule, p.Header, p.Value, p.Message = mapping.Rule(r.text()), r.text(), r.text(), r.text()
	return p
}
