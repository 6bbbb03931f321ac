package journal

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"

	"opscom-import/importer"
	"opscom-import/mapping"
)

// A problem is stored as
//
//	severity, attribute, column + 1, and as texts rule, header, value, message
func appendProblem(dst []byte, p *importer.RowProblem) []byte {
	dst = append(dst, byte(p.Severity), byte(p.Attribute))
	dst = binary.AppendUvarint(dst, uint64(p.Column-mapping.NoColumn))
	for _, text := range [...]string{string(p.Rule), p.Header, p.Value, p.Message} {
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

// Problems yields what the plan found wrong, or worth a look, in row order. An
// error comes last; the problems before it are right, but not all.
func (r *Run) Problems(ctx context.Context) iter.Seq2[importer.RowProblem, error] {
	return func(yield func(importer.RowProblem, error) bool) {
		err := r.journal.view(ctx, fmt.Sprintf("read the problems of run %d", r.id), func(tx *sql.Tx) error {
			record, err := loadRun(ctx, tx, r.id)
			if err != nil {
				return err
			}
			return record.project(ctx, tx, func(s *slice) error {
				for i := range s.rows {
					for _, p := range s.rows[i].plan.Problems {
						if !yield(p, nil) {
							return errEnough
						}
					}
				}
				return nil
			})
		})
		if err != nil && !errors.Is(err, errEnough) {
			yield(importer.RowProblem{}, err)
		}
	}
}
