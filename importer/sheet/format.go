package sheet

import (
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
	"unicode/utf8"

	"opscom-import/importer/sheet/internal/archive"
	"opscom-import/importer/sheet/internal/rows"
	"opscom-import/importer/sheet/internal/text"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// Format says how a file is written.
type Format string

// The formats that can be read.
const (
	Auto Format = "" // told by the file's content, never by its name
	CSV  Format = "csv"
	XLSX Format = "xlsx" // .xlsx and .xlsm
)

// What holds a file of another format.
const (
	gzipped Format = "gzip"
	zipped  Format = "zip"
)

// What is read in place of a workbook.
const (
	lockedBook     Format = "workbook with a password"
	webPage        Format = "html"
	xmlSpreadsheet Format = "xml"
)

// openFile opens the file and returns its size.
func openFile(path string) (*os.File, int64, error) {
	file, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, 0, rows.NewError(0, "There is no such file. Check its name and folder.", err)
	case errors.Is(err, fs.ErrPermission):
		return nil, 0, rows.NewError(0, "You may not read this file. Ask its owner for permission, or copy it to a folder of your own.", err)
	case err != nil:
		return nil, 0, err
	}
	info, err := file.Stat()
	switch {
	case err != nil:
	case info.IsDir():
		err = rows.NewError(0, "This is a folder. Give the name of a file in it.", nil)
	case !info.Mode().IsRegular():
		err = rows.NewError(0, "This is not a regular file. Save what it gives to a file first.", nil)
	case info.Size() == 0:
		err = rows.NewError(0, "The file is empty (0 bytes). Export it again.", nil)
	}
	if err != nil {
		return nil, 0, errors.Join(err, file.Close())
	}
	return file, info.Size(), nil
}

// hasExcelName reports whether a file's name says that it is a workbook.
func hasExcelName(name string) bool {
	return slices.Contains([]string{".xlsx", ".xlsm", ".xls", ".xlsb"}, strings.ToLower(filepath.Ext(name)))
}

// detectFormat tells by content what the file is, and refuses by name what
// cannot be read. A format that was asked for must be the file's; text that
// looks like a web page is taken for CSV when that was asked for.
func detectFormat(file io.ReaderAt, size int64, asked Format) (Format, error) {
	head := make([]byte, min(size, archive.HeadSize))
	if _, err := file.ReadAt(head, 0); err != nil && err != io.EOF {
		return "", fmt.Errorf("read the file's first bytes: %w", err)
	}
	found, err := binaryFormat(file, size, head)
	if err != nil {
		return "", err
	}
	return textFormat(found, head, asked)
}

// packedFormat tells by its first bytes what a packed file is: CSV for text that can
// be read as it is unpacked, another format for what must be unpacked first.
func packedFormat(head []byte, asked Format) (Format, error) {
	switch {
	case len(head) == 0:
		return "", rows.NewError(0, "The packed file is empty (0 bytes). Export it again.", nil)
	case isZip(head), isCompound(head): // most likely a workbook
		return XLSX, nil
	}
	found, err := binaryFormat(nil, 0, head)
	if err == nil && found == gzipped {
		err = archive.PackedTwice()
	}
	if err != nil {
		return "", err
	}
	return textFormat(found, head, asked)
}

// textFormat tells what a file is that may be text, and whether that is the format
// that was asked for.
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
		return "", rows.NewError(0, "This is an Excel workbook, not CSV. Leave the format out, or ask for xlsx.", nil)
	case asked == XLSX:
		return "", rows.NewError(0, "This is text, not an Excel workbook. Leave the format out, or ask for csv.", nil)
	}
	return "", rows.NewError(0, fmt.Sprintf("The format %q is not known. It is csv or xlsx.", string(asked)), nil)
}

