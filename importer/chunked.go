package importer

import "iter"

// chunked is a list that grows without moving what is in it. A slice that grows leaves
// garbage of three times its size behind, which is most of a plan's memory.
type chunked[T any] struct {
	chunks [][]T
	size   int
}

const chunkSize = 1024

func (c *chunked[T]) add(v T) {
	if c.size%chunkSize == 0 {
		c.chunks = append(c.chunks, make([]T, 0, chunkSize))
	}
	last := &c.chunks[len(c.chunks)-1]
	*last = append(*last, v)
	c.size++
}

// at returns the element with that index, which stays where it is.
func (c *chunked[T]) at(i int) *T { return &c.chunks[i/chunkSize][i%chunkSize] }

// all yields the elements with their indexes.
func (c *chunked[T]) all() iter.Seq2[int, *T] {
	return func(yield func(int, *T) bool) {
		for i := range c.size {
			if !yield(i, c.at(i)) {
				return
			}
		}
	}
}
