package report

import (
	"strings"
	"testing"
)

func TestIsMounted(t *testing.T) {
	const mountinfo = `22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
63 22 254:0 /host/results.csv /work/results.csv rw,relatime - ext4 /dev/vda rw,discard
64 22 254:0 /host/a /work/my\040file\134.csv rw,relatime master:1 propagate_from:2 - ext4 /dev/vda rw
65 22 254:0 /work/source.csv /mnt rw - ext4 /work/device.csv rw

66 22
67 22 254:0 / /trailing\04 rw - ext4 /dev/vda rw`
	for path, want := range map[string]bool{
		"/work/results.csv":    true,
		`/work/my file\.csv`:   true,
		`/trailing\04`:         true,
		"/work/results.csv2":   false,
		"/work":                false,
		"/work/mnt":            false,
		"/host/results.csv":    false,
		"/work/source.csv":     false,
		"/work/device.csv":     false,
		"results.csv":          false,
		"":                     false,
		`/work/my\040file.csv`: false,
	} {
		if got := isMounted(strings.NewReader(mountinfo), path); got != want {
			t.Errorf("%s is mounted: %v, want %v", path, got, want)
		}
	}
}
