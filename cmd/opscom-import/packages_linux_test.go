package main

import (
	"archive/tar"
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"opscom-import/cmd/opscom-import/internal/app"
)

// packagesVariable names the folder with the packages that .packaging/build made of
// this commit. Without it the tests of packages are skipped.
const packagesVariable = "OPSCOM_PACKAGES"

// packageFile returns the path of the one package whose name fits the pattern.
func packageFile(t *testing.T, pattern string) string {
	t.Helper()
	folder := os.Getenv(packagesVariable)
	if folder == "" {
		t.Skip("needs packages: .packaging/build FOLDER makes them, and " + packagesVariable + " names the folder")
	}
	found, err := filepath.Glob(filepath.Join(folder, pattern))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s: found %q, %v; want one package", pattern, found, err)
	}
	return found[0]
}

// debFile and rpmFile return the packages for this machine.
func debFile(t *testing.T) string {
	t.Helper()
	return packageFile(t, "opscom-import_*_"+runtime.GOARCH+".deb")
}

func rpmFile(t *testing.T) string {
	t.Helper()
	architecture := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
	return packageFile(t, "opscom-import-*."+architecture+".rpm")
}

// needs skips a test where a program is not installed.
func needs(t *testing.T, programs ...string) {
	t.Helper()
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed here", program)
		}
	}
}

func needsRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to install into a folder as into a system")
	}
}

// output runs a program and returns what it printed; the test fails if it fails.
func output(t *testing.T, program string, args ...string) string {
	t.Helper()
	text, err := exec.Command(program, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, text)
	}
	return string(text)
}

// filesOfDeb returns the mode of each file in the package, by its path, and its bytes.
func filesOfDeb(t *testing.T) (modes map[string]fs.FileMode, contents map[string][]byte) {
	t.Helper()
	needs(t, "dpkg-deb")
	archive, err := exec.Command("dpkg-deb", "--fsys-tarfile", debFile(t)).Output()
	if err != nil {
		t.Fatal(err)
	}
	modes, contents = make(map[string]fs.FileMode), make(map[string][]byte)
	for r := tar.NewReader(bytes.NewReader(archive)); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return modes, contents
		}
		if err != nil {
			t.Fatal(err)
		}
		if header.Typeflag == tar.TypeDir {
			continue
		}
		name := strings.TrimPrefix(header.Name, ".")
		if header.Uid != 0 || header.Gid != 0 {
			t.Errorf("%s is not root's", name)
		}
		modes[name] = header.FileInfo().Mode()
		if contents[name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPackagesHaveManPagesCompletionsAndGuides(t *testing.T) {
	modes, _ := filesOfDeb(t)
	release := readRelease(t, packageFile(t, "goreleaser.yaml"))
	want := []string{"/usr/share/bash-completion/completions/opscom-import", "/usr/share/fish/vendor_completions.d/opscom-import.fish", "/usr/share/zsh/vendor-completions/_opscom-import"}
	var pages []string
	for name := range manPagesOfAllCommands(t) {
		want = append(want, "/usr/share/man/man1/"+name+".gz")
		pages = append(pages, "man/"+name+".gz")
	}
	sameWords(t, "manual pages of the cask", release.Casks[0].Manpages, pages)
	for _, p := range allPages(t) {
		if name, ok := strings.CutPrefix(p.name, "docs/guide/"); ok {
			want = append(want, "/usr/share/doc/opscom-import/guide/"+name)
		}
	}
	for _, name := range want {
		if _, ok := modes[name]; !ok {
			t.Errorf("the package has no %s", name)
		}
	}
}

func TestPackagesNameNoMachine(t *testing.T) {
	_, contents := filesOfDeb(t)
	source, err := filepath.Abs(moduleRoot)
	if err != nil {
		t.Fatal(err)
	}
	words := []string{source, os.Getenv(packagesVariable)}
	if home := os.Getenv("HOME"); len(home) > len("/root") { // that is also in a manual
		words = append(words, home)
	}
	for name, content := range contents {
		for _, word := range words {
			if bytes.Contains(content, []byte(word)) {
				t.Errorf("%s has %s in it", name, word)
			}
		}
	}
}

func TestRPMHasTheSameFiles(t *testing.T) {
	needs(t, "rpm")
	file := rpmFile(t)
	modes, contents := filesOfDeb(t)
	want := make(map[string]string)
	for name, mode := range modes {
		name = strings.Replace(name, "/zsh/vendor-completions/", "/zsh/site-functions/", 1)
		want[name] = mode.String() + " root"
	}
	got := make(map[string]string)
	for line := range strings.Lines(output(t, "rpm", "-qp", "--qf", "[%{FILENAMES}\t%{FILEMODES:perms} %{FILEUSERNAME}\n]", file)) {
		name, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if !strings.HasPrefix(rest, "d") {
			got[name] = rest
		}
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("the .rpm differs from the .deb (-deb +rpm):\n%s", diff)
	}

	needsRoot(t)
	r := systemRoot(t.TempDir())
	if err := os.Chmod(string(r), 0o755); err != nil {
		t.Fatal(err)
	}
	output(t, "rpm", "--root", string(r), "-i", "--nodeps", "--noscripts", file)
	if r.read(t, "usr/bin/opscom-import") != string(contents["/usr/bin/opscom-import"]) {
		t.Error("the programs of the .deb and the .rpm differ")
	}
	if text, code := r.run(t, nil, "/usr/bin/opscom-import", "version"); code != app.ExitDone {
		t.Errorf("version: code %d\n%s", code, text)
	}
	output(t, "rpm", "--root", string(r), "-e", "--nodeps", "--noscripts", "opscom-import")
	if r.exists("usr/share/opscom-import") || r.exists("usr/lib/systemd/system/opscom-import-.service.d") {
		t.Error("removal: folders are left")
	}
}

func TestManPagesFormatWithoutWarnings(t *testing.T) {
	needs(t, "man", "groff")
	folder := t.TempDir()
	pages := manPagesOfAllCommands(t)
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, pages[name], 0o644); err != nil {
			t.Fatal(err)
		}
		var warnings bytes.Buffer
		command := exec.Command("man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", path)
		command.Stderr = &warnings
		if err := command.Run(); err != nil || warnings.Len() > 0 {
			t.Errorf("%s: %v\n%s", name, err, warnings.String())
		}
	}
}

