package sheet

import (
	"bytes"
	"fmt"
	"strings"
)

const utf8BOM = "\xEF\xBB\xBF"

const saveAsUTF8 = "Open it in Excel, choose Save As, \"CSV UTF-8 (Comma delimited)\", and use that file."

// dialect says how a text file marks its cells and rows.
type dialect struct {
	delimiter byte
	lineEnd   byte // '\n' stands for CR LF too; '\r' where the file has nothing else
	skip      int  // bytes before the first row: the byte order mark
}

// detectDialect decides how a file is read from its first bytes and from what
// was asked for. It is the one place that knows of encodings and dialects.
func detectDialect(sample []byte, o Options) (dialect, error) {
	d := dialect{delimiter: ',', lineEnd: '\n'}
	if o.Delimiter != 0 {
		if o.Delimiter > '~' || strings.ContainsRune("\"\r\n", o.Delimiter) {
			return d, fault(0, fmt.Sprintf("The delimiter %q cannot be used. Take a comma, a semicolon, a tab or a bar.", o.Delimiter), nil)
		}
		d.delimiter = byte(o.Delimiter)
	}
	if o.Encoding != "" && !strings.EqualFold(o.Encoding, "utf-8") && !strings.EqualFold(o.Encoding, "utf8") {
		return d, fault(0, fmt.Sprintf("The encoding %q cannot be read. %s", o.Encoding, saveAsUTF8), nil)
	}
	if bytes.HasPrefix(sample, []byte("\xFF\xFE")) || bytes.HasPrefix(sample, []byte("\xFE\xFF")) {
		return d, fault(0, "The file is Unicode text in a form (UTF-16 or UTF-32) that cannot be read. "+saveAsUTF8, nil)
	}
	if bytes.HasPrefix(sample, []byte(utf8BOM)) {
		d.skip = len(utf8BOM)
	}
	if cr := bytes.IndexByte(sample, '\r'); cr >= 0 && cr < len(sample)-1 && !bytes.Contains(sample, []byte{'\n'}) {
		d.lineEnd = '\r'
	}
	return d, nil
}
