package report

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// isMountPoint reports whether the file is mounted by itself, as a container's file can
// be: to rename another file to it fails. Where the system has no such list, as on other
// systems than Linux, none is.
func isMountPoint(target string) bool {
	target, err := filepath.Abs(target)
	if err != nil {
		return false
	}
	mounts, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return false
	}
	defer mounts.Close() // only read
	return isMounted(mounts, target)
}

// isMounted reports whether the absolute path is a mount point in the text of
// /proc/self/mountinfo: "63 43 254:0 /a /srv/my\040file rw - ext4 /dev/sda rw" mounts on
// "/srv/my file".
func isMounted(mountinfo io.Reader, path string) bool {
	const mountPoint = 4
	for lines := bufio.NewScanner(mountinfo); lines.Scan(); {
		if fields := strings.Fields(lines.Text()); len(fields) > mountPoint && unescape(fields[mountPoint]) == path {
			return true
		}
	}
	return false
}

// unescape replaces each backslash with three octal digits by the byte that they stand
// for.
func unescape(text string) string {
	var plain strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+3 < len(text) {
			if code, err := strconv.ParseUint(text[i+1:i+4], 8, 8); err == nil {
				plain.WriteByte(byte(code))
				i += 3
				continue
			}
		}
		plain.WriteByte(text[i])
	}
	return plain.String()
}
