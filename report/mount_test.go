package report

import (
	"strings"
	"testing"
)

func TestIsMounted(t *testing.T) {
	const mountinfo = `22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
63 22 254:0 /host/results.csv /srv/results.csv rw,relatime - ext4 /dev/vda rw,discard
64 22 254:0 /host/a /srv/my\040file\134.csv rw,relatime master:1 propagate_from:2 - ext4 /dev/vda rw
65 22 254:0 /srv/source.csv /mnt rw - ext4 /srv/device.csv rw

66 22
67 22 254:0 / /trailing\04 rw - ext4 /dev/vda rw`
	for path, want := range map[string]bool{
		"/srv/results.csv":    true,
		`/srv/my file\.csv`:   true,
		`/trailing\04`:        true,
		"/srv/results.csv2":   false,
		"/work":               false,
		"/srv/mnt":            false,
		"/host/results.csv":   false,
		"/srv/source.csv":     false,
		"/srv/device.csv":     false,
		"results.csv":         false,
		"":                    false,
		`/srv/my\040file.csv`: false,
	} {
		if got := isMounted(strings.NewReader(mountinfo), path); got != want {
			t.Errorf("%s is mounted: %v, want %v", path, got, want)
		}
	}
}
