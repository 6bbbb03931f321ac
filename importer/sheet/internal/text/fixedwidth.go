package text

import (
	"bytes"
	"strings"

	"opscom-import/importer/sheet/internal/rows"
)

// Columns of fixed width are lined up with spaces, as sqlcmd and SQL*Plus print them:
//
//	Student ID First Name
//	---------- ----------
//	900123401  Ann
//	900123402  De La Cruz
//
// They are not read: where a column ends is a guess wherever its values have spaces.

// fixedWidthError says what the file is.
func fixedWidthError() error {
	return rows.Errorf("The columns are lined up with spaces (fixed width), as databases print them, and no delimiter separates the cells. " + rows.ExportXLSX)
}

// isFixedWidth reports whether the columns of a text are lined up with spaces, when t is
// the best that a delimiter makes of it.
func isFixedWidth(sample []byte, t trial) bool {
	const mostLines = 200
	end, read, spaced, ruled := 0, 0, 0, false
	for line := range bytes.Lines(sample) {
		if read++; read > mostLines {
			break
		}
		end += len(line)
		if bytes.Contains(line, []byte("  ")) {
			spaced++
		}
		ruled = ruled || bytes.IndexAny(bytes.TrimLeft(line, " "), "-=_") == 0
	}
	if spaced < 2 && !ruled { // as in most files
		return false
	}
	var lines [][]rune
	for line := range bytes.Lines(sample[:end]) {
		lines = append(lines, []rune(strings.TrimRight(string(line), " \r\n")))
	}
	split := func(line []rune) bool {
		return t.width > 0 && t.score() >= leastOrderly && strings.ContainsRune(string(line), rune(t.delimiter))
	}
	for i := 1; i < len(lines); i++ {
		if isRuler(lines[i]) && len(lines[i-1]) > 0 && !split(lines[i-1]) {
			return true
		}
	}
	block := longestBlock(lines)
	const mostTitles, mostFooters = 3, 2 // without a blank line
	for top := range mostTitles + 1 {
		for bottom := range mostFooters + 1 {
			if top+bottom >= len(block) {
				continue
			}
			body := block[top : len(block)-bottom]
			if lineUp(body) && (areInText(body, rune(t.delimiter)) || !split(body[0]) && !sharesColumn(body, rune(t.delimiter))) {
				return true
			}
		}
	}
	return false
}

// isRuler reports whether the line is two or more strokes with spaces between them.
func isRuler(line []rune) bool {
	strokes := strings.Fields(string(line))
	for _, stroke := range strokes {
		if len(stroke) < 2 || strings.Trim(stroke, string(stroke[0])) != "" || !strings.Contains("-=_", stroke[:1]) {
			return false
		}
	}
	return len(strokes) >= 2 && !strings.ContainsRune(string(line), '\t')
}

// longestBlock returns the most lines in a row of which none is blank.
func longestBlock(lines [][]rune) [][]rune {
	var best [][]rune
	begin := 0
	for i := 0; i <= len(lines); i++ {
		if i < len(lines) && len(lines[i]) > 0 {
			continue
		}
		if i-begin > len(best) {
			best = lines[begin:i]
		}
		begin = i + 1
	}
	return best
}

// lineUp reports whether the lines have spaces in the same two places or more, and most
// lines several of them in one of these, which fill up a shorter value. One place is enough
// if it has several in each line.
func lineUp(lines [][]rune) bool {
	const leastLines, leastGaps = 3, 2
	if len(lines) < leastLines {
		return false
	}
	width := 0
	for _, line := range lines {
		width = max(width, len(line))
		if strings.ContainsRune(string(line), '\t') {
			return false
		}
	}
	isBlank := func(line []rune, c int) bool { return c >= len(line) || line[c] == ' ' }
	gaps, wide, begin := 0, false, -1
	filled := make([]bool, len(lines)) // a value of the line is filled up
	for c := range width {
		blank := true
		for _, line := range lines {
			blank = blank && isBlank(line, c)
		}
		switch {
		case blank && begin < 0:
			begin = c
		case !blank && begin > 0:
			gaps++
			wide = wide || c-begin > 1
			for i, line := range lines {
				filled[i] = filled[i] || isBlank(line, c-2) && len(line) > c
			}
			begin = -1
		case !blank:
			begin = -1
		}
	}
	count := 0
	for _, f := range filled {
		if f {
			count++
		}
	}
	return count*2 > len(lines) && (gaps >= leastGaps || wide)
}

// areInText reports whether each delimiter has a letter before it and one space behind, as
// the comma of "Roy, Ann".
func areInText(lines [][]rune, delimiter rune) bool {
	for _, line := range lines {
		for c, r := range line {
			if r == delimiter && (c == 0 || line[c-1] == ' ' || c+2 >= len(line) || line[c+1] != ' ' || line[c+2] == ' ') {
				return false
			}
		}
	}
	return true
}

// sharesColumn reports whether a delimiter is in the same place of all lines that have it:
// then it separates cells that are filled up with spaces.
func sharesColumn(lines [][]rune, delimiter rune) bool {
	var shared map[int]bool
	for _, line := range lines {
		at := map[int]bool{}
		for c, r := range line {
			if r == delimiter && (shared == nil || shared[c]) {
				at[c] = true
			}
		}
		if len(at) > 0 || strings.ContainsRune(string(line), delimiter) {
			shared = at
		}
	}
	return len(shared) > 0
}
