// Package benchmark is what the benchmarks of the command share: files of invented
// people, a server that does nothing but answer as the Controller does, and a bare
// loop of requests to compare a push with.
package benchmark
