package app

import (
	"fmt"
	"slices"
)

// networkTypes returns the types of file systems that are on another machine. SQLite's
// log needs memory that all programs share, and locks that all honour: they promise
// neither.
func networkTypes() []string {
	return []string{
		"nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "davfs", "ncpfs",
		"fuse.sshfs", "fuse.rclone", "fuse.s3fs", "fuse.glusterfs", "fuse.davfs", "fuse.ceph", "fuse.smbnetfs", "fuse.curlftpfs",
	}
}

// onNetwork says what is wrong with a state folder on a file system of that type, ""
// for nothing.
func onNetwork(fileSystem string) string {
	if !slices.Contains(networkTypes(), fileSystem) {
		return ""
	}
	return fmt.Sprintf("is on a network file system (%s), where the journal and its locks are not safe: two runs may get in each other's way, "+
		"and answers may be lost; put it on a local disk, with --state", fileSystem)
}
