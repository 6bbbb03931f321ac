// Package benchmark has what the benchmarks share: the files of people who never
// were, the Controller's mock that does nothing but answer, and the bare loop
// of requests that a push is held against.
//
// compare, below it, is the command that measures the program beside what people
// would use in its place.
package benchmark
