package sheet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/dustin/go-humanize/english"
)

// compoundFile returns a minimal OLE2 compound file ([MS-CFB]) that has one
// stream: a header, one sector of the allocation table, one of the directory.
func compoundFile(stream string) string {
	const sector, free, end, fat = 512, 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
	file := make([]byte, 3*sector)
	le := binary.LittleEndian
	copy(file, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1")
	le.PutUint16(file[24:], 0x3E)   // minor version
	le.PutUint16(file[26:], 3)      // major version
	le.PutUint16(file[28:], 0xFFFE) // byte order
	le.PutUint16(file[30:], 9)      // sectors of 512 bytes
	le.PutUint16(file[32:], 6)      // mini sectors of 64 bytes
	le.PutUint32(file[44:], 1)      // one sector of allocation table
	le.PutUint32(file[48:], 1)      // directory in sector 1
	le.PutUint32(file[56:], 4096)   // smallest stream outside the mini stream
	le.PutUint32(file[60:], end)    // no mini allocation table
	le.PutUint32(file[68:], end)    // no further allocation table
	for i := 76; i < sector; i += 4 {
		le.PutUint32(file[i:], free)
	}
	le.PutUint32(file[76:], 0)
	table := file[sector : 2*sector]
	for i := 0; i < sector; i += 4 {
		le.PutUint32(table[i:], free)
	}
	le.PutUint32(table[0:], fat)
	le.PutUint32(table[4:], end)
	entry := func(at []byte, name string, kind byte, child uint32) {
		units := utf16.Encode([]rune(name))
		for i, u := range units {
			le.PutUint16(at[2*i:], u)
		}
		le.PutUint16(at[64:], uint16(2*len(units)+2))
		at[66], at[67] = kind, 1
		le.PutUint32(at[68:], free)
		le.PutUint32(at[72:], free)
		le.PutUint32(at[76:], child)
		le.PutUint32(at[116:], end)
	}
	directory := file[2*sector:]
	entry(directory, "Root Entry", 5, 1)
	entry(directory[128:], stream, 2, free)
	return string(file)
}

func TestOtherFilesAreNamed(t *testing.T) {
	tests := map[string]struct {
		content string
		options Options
		message string // what it must say, in part
	}{
		"empty":                        {content: "", message: "empty (0 bytes)"},
		"old workbook":                 {content: compoundFile("Workbook"), message: "Excel 97-2003 (.xls)"},
		"older workbook":               {content: compoundFile("Book"), message: "Excel 97-2003 (.xls)"},
		"locked workbook":              {content: compoundFile("EncryptedPackage"), message: "password"},
		"old document":                 {content: compoundFile("WordDocument"), message: "Word or PowerPoint"},
		"another old file":             {content: compoundFile("Project"), message: "not a workbook"},
		"damaged compound":             {content: compoundFile("Workbook")[:600], message: "damaged"},
		"PDF":                          {content: "%PDF-1.7\n%\xE2\xE3", message: "PDF"},
		"PNG":                          {content: "\x89PNG\x0D\x0A\x1A\x0A\x00\x00", message: "picture"},
		"7z":                           {content: "7z\xBC\xAF\x27\x1C\x00\x04", message: "Unpack"},
		"HTML":                         {content: "\r\n<html><p>1</p></html>", message: "web page (HTML)"},
		"HTML table":                   {content: "<TABLE border=1><tr><td>1", message: "web page (HTML)"},
		"XML Spreadsheet 2003":         {content: "<?xml version=\"1.0\"?>\n<?mso-application progid=\"Excel.Sheet\"?>\n<Workbook xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\">", message: "XML Spreadsheet 2003"},
		"XML":                          {content: "<?xml version=\"1.0\"?><people/>", message: "XML document"},
		"web archive":                  {content: "MIME-Version: 1.0\nX-Document-Type: Workbook\n", message: "MHTML"},
		"RTF":                          {content: `{\rtf1\ansi`, message: "RTF"},
		"flat OpenDocument":            {content: `<?xml version="1.0"?><office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0">`, message: ".fods"},
		"Excel 3":                      {content: "\x09\x02\x06\x00\x00\x00\x10\x00\x42\x00\x02\x00\xE4\x04", message: "Excel 2 to 4"},
		"Lotus":                        {content: "\x00\x00\x02\x00\x06\x04\x06\x00\x08\x00", message: "Lotus"},
		"table in OpenDocument":        {content: `<?xml version="1.0"?><office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"><table:table>`, message: ".fods"},
		"SYLK":                         {content: "ID;PWXL;N;E\r\nP;PGeneral\r\nC;Y1;X1;K\"id\"\r\nE\r\n", message: "SYLK"},
		"DIF":                          {content: "TABLE\n0,1\n\"EXCEL\"\nVECTORS\n0,3\n", message: "DIF"},
		"JSON":                         {content: `[{"id": "1", "name": "Ann"}]`, message: "JSON"},
		"JSON with lines":              {content: "{\n  \"users\": [\n", message: "JSON"},
		"vCard":                        {content: "BEGIN:VCARD\r\nN:Ann\r\n", message: "vCard"},
		"LDIF":                         {content: "dn: cn=Ann\nobjectClass: person\n", message: "LDIF"},
		"OpenDocument":                 {content: zipOf(t, parts{"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": "<x/>"}), message: "OpenDocument"},
		"Numbers":                      {content: zipOf(t, parts{"Index/Document.iwa": "x"}), message: "Apple Numbers"},
		"binary workbook":              {content: zipOf(t, parts{"_rels/.rels": "", "xl/workbook.bin": "x"}), message: ".xlsb"},
		"Word":                         {content: zipOf(t, parts{"_rels/.rels": "", "word/document.xml": "x"}), message: "Word"},
		"empty zip":                    {content: zipOf(t, nil), message: "empty zip archive"},
		"half a zip":                   {content: zipOf(t, workbookParts(sheetXML("")))[:700], message: "damaged"},
		"text for a workbook":          {content: "id,name\n", options: Options{Format: XLSX}, message: "text, not an Excel workbook"},
		"a workbook for text":          {content: zipOf(t, workbookParts(sheetXML(""))), options: Options{Format: CSV}, message: "Excel workbook, not CSV"},
		"old workbook after a message": {content: "<b>Notice</b>: x\n" + compoundFile("Workbook"), message: "Excel 97-2003 (.xls)"},
		"unknown format":               {content: "id,name\n", options: Options{Format: "ods"}, message: `"ods"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path := writeFile(t, "people.xlsx", tt.content)
			fe := fileError(t, readFile(t, path, tt.options).err, path)
			if fe.Row != 0 || !strings.Contains(fe.Message, tt.message) {
				t.Errorf("row %d: %s\nwant %q", fe.Row, fe.Message, tt.message)
			}
			if !strings.HasSuffix(fe.Message, ".") {
				t.Errorf("no sentence: %s", fe.Message)
			}
		})
	}
}

func TestFormatIsToldByContent(t *testing.T) {
	book := zipOf(t, workbookParts(sheetXML(`<row><c t="s"><v>0</v></c></row><row><c t="s"><v>1</v></c></row>`)))
	for name, content := range map[string]string{"people.csv": book, "people.xlsx": "one\ntwo\n", "page.xlsx": "one\ntwo\n<b>\n"} {
		got := readFile(t, writeFile(t, name, content), Options{})
		if got.err != nil || len(got.rows) == 0 || got.rows[0] != "2: two" {
			t.Errorf("%s: rows %q, error %v", name, got.rows, got.err)
		}
	}
	for header, row := range map[string]string{"ID;Prénom": "7;Ann", "id;p": "C7;Ann", "Table,n": "0,1", "{id},[name]": "7,Ann"} {
		if got := readFile(t, writeFile(t, "people.csv", header+"\n"+row+"\n"), Options{}); got.err != nil || len(got.rows) != 1 {
			t.Errorf("%s: rows %q, error %v", header, got.rows, got.err)
		}
	}
	got := readFile(t, writeFile(t, "people.csv", "<b>name</b>\nAnn\n"), Options{Format: CSV})
	if got.err != nil || len(got.rows) != 1 {
		t.Errorf("text with tags, read as CSV on demand: rows %q, error %v", got.rows, got.err)
	}
}

// What web sites write before a workbook does no harm to it.
func TestBytesBeforeWorkbook(t *testing.T) {
	book := zipOf(t, workbookParts(sheetXML(`<row><c t="s"><v>0</v></c></row><row><c t="s"><v>1</v></c></row>`)))
	for name, before := range map[string]string{
		"a blank line":        "\r\n",
		"blank lines":         "\n\n \t\n",
		"a byte order mark":   "\xEF\xBB\xBF",
		"a message of PHP":    "<br />\n<b>Deprecated</b>:  Function utf8_encode() is deprecated in <b>/var/www/export.php</b> on line <b>7</b><br />\n",
		"a header of HTTP":    "Content-Type: application/vnd.ms-excel\r\n\r\n",
		"three kilobytes":     strings.Repeat("warning\n", 380),
		"and something after": "\n",
	} {
		t.Run(name, func(t *testing.T) {
			content := before + book
			if strings.HasPrefix(name, "and") {
				content += "\r\n<!-- 0.02 s -->\n"
			}
			got := readFile(t, writeFile(t, "people.xlsx", content), Options{})
			if got.err != nil || !slices.Equal(got.rows, []string{"2: two"}) {
				t.Fatalf("rows %q, error %v", got.rows, got.err)
			}
			if want := fmt.Sprintf("The file begins with %s that do", english.Plural(len(before), "byte", "")); !strings.Contains(strings.Join(got.notes, " "), want) {
				t.Errorf("notes %q, want %q", got.notes, want)
			}
		})
	}
	for name, content := range map[string]string{"text": "id,name\n1,PK\n2,PK\x03\n", "nothing else": "one\nPK\n"} {
		if got := readFile(t, writeFile(t, "people.csv", content), Options{}); got.err != nil || len(got.rows) == 0 {
			t.Errorf("%s: rows %q, error %v", name, got.rows, got.err)
		}
	}
}

func TestFixedWidthIsNamed(t *testing.T) {
	for name, tt := range map[string]struct {
		text string
		is   bool
	}{
		"sqlcmd":                {"Student ID First Name Last Name\n---------- ---------- ----------\n900123401  Ann        Roy\n900123402  Bo         De La Cruz\n\n(2 rows affected)\n", true},
		"one row":               {"ID        Name\n--------- -----\n900123401 Ann\n", true},
		"SQL*Plus":              {"\n       ID FIRST                LAST\n--------- -------------------- --------------------\n900123401 Ann                  Roy\n900123402 Bo                   Lee\n\n2 rows selected.\n", true},
		"names with commas":     {"ID        Name            City\n--------- --------------- ---------\n900123401 Roy, Ann        Hull\n900123402 Lee, Bo         Laval\n900123403 Low, Cy         Hull\n", true},
		"without strokes":       {"ID        First     Last\n900123401 Ann       Roy\n900123402 Mary Jane Lee\n900123403 Bo        De La Cruz\n", true},
		"and names with commas": {"ID        Name            City\n900123401 Roy, Ann        Hull\n900123402 Leeson, Bo      Laval\n900123403 Low, Cy         Hull\n", true},
		"in the header as well": {"ID        Last, first     City\n900123401 Roy, Ann        Hull\n900123402 Leeson, Bo      Laval\n900123403 Low, Cy         Hull\n", true},
		"below a title":         {"List of students\nID        First     Last\n900123401 Ann       Roy\n900123402 Mary Jane Lee\n900123403 Bo        De La Cruz\n", true},
		"and a blank line":      {"List of students, fall\n\nID        First     Last\n900123401 Ann       Roy\n900123402 Mary Jane Lee\n900123403 Bo        De La Cruz\n", true},
		"accents":               {"Numéro    Prénom    Nom\n900123401 Éléonore  Roy\n900123402 Zoé       Côté-Lee\n900123403 Noël      Lévesque\n", true},
		"numbers to the right":  {"Name        Year      ID\nAnn Roy        1  900123\nBo Lee        10  900124\nMary Jane      4  900125\n", true},

		"spaces in values":                       {"ID,First,Last,City\n900123401,Ann  Marie,Roy,New   York\n900123402,Bo  Lee,Lee  Roy,Saint  John\n", false},
		"cells filled up with spaces":            {"ID        ,First     ,Last\n900123401 ,Ann       ,Roy\n900123402 ,Bo        ,Lee\n", false},
		"the same below a title":                 {"Students\nID        ,First     ,Last\n900123401 ,Ann       ,Roy\n900123402 ,Bo        ,Lee\n", false},
		"psql":                                   {"    id     | first |  last\n-----------+-------+------\n 900123401 | Ann   | Roy\n 900123402 | Bo    | Lee\n", false},
		"a ruler in a file with commas":          {"ID,First,Last\n---------,-----,----\n900123401,Ann,Roy\n900123402,Bo,Lee\n", false},
		"a column of names":                      {"Name\nAnn Roy\nBob Lee\nCyd Low\nDee Poe\n", false},
		"cells that are moved to line up":        {"ID,        First, Last\n900123401, Ann,   Roy\n900123402, Bobby, Lee\n900123403, Cy,    Low\n", false},
		"cells of a width behind ids of several": {"1,Ann        ,Roy      ,Hull\n10,Bo         ,Lee      ,Laval\n100,Cyd        ,Low      ,Hull\n", false},
		"tabs":                                   {"ID\tFirst\tLast\n900123401\tAnn    \tRoy\n900123402\tBo     \tLee\n", false},
		"dashes in the rows":                     {"ID,First,Last\n-- --,,\n900123401,Ann,Roy\n", false},
		"words in quotes":                        {"\"ID\" \"First\" \"Last\" \"City\"\n\"900123401\" \"Ann\" \"Roy\" \"Hull\"\n\"900123402\" \"Bobby\" \"Lee\" \"Hull\"\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			for _, content := range []string{tt.text, strings.ReplaceAll(tt.text, "\n", "\r\n"), "\uFEFF" + tt.text} {
				err := readFile(t, writeFile(t, "people.txt", content), Options{}).err
				if is := err != nil && strings.Contains(err.Error(), "fixed width"); is != tt.is {
					t.Errorf("error %v", err)
				}
			}
		})
	}
}

func TestNoFile(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing.csv")
	_, err := Open(missing, Options{})
	fileError(t, err, missing)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v does not wrap fs.ErrNotExist", err)
	}
	dir := t.TempDir()
	_, err = Open(dir, Options{})
	if fe := fileError(t, err, dir); !strings.Contains(fe.Message, "folder") {
		t.Errorf("a folder: %s", fe.Message)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Error(err)
	}
}
