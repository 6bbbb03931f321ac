package sheet

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"opscom-import/importer/sheet/internal/archive"
	"opscom-import/importer/sheet/internal/rows"
	"opscom-import/importer/sheet/internal/text"
)

// Format says how a file is written.
type Format string

// The formats that can be read.
const (
	Auto Format = "" // found in the file's content, never in its name
	CSV  Format = "csv"
	XLSX Format = "xlsx" // .xlsx and .xlsm
)

// What contains a file of another format, and what is read in place of a workbook.
const (
	gzipped        Format = "gzip"
	zipped         Format = "zip"
	lockedBook     Format = "workbook with a password"
	webPage        Format = "html"
	xmlSpreadsheet Format = "xml"
)

// EncodingName returns the standard name of an encoding that [Options] may name, in the
// WHATWG Encoding Standard or by IANA: "windows-1252" for "Latin1", "IBM850" for "cp850".
func EncodingName(name string) (string, error) { return text.EncodingName(name) }

const saveODF = "Open it in LibreOffice or Excel and save it as .xlsx."

// openFile opens the file and returns its size.
func openFile(path string) (*os.File, int64, error) {
	file, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, 0, rows.ErrorAt(0, err, "The file does not exist. Check its name and folder.")
	case errors.Is(err, fs.ErrPermission):
		return nil, 0, rows.ErrorAt(0, err, "You have no permission to read this file. Ask its owner for it, or copy the file to a folder of your own.")
	case err != nil:
		return nil, 0, err
	}
	info, err := file.Stat()
	switch {
	case err != nil:
	case info.IsDir():
		err = rows.Errorf("This is a folder. Give the name of a file in it.")
	case !info.Mode().IsRegular():
		err = rows.Errorf("This is not a regular file. Save its content to a file first.")
	case info.Size() == 0:
		err = rows.Errorf("The file is empty (0 bytes). Export it again.")
	}
	if err != nil {
		return nil, 0, errors.Join(err, file.Close())
	}
	return file, info.Size(), nil
}

// Beginnings of a zip archive, as workbooks are, and of a compound file, as old ones are.
const (
	zipMagic      = "PK\x03\x04"
	compoundMagic = "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"
)

// bytesBefore returns how many bytes precede a workbook or a zip archive: a blank line, a
// byte order mark or a message of the web site that wrote the file.
func bytesBefore(file io.ReaderAt, size int64) (int64, error) {
	head, err := archive.Plain(file, size).Head()
	if err != nil {
		return 0, fmt.Errorf("read the first bytes of the file: %w", err)
	}
	for _, magic := range []string{zipMagic, compoundMagic} {
		if at := bytes.Index(head, []byte(magic)); at > 0 && bytes.IndexByte(head[:at], 0) < 0 {
			return int64(at), nil
		}
	}
	return 0, nil
}

// hasExcelName reports whether a file's name says that it is a workbook.
func hasExcelName(name string) bool {
	return slices.Contains([]string{".xlsx", ".xlsm", ".xls", ".xlsb"}, strings.ToLower(filepath.Ext(name)))
}

// detectFormat returns the format that the content has, and refuses what cannot be read,
// saying what it is. A format that was asked for must be that of the file; text that
// looks like a web page is read as CSV when that was asked for.
func detectFormat(file io.ReaderAt, size int64, asked Format) (Format, error) {
	head, err := archive.Plain(file, size).Head()
	if err != nil {
		return "", fmt.Errorf("read the first bytes of the file: %w", err)
	}
	found, err := binaryFormat(head)
	switch {
	case err != nil:
		return "", err
	case found == zipped:
		found, err = zipFormat(file, size)
	case found == lockedBook:
		found, err = compoundFormat(file)
	}
	if err != nil {
		return "", err
	}
	return textFormat(found, head, asked)
}

// packedFormat returns the format of a packed file by its first bytes: CSV for text that
// can be read as it is unpacked, another format for what must be unpacked first.
func packedFormat(head []byte, asked Format) (Format, error) {
	if len(head) == 0 {
		return "", rows.Errorf("The packed file is empty (0 bytes). Export it again.")
	}
	found, err := binaryFormat(head)
	switch {
	case err != nil:
		return "", err
	case found == gzipped:
		return "", archive.PackedTwice()
	case found == zipped || found == lockedBook: // most likely a workbook
		return XLSX, nil
	}
	return textFormat(found, head, asked)
}

