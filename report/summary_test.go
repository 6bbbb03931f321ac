package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"opscom-import/importer"
	"opscom-import/mapping"
)

// nightRun is a timeline of some minutes, with a pause and some refusals.
func nightRun(start time.Time) []TimelinePoint {
	var line Timeline
	random := rand.New(rand.NewPCG(1, 2))
	for second := range 16 * 60 {
		if second > 400 && second < 520 {
			continue // the Controller asked for a pause
		}
		for range 6 + random.IntN(6) {
			status := importer.StatusPushed
			switch n := random.IntN(100); {
			case n == 0:
				status = importer.StatusRejected
			case n < 20 && second > 380 && second < 560:
				status = importer.StatusFailed
			}
			line.Add(start.Add(time.Duration(second)*time.Second), status)
		}
	}
	return line.Points()
}

func summaries() map[string]Summary {
	halifax := time.FixedZone("ADT", -3*60*60)
	written := time.Date(2026, 9, 1, 8, 16, 3, 0, halifax)
	all := receipts()
	everything := Summary{
		Receipt: all["everything"], Mapping: "/home/ann/lists/students.mapping.yaml",
		Settings:  []Fact{{"Only changed rows", "yes"}, {"Limit of invalid rows", "10%"}, {"Requests a second", "10"}},
		Changes:   &Changes{New: 1_200, Changed: 38_800, Unchanged: 5},
		StartedAt: written.Add(-16 * time.Minute), FinishedAt: written.Add(-2 * time.Second),
		Timeline: nightRun(written.Add(-16 * time.Minute)), Version: "v1.2.3", WrittenAt: written,
	}
	everything.Reports.Fix, everything.Reports.Problems = `C:\Users\ann\students.fix.xlsx`, "/home/ann/lists/students.problems.csv"
	many := everything
	many.Problems = nil
	for range 3 * summaryProblems {
		many.Problems = append(many.Problems, everything.Problems...)
	}
	wrong := everything
	wrong.Rows++
	list := map[string]Summary{"everything": everything, "many": many, "wrong": wrong}
	for _, name := range []string{"pushed", "held", "check", "part", "empty"} {
		list[name] = Summary{Receipt: all[name], Version: "v1.2.3", WrittenAt: written}
	}
	return list
}

func TestSummaryGolden(t *testing.T) {
	for name, summary := range summaries() {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := WriteSummary(To("-", &out), summary); errors.Is(err, ErrReceipt) != (name == "wrong") || err != nil && name != "wrong" {
				t.Fatal(err)
			}
			wantWellFormed(t, out.Bytes())
			for _, personal := range []string{"1970", "ann", "Users", "lists"} {
				if strings.Contains(out.String(), personal) {
					t.Errorf("the summary holds %q", personal)
				}
			}
			if name != "many" {
				compareGolden(t, "summary-"+name+".html", out.Bytes())
			} else if n := strings.Count(out.String(), "<tr><td class=\"n"); n > 40 {
				t.Errorf("%d lines in the tables", n)
			}
		})
	}
}

// wantWellFormed fails the test unless every element of the summary is closed and
// nothing is loaded from elsewhere.
func wantWellFormed(t rapid.TB, summary []byte) {
	t.Helper()
	decoder := xml.NewDecoder(bytes.NewReader(summary))
	decoder.Strict = true
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("the summary is not well formed: %v", err)
		}
		element, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if name := element.Name.Local; name == "script" || name == "img" || name == "link" || name == "iframe" || name == "a" {
			t.Errorf("there is a %s", name)
		}
		for _, a := range element.Attr {
			if strings.HasPrefix(a.Name.Local, "on") || a.Name.Local == "src" || a.Name.Local == "href" {
				t.Errorf("there is an attribute %s", a.Name.Local)
			}
		}
	}
	if bytes.Contains(summary, []byte("ZgotmplZ")) || bytes.Contains(summary, []byte("url(")) {
		t.Error("something unsafe was put into the summary")
	}
}

