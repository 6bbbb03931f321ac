package format

import (
	"errors"
	"iter"

	"opscom-import/importer"
)

// ErrEnough ends a projection early.
var ErrEnough = errors.New("enough")

// Sequence returns the results that each visits; an error comes last.
func Sequence(each func(visit func(importer.Result) error) error) iter.Seq2[importer.Result, error] {
	return func(yield func(importer.Result, error) bool) {
		err := each(func(line importer.Result) error {
			if !yield(line, nil) {
				return ErrEnough
			}
			return nil
		})
		if err != nil && !errors.Is(err, ErrEnough) {
			yield(importer.Result{}, err)
		}
	}
}

// Count returns the number of results by status that each visits, and the number of requests
// sent for them.
func Count(each func(visit func(importer.Result) error) error) (counts importer.Counts, attempts int, err error) {
	counts = importer.Counts{}
	err = each(func(line importer.Result) error {
		counts[line.Status]++
		attempts += line.Attempts
		return nil
	})
	return counts, attempts, err
}

// AddToRound adds a chunk to those of a round, once. Chunks come in order.
func AddToRound(rounds map[int][]int64, round int, chunk int64) {
	if n := len(rounds[round]); n == 0 || rounds[round][n-1] != chunk {
		rounds[round] = append(rounds[round], chunk)
	}
}

// OpenRow returns 1 for a row that was not sent, or may have been, else 0.
func OpenRow(line *importer.Result) int {
	if line.Status.Spec().Kind == importer.KindOpen {
		return 1
	}
	return 0
}
