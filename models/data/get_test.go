package data

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"
)

type member struct {
	name string
	kind byte
	size int64 // 0: that of content
	body string
}

func archive(t *testing.T, members ...member) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, m := range members {
		if m.kind == 0 {
			m.kind = tar.TypeReg
		}
		h := &tar.Header{Name: m.name, Typeflag: m.kind, Size: max(m.size, int64(len(m.body))), Linkname: "/etc/passwd", Mode: 0o644}
		if m.kind != tar.TypeReg {
			h.Size = 0
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, m.body); err != nil {
			t.Fatal(err)
		}
	}
	w.Flush()
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// serve offers a file and makes it the data set "test".
func serve(t *testing.T, content []byte, wrap func(http.Handler) http.Handler) {
	t.Helper()
	var h http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "x.tar.gz", time.Time{}, bytes.NewReader(content))
	})
	if wrap != nil {
		h = wrap(h)
	}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	sum := sha256.Sum256(content)
	remotes["test"] = []remote{{URL: server.URL + "/x.tar.gz", Digest: hex.EncodeToString(sum[:]), Size: int64(len(content)),
		Folder: "set", Members: []string{"a.bin", "b.bin"}}}
	t.Cleanup(func() { delete(remotes, "test") })
}

func get(t *testing.T, dir string) (string, error) {
	t.Helper()
	return Get(context.Background(), "test", GetOptions{Dir: dir})
}

func TestGet(t *testing.T) {
	good := archive(t, member{name: "set/", kind: tar.TypeDir}, member{name: "set/a.bin", body: "alpha"},
		member{name: "set/readme.html", body: "x"}, member{name: "set/b.bin", body: "beta"})
	var ranges []string
	cut := true
	serve(t, good, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ranges = append(ranges, r.Header.Get("Range"))
			if cut { // the connection breaks after 20 bytes
				cut = false
				w.Header().Set("Content-Length", "1000")
				w.Write(good[:20])
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	dir := t.TempDir()
	_, err := get(t, dir)
	refused(t, err, "broke off after 20", "try again")
	last := int64(0)
	folder, err := Get(context.Background(), "test", GetOptions{Dir: dir, Progress: func(_ string, done, total int64) {
		if done < last || total != int64(len(good)) {
			t.Errorf("progress %d of %d after %d", done, total, last)
		}
		last = done
	}})
	if err != nil {
		t.Fatal(err)
	}
	if len(ranges) != 2 || ranges[1] != "bytes=20-" || last != int64(len(good)) {
		t.Errorf("ranges %q and %d bytes, expected the rest from byte 20", ranges, last)
	}
	if raw, err := os.ReadFile(filepath.Join(folder, "b.bin")); err != nil || string(raw) != "beta" {
		t.Errorf("b.bin holds %q, %v", raw, err)
	}
	if names, _ := filepath.Glob(filepath.Join(folder, "*")); len(names) != 2 {
		t.Errorf("the folder holds %v, expected a.bin and b.bin", names)
	}
	if _, err := get(t, dir); err != nil || len(ranges) != 2 {
		t.Errorf("a set that is there was asked for again: %v, %d requests", err, len(ranges))
	}
}

func TestGetDamaged(t *testing.T) {
	good := archive(t, member{name: "set/a.bin", body: "alpha"}, member{name: "set/b.bin", body: "beta"})
	bad := append([]byte(nil), good...)
	bad[len(bad)/2] ^= 1
	serve(t, bad, nil)
	sum := sha256.Sum256(good)
	remotes["test"][0].Digest = hex.EncodeToString(sum[:])
	dir := t.TempDir()
	_, err := get(t, dir)
	refused(t, err, "digest", hex.EncodeToString(sum[:]))
	if names, _ := filepath.Glob(filepath.Join(dir, "data", "set", "*")); len(names) != 0 {
		t.Errorf("left behind: %v", names)
	}
	_, err = Get(context.Background(), "imagnet", GetOptions{Dir: dir})
	refused(t, err, "imagnet", "cifar10")
}

func TestFailure36_Archive(t *testing.T) {
	ok := []member{{name: "set/a.bin", body: "alpha"}, {name: "set/b.bin", body: "beta"}}
	for _, c := range []struct {
		bad  member
		says string
	}{
		{member{name: "set/../../../evil", body: "x"}, "leaves the folder"},
		{member{name: "/tmp/evil", body: "x"}, "leaves the folder"},
		{member{name: "set/c", kind: tar.TypeSymlink}, "link"},
		{member{name: "set/c", kind: tar.TypeLink}, "link"},
		{member{name: "set/c.bin", size: 10 << 30}, "10737418240 bytes"},
	} {
		serve(t, archive(t, append(append([]member(nil), ok...), c.bad)...), nil)
		outer := t.TempDir()
		dir := filepath.Join(outer, "deep", "er")
		_, err := get(t, dir)
		refused(t, err, c.says)
		var written []string
		filepath.Walk(outer, func(p string, info os.FileInfo, err error) error {
			if err == nil && !info.IsDir() && filepath.Ext(p) != ".part" {
				written = append(written, p)
			}
			return nil
		})
		if len(written) != 0 {
			t.Errorf("%s: written %v", c.bad.name, written)
		}
	}
	serve(t, archive(t, ok[0]), nil)
	_, err := get(t, t.TempDir())
	refused(t, err, "no member set/b.bin")
}