// What comes from outside is shown as it is, and does nothing.
func TestSummaryOfHostileTexts(t *testing.T) {
	hostile := rapid.SampledFrom([]string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `</style><h1>`, `</title></svg>`, "javascript:alert(1)", "{{.File}}", "]]>", "&lt;", "=1+1", "\u202Eexe.csv",
	})
	rapid.Check(t, func(t *rapid.T) {
		text := func(name string) string { return hostile.Draw(t, name) }
		summary := Summary{
			Receipt: Receipt{
				Command: text("command"), Run: 3, File: "a" + text("file"), Rows: 3, Counts: importer.Counts{importer.StatusInvalid: 2, importer.StatusNotSent: 1},
				Held: []string{text("held")}, Reports: importer.Reports{Results: text("results"), Fix: text("fix")},
				Target: text("target"),
				Problems: []importer.ProblemCount{
					{Rule: mapping.Rule(text("rule")), Header: text("header"), Count: 2, Row: 2, Message: "SECRET"},
					{Rule: mapping.Rule("error code " + text("code")), Column: mapping.NoColumn, Count: 1, Row: 3, Message: "SECRET"},
				},
			},
			Mapping: text("mapping"), Settings: []Fact{{text("name"), text("value")}}, Version: text("version"),
			WrittenAt: time.Date(2026, 9, 1, 0, 0, 0, 0, time.FixedZone(text("zone"), 0)),
			Timeline:  nightRun(time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)),
		}
		var out bytes.Buffer
		if err := WriteSummary(To("-", &out), summary); err != nil {
			t.Fatal(err)
		}
		wantWellFormed(t, out.Bytes())
		if strings.Contains(out.String(), "SECRET") {
			t.Fatal("a message about a value is in the summary")
		}
	})
}

// Whatever a run brought, its bars stand inside the axes and their heights add up.
func TestPlotFits(t *testing.T) {
	number := func(t *rapid.T, text string) float64 {
		x, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	rapid.Check(t, func(t *rapid.T) {
		length := rapid.SampledFrom([]time.Duration{100 * time.Millisecond, time.Second, 5 * time.Minute, 6 * time.Hour, 48 * time.Hour}).Draw(t, "length")
		start := time.Unix(rapid.Int64Range(0, 1<<32).Draw(t, "start"), 0).Truncate(length)
		rows := rapid.SliceOfN(rapid.IntRange(0, 100_000), fewestPoints, maxPoints).Draw(t, "rows")
		var points []TimelinePoint
		most := 0
		for i, n := range rows {
			points = append(points, TimelinePoint{start.Add(time.Duration(i) * length), length, importer.Counts{importer.StatusPushed: n / 2, importer.StatusFailed: n - n/2, importer.StatusInvalid: 7}})
			most = max(most, n)
		}
		zone := time.FixedZone("NST", -12600)
		p := newPlot(points, zone)
		if most == 0 {
			if p != nil {
				t.Fatal("a plot of nothing")
			}
			return
		}
		for _, b := range p.Bars {
			for _, part := range b.Parts {
				x, y, w, h := number(t, part.X), number(t, part.Y), number(t, part.W), number(t, part.H)
				if x < plotLeft-.1 || x+w > plotRight+.1 || y < plotTop-.2 || y+h > plotBottom+.2 || w <= 0 {
					t.Fatalf("%+v stands outside the axes", part)
				}
			}
		}
		if n := len(p.Across); n < 1 || n > 6 {
			t.Fatalf("%d marks along the time: %v", n, p.Across)
		}
		if n := len(p.Up); n < 2 || n > 6 || p.Up[0].Label != "0" {
			t.Fatalf("%d marks along the rows: %v", n, p.Up)
		}
	})
}

func TestShortRunsHaveNoPlot(t *testing.T) {
	for _, points := range [][]TimelinePoint{nil, make([]TimelinePoint, fewestPoints-1), make([]TimelinePoint, 10)} {
		if p := newPlot(points, time.UTC); p != nil {
			t.Errorf("%d points without rows give %+v", len(points), p)
		}
	}
}

func TestWriteSummary(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "a.summary.html")
	if err := WriteSummary(To(path, nil), summaries()["pushed"]); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	wantFolder(t, folder, map[string]string{"a.summary.html": string(whole)})
	if err := WriteSummary(To(path, nil), summaries()["wrong"]); !errors.Is(err, ErrReceipt) {
		t.Errorf("error %v for a summary that does not add up", err)
	}
	if text, err := os.ReadFile(path); err != nil || !bytes.Contains(text, []byte("The rows do not add up")) {
		t.Errorf("the summary does not say so (%v)", err)
	}
	if err := WriteSummary(To(filepath.Join(folder, "none", "a.html"), nil), summaries()["pushed"]); err == nil {
		t.Error("no error for a folder that is not there")
	}
	if err := WriteSummary(To("-", &fullDisk{left: len(whole) / 2}), summaries()["pushed"]); err == nil {
		t.Error("no error on a full disk")
	}
}

// The parts of the rows that the summary shows add up to the rows read, as the
// receipt's counts do.
func TestSharesAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var summary Summary
		summary.Counts = importer.Counts{}
		for _, status := range importer.Statuses() {
			summary.Counts[status] = rapid.IntRange(0, 1000).Draw(t, string(status))
			summary.Rows += summary.Counts[status]
		}
		sum := 0
		for _, s := range summary.shares() {
			sum += s.Rows
		}
		if sum != summary.Rows || summary.Check() != nil {
			t.Fatalf("the shares come to %d of %d rows", sum, summary.Rows)
		}
	})
}