// binaryFormat returns XLSX for a workbook, gzipped or zipped for what is packed,
// CSV for anything that may be text, and a refusal for the rest.
func binaryFormat(file io.ReaderAt, size int64, head []byte) (Format, error) {
	kind := http.DetectContentType(head)
	switch {
	case isZip(head):
		return zipFormat(file, size)
	case isCompound(head):
		return compoundFormat(file)
	case isBareWorkbook(head):
		return "", rows.NewError(0, "This is a workbook of Excel 2 to 4, whatever its name says. "+rows.SaveAsXLSX, nil)
	case bytes.HasPrefix(head, []byte("\x00\x00\x02\x00\x06\x04")), bytes.HasPrefix(head, []byte("\x00\x00\x1A\x00")):
		return "", rows.NewError(0, "This is a worksheet of Lotus 1-2-3. Open it in LibreOffice and save it as .xlsx.", nil)
	case kind == "application/pdf":
		return "", rows.NewError(0, "This is a PDF, which holds a picture of a table and no rows. Ask for the spreadsheet that it was made from.", nil)
	case isText(head): // a name such as BMI or ID3 looks like the beginning of a picture or a sound
		return CSV, nil
	case kind == "application/x-gzip":
		return gzipped, nil
	case strings.HasPrefix(kind, "image/"):
		return "", rows.NewError(0, "This is a picture. Ask for the spreadsheet itself, as .xlsx or as \"CSV UTF-8\".", nil)
	case isCompressed(head):
		return "", rows.NewError(0, "This is a compressed file. Unpack it, and use the spreadsheet in it.", nil)
	case strings.HasPrefix(kind, "audio/"), strings.HasPrefix(kind, "video/"):
		return "", rows.NewError(0, "This is a sound or a film, not a spreadsheet.", nil)
	}
	return CSV, nil
}

func isZip(head []byte) bool {
	return bytes.HasPrefix(head, []byte("PK\x03\x04")) || bytes.HasPrefix(head, []byte("PK\x05\x06"))
}

