package journal

import (
	"errors"
	"iter"
	"opscom-import/importer"
)

// errEnough ends a projection early.
var errEnough = errors.New("enough")

// sequence returns the results that each visits; an error comes last.
func sequence(each func(visit func(importer.Result) error) error) iter.Seq2[importer.Result, error] {
	return func(yield func(importer.Result, error) bool) {
		err := each(func(line importer.Result) error {
			if !yield(line, nil) {
				return errEnough
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			yield(importer.Result{}, err)
		}
	}
}

// addToRound adds a chunk to those of a round, once. Chunks come in order.
func addToRound(rounds map[int][]int64, round int, chunk int64) {
	if n := len(rounds[round]); n == 0 || rounds[round][n-1] != chunk {
		rounds[round] = append(rounds[round], chunk)
	}
}

// openRow returns 1 for a row that was not sent, or may have been, else 0.
func openRow(line *importer.Result) int {
	if line.Status.Spec().Kind == importer.KindOpen {
		return 1
	}
	return 0
}
