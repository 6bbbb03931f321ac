package simulation_test

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// The machine that processes run on is a folder: what is in it outlives them.
const (
	stateFolder = "state"
	resultsName = "students.results.csv"

	databaseFile = "journal.db"
	logFile      = "journal.db-wal"
)

// disk is what files hold, by their path in the state folder.
type disk map[string][]byte

// readDisk reads the journal's files. It leaves out those that nothing but a
// living process needs.
func readDisk(state string) (disk, error) {
	d := disk{}
	err := filepath.WalkDir(state, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // nothing is there yet
		}
		if err != nil || entry.IsDir() || strings.HasSuffix(path, "-shm") || strings.HasSuffix(path, ".lock") {
			return err
		}
		name, err := filepath.Rel(state, path)
		if err != nil {
			return err
		}
		d[name], err = os.ReadFile(path)
		return err
	})
	return d, err
}

// write makes the files in the state folder those of d.
func (d disk) write(state string) error {
	now, err := readDisk(state)
	for name := range now {
		if _, stays := d[name]; !stays {
			err = errors.Join(err, os.Remove(filepath.Join(state, name)))
		}
	}
	for name, content := range d {
		err = errors.Join(err, os.WriteFile(filepath.Join(state, name), content, 0o600))
	}
	return err
}

// torn returns a state between before and after one change of the journal: what a
// process leaves that is killed in the middle of it. A change writes to one file
// after the other: payloads, the database's log, and sometimes the database; then it
// deletes payloads.
// ok is false when there is nothing in between.
func torn(before, after disk, random *rand.Rand) (between disk, ok bool) {
	moved := string(before[databaseFile]) != string(after[databaseFile])
	if moved && len(after[logFile]) == 0 {
		return nil, false // the change has moved the log into the database, and emptied it
	}
	between = disk{databaseFile: before[databaseFile]}
	var stages []func()
	written, removed := payloadsOf(before, after)
	for _, name := range written {
		stages = append(stages, func() {
			between[logFile] = before[logFile]
			between[name] = partly(before[name], after[name], random)
		})
	}
	if string(before[logFile]) != string(after[logFile]) {
		stages = append(stages, func() { between[logFile] = partly(before[logFile], after[logFile], random) })
	}
	if moved {
		stages = append(stages, func() {
			between[logFile] = after[logFile]
			between[databaseFile] = partly(before[databaseFile], after[databaseFile], random)
		})
	}
	if len(removed) > 0 {
		stages = append(stages, func() { between[logFile], between[databaseFile] = after[logFile], after[databaseFile] })
	}
	if len(stages) == 0 {
		return nil, false
	}
	for name := range before {
		if name != databaseFile {
			between[name] = before[name]
		}
	}
	stage := random.IntN(len(stages))
	if stage >= len(written) {
		for _, name := range written {
			between[name] = after[name]
		}
	}
	stages[stage]()
	return between, true
}

// payloadsOf returns the files with payloads that a change wrote to, and those that
// it removed.
func payloadsOf(before, after disk) (written, removed []string) {
	for name, content := range after {
		if strings.HasPrefix(name, "payloads") && string(before[name]) != string(content) {
			written = append(written, name)
		}
	}
	for name := range before {
		if _, stays := after[name]; !stays && strings.HasPrefix(name, "payloads") {
			removed = append(removed, name)
		}
	}
	return written, removed
}

// partly returns what a file holds while it is written from its beginning to its
// end: what is new up to some place behind the first difference, and what is old
// from there on.
func partly(before, after []byte, random *rand.Rand) []byte {
	same := 0
	for same < min(len(before), len(after)) && before[same] == after[same] {
		same++
	}
	place := same + random.IntN(len(after)-same+1)
	content := append([]byte{}, after[:place]...)
	if place < len(before) {
		content = append(content, before[place:]...)
	}
	return content
}

// sector is how much a disk writes at once.
const sector = 512

// powerless returns what is on the disk after a power cut, when the changes since
// synced were not synced: of each sector of each file nobody knows whether it was
// written. What a log held may be followed by anything. A change removes payloads
// after it was synced, and does not wait until they are gone.
func powerless(synced, after disk, random *rand.Rand) disk {
	left := disk{databaseFile: after[databaseFile]} // which is only written with a sync
	_, removed := payloadsOf(synced, after)
	removing := len(removed) > 0 && chance(random, 0.5)
	for name, content := range after {
		switch old, known := synced[name]; {
		case name == databaseFile:
		case removing:
			left[name] = content
		case known || chance(random, 0.7): // a new file may have no name yet
			left[name] = someSectors(old, content, random)
		}
	}
	if log, known := left[logFile]; known && chance(random, 0.3) {
		for range random.IntN(3 * sector) {
			log = append(log, byte(random.Uint32()))
		}
		left[logFile] = log
	}
	for _, name := range removed {
		if !removing || chance(random, 0.5) {
			left[name] = synced[name]
		}
	}
	return left
}

// someSectors returns what a file holds of which some sectors were written, and the
// others are as they were or empty.
func someSectors(before, after []byte, random *rand.Rand) []byte {
	mixed := append([]byte{}, before...)
	for at := 0; at < len(after); at += sector {
		end := min(at+sector, len(after))
		if chance(random, 0.5) {
			continue
		}
		if missing := end - len(mixed); missing > 0 {
			mixed = append(mixed, make([]byte, missing)...)
		}
		copy(mixed[at:end], after[at:end])
	}
	return mixed
}
