package main

import (
	"fmt"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"opscom-import/importer/journal/postgres/pgtest"
)

// databaseCommand makes an empty PostgreSQL database for the script:
//
//	database            the variable OPSCOM_JOURNAL names it
func databaseCommand(ts *testscript.TestScript, _ bool, _ []string) {
	t := scriptTB{ts: ts, skip: runOf(ts).skip}
	ts.Setenv("OPSCOM_JOURNAL", pgtest.Shared(t).NewDatabase(t))
}

// scriptTB is a script as a test.
type scriptTB struct {
	testing.TB
	ts   *testscript.TestScript
	skip func(args ...any)
}

func (t scriptTB) Helper()           {}
func (t scriptTB) Name() string      { return t.ts.Name() }
func (t scriptTB) Fatal(args ...any) { t.ts.Fatalf("%s", fmt.Sprint(args...)) }
func (t scriptTB) Skip(args ...any)  { t.skip(args...) }
func (t scriptTB) Cleanup(f func())  { t.ts.Defer(f) }

// Error is called when the script has ended: there it can fail no more.
func (t scriptTB) Error(args ...any) { t.ts.Logf("%s", fmt.Sprint(args...)) }
