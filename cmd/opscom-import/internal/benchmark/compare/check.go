//go:build linux

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"opscom-import/cmd/opscom-import/internal/benchmark"
)

// compareCSV measures a check of a CSV file beside those who read or convert it.
func (b *bench) compareCSV(ctx context.Context) error {
	file := filepath.Join(b.dir, "export.csv")
	if err := b.make(ctx, "export.csv", file); err != nil {
		return err
	}
	contenders := []contender{
		b.check(file),
		{name: "encoding/csv, records reused", command: b.selfCommand("encoding-csv", file), done: printedRows(1)},
		b.installed("mlr", "miller", contender{name: "Miller, to CSV", done: lines(1, 1)}, "--icsv", "--ocsv", "cat", file),
		b.installed("mlr", "miller", contender{name: "Miller, to JSON", done: lines(29, 2)}, "--icsv", "--ojson", "cat", file),
		b.installed(python, "python3", contender{name: "Python, csv.DictReader", done: printedRows(0)}, b.peer("dictreader.py"), file),
	}
	for i := range contenders {
		contenders[i].want = b.rows
	}
	c, err := b.hold(ctx, contenders)
	if err != nil {
		return err
	}
	return c.printCheck(ctx, b.out, fmt.Sprintf("check of a CSV file, %d × 27 cells", b.rows))
}

// compareXLSX measures a check of a workbook beside those who read it.
func (b *bench) compareXLSX(ctx context.Context, shared bool) error {
	kind, texts := "inline.xlsx", "texts in the cells"
	if shared {
		kind, texts = "shared.xlsx", "shared texts"
	}
	file := filepath.Join(b.dir, kind)
	if err := b.make(ctx, kind, file); err != nil {
		return err
	}
	defer os.Remove(file) // in a temporary folder
	office := b.installed("soffice", "libreoffice-calc", contender{name: "LibreOffice, to CSV", done: b.convertedRows(kind)},
		"--headless", "-env:UserInstallation=file://"+filepath.Join(b.dir, "office"), "--convert-to", "csv", "--outdir", b.dir, file)
	contenders := []contender{
		b.check(file),
		{name: "excelize, Rows with raw values", command: b.selfCommand("excelize", file), done: printedRows(1)},
		office,
		b.installed("xlsx2csv", "xlsx2csv", contender{name: "xlsx2csv", done: lines(1, 1)}, file),
		b.python("openpyxl", "python3-openpyxl", contender{name: "openpyxl, read only", done: printedRows(1)}, b.peer("openpyxl_rows.py"), file),
		b.node("exceljs", contender{name: "exceljs, as a stream", done: printedRows(1)}, b.peer("exceljs_rows.js"), file),
		b.node("xlsx", contender{name: "SheetJS", done: printedRows(1)}, "--max-old-space-size=12000", b.peer("sheetjs_rows.js"), file),
	}
	for i := range contenders {
		contenders[i].want = b.rows
	}
	c, err := b.hold(ctx, contenders)
	if err != nil {
		return err
	}
	return c.printCheck(ctx, b.out, fmt.Sprintf("check of a workbook with %s, %d × 27 cells", texts, b.rows))
}

func (c *contest) printCheck(ctx context.Context, out io.Writer, title string) error {
	head := []string{"seconds, median", "from", "to", "× opscom-import", "CPU seconds", "peak"}
	ours := c.samples[program]
	return c.print(ctx, out, title, head, func(samples []sample) []string {
		walls, ratio := valuesOf(samples, seconds), "-"
		if len(ours) > 0 {
			ratio = fmt.Sprintf("%.2f", median(samples, seconds)/median(ours, seconds))
		}
		return []string{
			inSeconds(median(samples, seconds)), inSeconds(slices.Min(walls)), inSeconds(slices.Max(walls)), ratio,
			inSeconds(median(samples, cpuSeconds)), mebibytes(median(samples, peak)),
		}
	})
}

func inSeconds(s float64) string { return fmt.Sprintf("%.3f", s) }

// program is the name under which the program itself is measured.
const program = "opscom-import"

// check is the program itself.
func (b *bench) check(file string) contender {
	mapping := strings.TrimSuffix(file, filepath.Ext(file)) + ".mapping.yaml"
	return contender{name: program, done: checkedRows, command: func(ctx context.Context) *exec.Cmd {
		if err := benchmark.WriteExportMapping(mapping); err != nil {
			return &exec.Cmd{Err: err}
		}
		return exec.CommandContext(ctx, b.program, "check", "--json", "--no-progress", "--state", filepath.Join(b.dir, "state"), file)
	}}
}

// checkedRows reads the number of valid rows from the summary of a check.
func checkedRows(out string) (int, error) {
	text, err := os.ReadFile(out)
	if err != nil {
		return 0, err
	}
	var summary struct {
		Valid int `json:"valid"`
	}
	err = json.Unmarshal(text, &summary)
	return summary.Valid, err
}

// printedRows reads the number that a contender printed, of which some rows are
// the header.
func printedRows(header int) func(out string) (int, error) {
	return func(out string) (int, error) {
		text, err := os.ReadFile(out)
		if err != nil {
			return 0, err
		}
		n, err := strconv.Atoi(strings.TrimSpace(string(text)))
		return n - header, err
	}
}

// lines counts the rows of a text that has so many lines a row, and some more.
func lines(each, more int) func(out string) (int, error) {
	return func(out string) (rows int, err error) {
		file, err := os.Open(out)
		if err != nil {
			return 0, err
		}
		defer file.Close() // only read
		n := 0
		for r := bufio.NewReaderSize(file, 1<<20); ; {
			piece, err := r.ReadSlice('\n')
			if err == io.EOF {
				return (n - more) / each, nil
			}
			if err == nil {
				n++
			} else if !errors.Is(err, bufio.ErrBufferFull) {
				return len(piece), err
			}
		}
	}
}

// convertedRows counts the rows of the file that LibreOffice wrote beside the others.
func (b *bench) convertedRows(kind string) func(string) (int, error) {
	return func(string) (int, error) {
		path := filepath.Join(b.dir, strings.TrimSuffix(kind, ".xlsx")+".csv")
		rows, err := lines(1, 1)(path)
		return rows, errors.Join(err, os.Remove(path))
	}
}