func isCompound(head []byte) bool {
	return bytes.HasPrefix(head, []byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"))
}

// isBareWorkbook reports whether the file begins with a record by which workbooks begin
// that no compound file contains (BOF of BIFF2 to BIFF4, and of a bare BIFF5).
func isBareWorkbook(head []byte) bool {
	return len(head) > 4 && head[0] == 0x09 && bytes.IndexByte([]byte{0, 2, 4, 8}, head[1]) >= 0 && bytes.IndexByte([]byte{4, 6, 8, 16}, head[2]) >= 0 && head[3] == 0
}

// isCompressed reports whether the file is packed in a way that is not read here.
func isCompressed(head []byte) bool {
	return slices.ContainsFunc([]string{"7z\xBC\xAF\x27\x1C", "Rar!\x1A\x07", "BZh", "\xFD7zXZ\x00", "\x28\xB5\x2F\xFD"}, func(magic string) bool {
		return bytes.HasPrefix(head, []byte(magic))
	})
}

// isText reports whether the bytes are UTF-8 without a zero byte.
func isText(head []byte) bool {
	return bytes.IndexByte(head, 0) < 0 && utf8.Valid(head[:len(head)-text.CutRune(head)])
}

// markupFormat tells what text is that has tags: a web page or an XML Spreadsheet
// 2003, which student systems write under the name .xls. It returns CSV for text
// that has none, and refuses other documents.
func markupFormat(head []byte) (Format, error) {
	text := bytes.ToLower(bytes.TrimSpace(decodedHead(head)))
	begins := func(s string) bool { return bytes.HasPrefix(text, []byte(s)) }
	holds := func(s string) bool { return bytes.Contains(text, []byte(s)) }
	switch {
	case begins("<") && holds("urn:schemas-microsoft-com:office:spreadsheet") && !holds("<html"):
		return xmlSpreadsheet, nil
	case begins("<?xml") && holds("urn:oasis:names:tc:opendocument:xmlns:office"):
		return "", rows.NewError(0, "This is an OpenDocument file (.fods). "+rows.SaveODF, nil)
	case begins("<") && (holds("<html") || holds("<table") || holds("<!doctype html") || holds("<body")):
		return webPage, nil
	case begins("<?xml"):
		return "", rows.NewError(0, "This is an XML document, not a spreadsheet. "+rows.ExportXLSX, nil)
	case begins("mime-version:"):
		return "", rows.NewError(0, "This is a web archive (MHTML), whatever its name says. "+rows.SaveAsXLSX, nil)
	case begins(`{\rtf`):
		return "", rows.NewError(0, "This is a text document (RTF), not a spreadsheet. "+rows.ExportXLSX, nil)
	}
	return CSV, refuseRecords(text)
}

// refuseRecords names text that holds records, and yet is not a table: text is the
// beginning of a file, in lower case.
func refuseRecords(text []byte) error {
	lines := append(strings.FieldsFunc(string(text), func(r rune) bool { return r == '\n' || r == '\r' }), "", "")
	first, second := strings.TrimSpace(lines[0]), strings.TrimSpace(lines[1])
	begins := func(line string, with ...string) bool {
		return slices.ContainsFunc(with, func(s string) bool { return strings.HasPrefix(line, s) })
	}
	compact := strings.Join(strings.Fields(first+second), "")
	switch {
	case begins(first, "id;p") && begins(second, "b;", "c;", "f;", "nn;", "o;", "p;"):
		return rows.NewError(0, "This is a SYLK file (.slk), whatever its name says. "+rows.SaveAsXLSX, nil)
	case first == "table" && second == "0,1":
		return rows.NewError(0, "This is a DIF file, whatever its name says. "+rows.SaveAsXLSX, nil)
	case begins(compact, `{"`, `[{`, `[[`, `["`):
		return rows.NewError(0, "This is a JSON file, not a spreadsheet. "+rows.ExportXLSX, nil)
	case begins(first, "begin:vcard"):
		return rows.NewError(0, "This is an address card (vCard), not a spreadsheet. "+rows.ExportXLSX, nil)
	case begins(first, "dn: ", "dn:: ", "version: 1") && begins(second, "dn:", "objectclass:", "changetype:", "cn:"):
		return rows.NewError(0, "This is an export of a directory (LDIF), not a spreadsheet. "+rows.ExportXLSX, nil)
	}
	return nil
}

// decodedHead returns the beginning of a text as UTF-8, its byte order mark cut.
func decodedHead(head []byte) []byte {
	decoded, _, err := transform.Bytes(unicode.BOMOverride(transform.Nop), head)
	if err != nil {
		return head
	}
	return decoded
}

// zipFormat returns XLSX for an Excel workbook and zipped for an archive of files.
// It refuses by name the documents of other programs, which are zip archives too.
func zipFormat(file io.ReaderAt, size int64) (Format, error) {
	container, err := archive.OpenZip(file, size)
	if err != nil {
		return "", rows.NewError(0, rows.DamagedBook, err)
	}
	has := func(prefixes ...string) bool {
		for _, f := range container.File {
			for _, prefix := range prefixes {
				if strings.HasPrefix(archive.PartName(f.Name), prefix) {
					return true
				}
			}
		}
		return false
	}
	switch {
	case has("xl/workbook.bin"):
		return "", rows.NewError(0, "This is a binary workbook (.xlsb). "+rows.SaveAsXLSX, nil)
	case has("index/", "index.zip"):
		return "", rows.NewError(0, "This is a spreadsheet of Apple Numbers. Open it in Numbers, choose Export To, Excel, and use that file.", nil)
	case has("mimetype") && has("content.xml", "meta-inf/manifest.xml"):
		return "", rows.NewError(0, "This is an OpenDocument file (.ods). "+rows.SaveODF, nil)
	case has("word/", "ppt/"):
		return "", rows.NewError(0, "This is a document of Word or PowerPoint, not a spreadsheet. "+rows.ExportXLSX, nil)
	case has("_rels/.rels", "xl/"):
		return XLSX, nil
	}
	return zipped, nil
}

// compoundFormat tells what an OLE2 compound file is, the container of old Office
// files, and of new ones that have a password: those are read, the others refused
// by name.
func compoundFormat(file io.ReaderAt) (Format, error) {
	compound, err := archive.OpenCompound(file)
	if err != nil {
		return "", rows.NewError(0, "This is a file of an old Microsoft Office, and it is damaged. "+rows.SaveAsXLSX, err)
	}
	for _, entry := range compound.File {
		switch entry.Name {
		case "EncryptedPackage":
			return lockedBook, nil
		case "Workbook", "Book":
			return "", rows.NewError(0, "This is a workbook of Excel 97-2003 (.xls), whatever its name says. "+rows.SaveAsXLSX, nil)
		case "WordDocument", "PowerPoint Document":
			return "", rows.NewError(0, "This is a document of Word or PowerPoint, not a spreadsheet. "+rows.ExportXLSX, nil)
		}
	}
	return "", rows.NewError(0, "This is a file of an old Microsoft Office program, but no workbook. "+rows.ExportXLSX, nil)
}