// TestPackagesAreReproducible builds once more, into another folder and with other
// rights of files.
func TestPackagesAreReproducible(t *testing.T) {
	skipShort(t)
	first := []string{debFile(t), rpmFile(t)}
	again := t.TempDir()
	output(t, "sh", "-c", "umask 077 && exec \"$@\"", "sh", filepath.Join(moduleRoot, ".packaging", "build"), again, runtime.GOARCH)
	for _, file := range first {
		one, err1 := os.ReadFile(file)
		other, err2 := os.ReadFile(filepath.Join(again, filepath.Base(file)))
		if err := cmp.Or(err1, err2); err != nil {
			t.Fatal(err)
		}
		if sha256.Sum256(one) != sha256.Sum256(other) {
			t.Errorf("%s has other bytes when it is built again", filepath.Base(file))
		}
	}
}

// TestPackagesWithoutHistory builds a copy of the files, as a source archive has them.
func TestPackagesWithoutHistory(t *testing.T) {
	skipShort(t)
	needs(t, "git", "dpkg-deb")
	debFile(t) // or skip
	source, folder := t.TempDir(), t.TempDir()
	if err := exec.Command("git", "-C", moduleRoot, "log", "-1").Run(); err != nil {
		t.Skip("git finds no history here: the other tests have such packages")
	}
	output(t, "sh", "-c", `git -C "$1" archive HEAD | tar -x -C "$2"`, "sh", moduleRoot, source)
	said := output(t, filepath.Join(source, ".packaging", "build"), folder, runtime.GOARCH)
	if !strings.Contains(said, "NO VERSION") {
		t.Errorf("it does not say that the version is not known:\n%s", said)
	}
	t.Setenv(packagesVariable, folder)
	if version := output(t, "dpkg-deb", "-f", debFile(t), "Version"); version != "0.0.0~development\n" {
		t.Errorf("the version is %q", version)
	}
}
