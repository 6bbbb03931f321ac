package app

import (
	"fmt"

	"opscom-import/cmd/opscom-import/internal/config"
	"opscom-import/cmd/opscom-import/internal/inbox"
)

// Strays says which files are in progress in the jobs' folders and match the patterns of
// none of the jobs, as after a change of files: nobody goes on with them.
func Strays(jobs []config.Job) (notes []string) {
	patterns := make(map[string][]string) // by folder
	for _, job := range jobs {
		if job.Folder != "" {
			folder := realPath(job.Folder)
			patterns[folder] = append(patterns[folder], job.Files...)
		}
	}
	for _, job := range jobs {
		files, isFirst := patterns[realPath(job.Folder)]
		if job.Folder == "" || !isFirst {
			continue
		}
		delete(patterns, realPath(job.Folder))
		strays, err := inbox.Stray(job.Folder, inbox.InProgress, files)
		if err != nil {
			notes = append(notes, fmt.Sprintf("what is in progress cannot be read: %v", err))
		}
		for _, stray := range strays {
			notes = append(notes, fmt.Sprintf("%s is in progress, and no job takes such a file any more: move it to %s and let files match it, or move %s away",
				stray.Path, job.Folder, stray.Folder))
		}
	}
	return notes
}