// textFormat returns the format of a file that may be text, which must be the one that
// was asked for.
func textFormat(found Format, head []byte, asked Format) (Format, error) {
	var err error
	if found == CSV && asked != CSV {
		if found, err = markupFormat(head); err != nil {
			return "", err
		}
	}
	switch {
	case asked == Auto || asked == found, found == gzipped || found == zipped,
		asked == XLSX && (found == lockedBook || found == webPage || found == xmlSpreadsheet):
		return found, nil
	case asked == CSV:
		return "", rows.Errorf("This is an Excel workbook, not CSV. Leave the format out, or ask for xlsx.")
	case asked == XLSX:
		return "", rows.Errorf("This is text, not an Excel workbook. Leave the format out, or ask for csv.")
	}
	return "", rows.Errorf("The format %q is not known. It is csv or xlsx.", string(asked))
}

// binaryFormat returns zipped and lockedBook for all that is in a zip or a compound file,
// gzipped for what is packed by that, and CSV for anything that may be text. It refuses
// the rest.
func binaryFormat(head []byte) (Format, error) {
	begins := func(with ...string) bool {
		return slices.ContainsFunc(with, func(s string) bool { return bytes.HasPrefix(head, []byte(s)) })
	}
	kind := http.DetectContentType(head)
	what := ""
	switch {
	case begins(zipMagic, "PK\x05\x06"):
		return zipped, nil
	case begins(compoundMagic):
		return lockedBook, nil
	case isBareWorkbook(head):
		what = "This is a workbook of Excel 2 to 4, whatever its name says. " + rows.SaveAsXLSX
	case begins("\x00\x00\x02\x00\x06\x04", "\x00\x00\x1A\x00"):
		what = "This is a worksheet of Lotus 1-2-3. Open it in LibreOffice and save it as .xlsx."
	case kind == "application/pdf":
		what = "This is a PDF, which holds a picture of a table and no rows. Ask for the spreadsheet that it was made from."
	case text.IsUTF8(head): // a name such as BMI or ID3 looks like the beginning of a picture or a sound
		return CSV, nil
	case kind == "application/x-gzip":
		return gzipped, nil
	case strings.HasPrefix(kind, "image/"):
		what = "This is a picture. Ask for the spreadsheet itself, as .xlsx or as \"CSV UTF-8\"."
	case begins("7z\xBC\xAF\x27\x1C", "Rar!\x1A\x07", "BZh", "\xFD7zXZ\x00", "\x28\xB5\x2F\xFD"):
		what = "This is a compressed file. Unpack it, and use the spreadsheet in it."
	case strings.HasPrefix(kind, "audio/"), strings.HasPrefix(kind, "video/"):
		what = "This is audio or video, not a spreadsheet."
	default:
		return CSV, nil
	}
	return "", rows.Errorf("%s", what)
}

// isBareWorkbook reports whether the file begins with a record by which workbooks begin
// that no compound file contains (BOF of BIFF2 to BIFF4, and of a bare BIFF5).
func isBareWorkbook(head []byte) bool {
	return len(head) > 4 && head[0] == 0x09 && bytes.IndexByte([]byte{0, 2, 4, 8}, head[1]) >= 0 && bytes.IndexByte([]byte{4, 6, 8, 16}, head[2]) >= 0 && head[3] == 0
}

