package inbox

import (
	"io/fs"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"
)

// isTemporary reports whether programs use such a name for a file that is not complete, or
// for something beside the files: it is never taken, under any pattern.
func isTemporary(name string) bool {
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "~$") || strings.HasSuffix(name, "~") {
		return true // hidden, rsync's, LibreOffice's lock; Excel's lock; a backup
	}
	switch strings.ToLower(filepath.Ext(name)) {
	case ".part", ".partial", ".filepart", ".tmp", ".temp", ".crdownload", ".download", ".swp", ".lck", ".lock", ".inuse", ".uploading":
		return true
	}
	switch strings.ToLower(name) {
	case "thumbs.db", "desktop.ini":
		return true
	}
	return false
}

// unfit says why something with a name that matches is never taken, "" if it may be.
func unfit(name string, info fs.FileInfo) string {
	switch mode := info.Mode(); {
	case !utf8.ValidString(name):
		return "its name is not UTF-8; rename it"
	case strings.ContainsFunc(name, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }):
		return "its name has control characters; rename it"
	case mode&fs.ModeSymlink != 0:
		return "it is a symbolic link; copy the file itself"
	case mode.IsDir():
		return "it is a folder; only files are taken"
	case !mode.IsRegular():
		return "it is a device, a pipe or a socket; only files are taken"
	case links(info) > 1:
		return "it has a second name (a hard link), under which it could be changed; copy it instead"
	}
	return ""
}
