// Command release builds sapf for other machines: static programs for every
// platform, an archive each, Python wheels around them, and the checksums of all
// of it. The same commit gives the same bytes.
//
//	go run ./.deploy/release -o dist                          # all platforms
//	go run ./.deploy/release -o dist -platforms linux/amd64
//
// It publishes nothing.
package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"debug/elf"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"time"
)

// platform is a Go platform, and what wheels call it.
type platform struct{ name, wheel string }

// platforms are what is built. Go 1.26 needs macOS 12; a static program asks
// nothing of Linux's C library.
var platforms = []platform{
	{"linux/amd64", "manylinux2014_x86_64.musllinux_1_1_x86_64"},
	{"linux/arm64", "manylinux2014_aarch64.musllinux_1_1_aarch64"},
	{"darwin/amd64", "macosx_12_0_x86_64"},
	{"darwin/arm64", "macosx_12_0_arm64"},
	{"windows/amd64", "win_amd64"},
	{"windows/arm64", "win_arm64"},
}

// file is a file of an archive.
type file struct {
	name    string
	mode    int64
	content []byte
}

func main() {
	log.SetFlags(0)
	out := flag.String("o", "dist", "folder for what is made")
	only := flag.String("platforms", "", "platforms to build for, separated by commas (default: all)")
	version := flag.String("version", "", "version, as 0.1.0 (default: the tag of the commit, or 0.0.0.devN of its N commits)")
	flag.Parse()
	if *version == "" {
		*version = versionOf()
	}
	if err := os.MkdirAll(*out, 0o755); err != nil {
		log.Fatal(err)
	}
	made := map[string][]byte{}
	wanted, err := chosen(*only)
	if err != nil {
		log.Fatal(err)
	}
	specs, err := kernelspec()
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range wanted {
		program, err := build(p.name)
		if err != nil {
			log.Fatal(err)
		}
		name, content := archive(p.name, *version, program)
		made[name] = content
		name, content, err = wheel(*version, p, program, specs)
		if err != nil {
			log.Fatal(err)
		}
		made[name] = content
	}
	if err := write(*out, made); err != nil {
		log.Fatal(err)
	}
}

// chosen are the platforms that a list names, all for an empty one.
func chosen(list string) ([]platform, error) {
	if list == "" {
		return platforms, nil
	}
	var out []platform
	for _, name := range strings.Split(list, ",") {
		at := slices.IndexFunc(platforms, func(p platform) bool { return p.name == strings.TrimSpace(name) })
		if at < 0 {
			var names []string
			for _, p := range platforms {
				names = append(names, p.name)
			}
			return nil, fmt.Errorf("platform %q, expected some of %s", name, strings.Join(names, ","))
		}
		out = append(out, platforms[at])
	}
	return out, nil
}

// versionOf is the version of the commit that is checked out.
func versionOf() string {
	if tag := git("describe", "--tags", "--exact-match", "--match", "v*"); tag != "" {
		return strings.TrimPrefix(tag, "v")
	}
	return "0.0.0.dev" + git("rev-list", "--count", "HEAD")
}

func git(args ...string) string {
	text, _ := exec.Command("git", args...).Output() // nothing, where there is no repository
	return strings.TrimSpace(string(text))
}

// when is the time of the commit, which files of archives bear.
func when() time.Time {
	if t, err := time.Parse(time.RFC3339, git("show", "-s", "--format=%cI", "HEAD")); err == nil {
		return t.UTC()
	}
	return time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
}

// build compiles the program for a platform. It uses no C library, so that it
// runs on any system of its kind.
func build(platform string) ([]byte, error) {
	goos, goarch, _ := strings.Cut(platform, "/")
	dir, err := os.MkdirTemp("", "sapf-release-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "sapf")
	log.Printf("building %s", platform)
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=auto", "-ldflags=-s -w", "-o", program, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+goarch)
	if text, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build %s: %w\n%s", platform, err, text)
	}
	raw, err := os.ReadFile(program)
	if err == nil && goos == "linux" {
		err = static(raw)
	}
	return raw, err
}

// static refuses a program that asks for a C library.
func static(program []byte) error {
	f, err := elf.NewFile(bytes.NewReader(program))
	if err != nil {
		return err
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			return fmt.Errorf("the program is linked dynamically, expected a static one")
		}
	}
	return nil
}

// archive is what somebody without Python downloads.
func archive(platform, version string, program []byte) (name string, content []byte) {
	goos, goarch, _ := strings.Cut(platform, "/")
	base := fmt.Sprintf("sapf-%s-%s-%s", version, goos, goarch)
	files := []file{{base + "/sapf", 0o755, program}, {base + "/README.md", 0o644, mustRead("README.md")}, {base + "/LICENSE", 0o644, mustRead("LICENSE")}}
	if goos == "windows" {
		files[0].name += ".exe"
		return base + ".zip", zipped(files)
	}
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is one
	t := tar.NewWriter(z)
	for _, f := range files {
		check(t.WriteHeader(&tar.Header{Name: f.name, Mode: f.mode, Size: int64(len(f.content)), ModTime: when()}))
		_, err := t.Write(f.content)
		check(err)
	}
	check(t.Close())
	check(z.Close())
	return base + ".tar.gz", b.Bytes()
}

// zipped is a zip archive of files.
func zipped(files []file) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range files {
		h := &zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: when()}
		h.SetMode(os.FileMode(f.mode))
		w, err := z.CreateHeader(h)
		check(err)
		_, err = w.Write(f.content)
		check(err)
	}
	check(z.Close())
	return b.Bytes()
}

// write writes what was made, and SHA256SUMS, which `sha256sum -c` reads.
func write(dir string, made map[string][]byte) error {
	var names []string
	for n := range made {
		names = append(names, n)
	}
	sort.Strings(names)
	var sums strings.Builder
	for _, n := range names {
		if err := os.WriteFile(filepath.Join(dir, n), made[n], 0o644); err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(made[n]), n)
		log.Printf("%s, %.1f MB", filepath.Join(dir, n), float64(len(made[n]))/1e6)
	}
	return os.WriteFile(filepath.Join(dir, "SHA256SUMS"), []byte(sums.String()), 0o644)
}

func mustRead(name string) []byte {
	raw, err := os.ReadFile(name)
	if err != nil {
		log.Fatalf("%v: run it at the top of the repository", err)
	}
	return raw
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