// markupFormat returns what text with tags is: a web page or an XML Spreadsheet 2003,
// which student systems write under the name .xls, and CSV for text that has none. It
// refuses other documents, and records that are not a table.
func markupFormat(head []byte) (Format, error) {
	decoded, _, err := transform.Bytes(unicode.BOMOverride(transform.Nop), head)
	if err != nil {
		decoded = head
	}
	content := strings.ToLower(strings.TrimSpace(string(decoded)))
	lines := append(strings.FieldsFunc(content, func(r rune) bool { return r == '\n' || r == '\r' }), "", "")
	first, second := strings.TrimSpace(lines[0]), strings.TrimSpace(lines[1])
	begins := func(line string, with ...string) bool {
		return slices.ContainsFunc(with, func(s string) bool { return strings.HasPrefix(line, s) })
	}
	holds := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(s string) bool { return strings.Contains(content, s) })
	}
	what := ""
	switch {
	case begins(content, "<") && holds("urn:schemas-microsoft-com:office:spreadsheet") && !holds("<html"):
		return xmlSpreadsheet, nil
	case begins(content, "<?xml") && holds("urn:oasis:names:tc:opendocument:xmlns:office"):
		what = "This is an OpenDocument file (.fods). " + saveODF
	case begins(content, "<") && holds("<html", "<table", "<!doctype html", "<body"):
		return webPage, nil
	case begins(content, "<?xml"):
		what = "This is an XML document, not a spreadsheet. " + rows.ExportXLSX
	case begins(content, "mime-version:"):
		what = "This is a web archive (MHTML), whatever its name says. " + rows.SaveAsXLSX
	case begins(content, `{\rtf`):
		what = "This is a text document (RTF), not a spreadsheet. " + rows.ExportXLSX
	case begins(first, "id;p") && begins(second, "b;", "c;", "f;", "nn;", "o;", "p;"):
		what = "This is a SYLK file (.slk), whatever its name says. " + rows.SaveAsXLSX
	case first == "table" && second == "0,1":
		what = "This is a DIF file, whatever its name says. " + rows.SaveAsXLSX
	case begins(strings.Join(strings.Fields(first+second), ""), `{"`, `[{`, `[[`, `["`):
		what = "This is a JSON file, not a spreadsheet. " + rows.ExportXLSX
	case begins(first, "begin:vcard"):
		what = "This is a contact card (vCard), not a spreadsheet. " + rows.ExportXLSX
	case begins(first, "dn: ", "dn:: ", "version: 1") && begins(second, "dn:", "objectclass:", "changetype:", "cn:"):
		what = "This is an export of a directory (LDIF), not a spreadsheet. " + rows.ExportXLSX
	default:
		return CSV, nil
	}
	return "", rows.Errorf("%s", what)
}

// zipFormat returns XLSX for an Excel workbook and zipped for an archive of files. It
// refuses the documents of other programs, which are zip archives too.
func zipFormat(file io.ReaderAt, size int64) (Format, error) {
	container, err := archive.OpenZip(file, size)
	if err != nil {
		return "", rows.ErrorAt(0, err, rows.DamagedBook)
	}
	has := func(prefixes ...string) bool {
		return slices.ContainsFunc(container.File, func(f *zip.File) bool {
			return slices.ContainsFunc(prefixes, func(s string) bool { return strings.HasPrefix(archive.PartName(f.Name), s) })
		})
	}
	switch {
	case has("xl/workbook.bin"):
		return "", rows.Errorf("This is a binary workbook (.xlsb). " + rows.SaveAsXLSX)
	case has("index/", "index.zip"):
		return "", rows.Errorf("This is a spreadsheet of Apple Numbers. Open it in Numbers, choose Export To, Excel, and use that file.")
	case has("mimetype") && has("content.xml", "meta-inf/manifest.xml"):
		return "", rows.Errorf("This is an OpenDocument file (.ods). " + saveODF)
	case has("word/", "ppt/"):
		return "", rows.Errorf("This is a document of Word or PowerPoint, not a spreadsheet. " + rows.ExportXLSX)
	case has("_rels/.rels", "xl/"):
		return XLSX, nil
	}
	return zipped, nil
}

// compoundFormat returns lockedBook for a workbook that has a password. It refuses what
// else is in a compound file: the documents of old Office programs.
func compoundFormat(file io.ReaderAt) (Format, error) {
	compound, err := archive.OpenCompound(file)
	if err != nil {
		return "", rows.ErrorAt(0, err, "This file is from an old version of Microsoft Office and is damaged. "+rows.SaveAsXLSX)
	}
	for _, entry := range compound.File {
		switch entry.Name {
		case "EncryptedPackage":
			return lockedBook, nil
		case "Workbook", "Book":
			return "", rows.Errorf("This is a workbook of Excel 97-2003 (.xls), whatever its name says. " + rows.SaveAsXLSX)
		case "WordDocument", "PowerPoint Document":
			return "", rows.Errorf("This is a document of Word or PowerPoint, not a spreadsheet. " + rows.ExportXLSX)
		}
	}
	return "", rows.Errorf("This file is from an old version of Microsoft Office, but it is not a workbook. " + rows.ExportXLSX)
}
