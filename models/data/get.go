package data

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// remote is a file that Get downloads, and what makes it trustworthy: the
// digest that its publisher states.
type remote struct {
	// URL ends in the file's name.
	URL string
	// Digest is MD5 or SHA-256 in hexadecimal, told by its length.
	Digest string
	// Size in bytes, the most that is accepted.
	Size int64
	// Folder is where it goes below data/: a tar archive's top folder, or where
	// a single file is put.
	Folder string
	// Members are the files wanted of a tar.gz archive; nil for a single file.
	Members []string
}

// memberBytes is the largest member of an archive that is unpacked: CIFAR-100's
// training set is 154 MB.
const memberBytes = 200 << 20

const fashionURL = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"

// mnistURL is PyTorch's mirror: the authors' page no longer serves the files.
const mnistURL = "https://ossci-datasets.s3.amazonaws.com/mnist/"

// remotes are the data sets that Get knows. Digests are those of the sets' own
// pages, MNIST's those of torchvision.
var remotes = map[string][]remote{
	"cifar10": {{
		URL:    "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
		Digest: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd", Size: 170_052_171,
		Folder: "cifar-10-batches-bin",
		Members: []string{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin",
			"test_batch.bin", "batches.meta.txt"},
	}},
	"cifar100": {{
		URL:    "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
		Digest: "03b5dce01913d631647c71ecec9e9cb8", Size: 168_513_733,
		Folder: "cifar-100-binary", Members: []string{"train.bin", "test.bin", "fine_label_names.txt", "coarse_label_names.txt"},
	}},
	"fashion": {
		{URL: fashionURL + "t10k-images-idx3-ubyte.gz", Digest: "bef4ecab320f06d8554ea6380940ec79", Size: 4_422_102, Folder: "fashion-mnist"},
		{URL: fashionURL + "t10k-labels-idx1-ubyte.gz", Digest: "bb300cfdad3c16e7a12a480ee83cd310", Size: 5_148, Folder: "fashion-mnist"},
		{URL: fashionURL + "train-images-idx3-ubyte.gz", Digest: "8d4fb7e6c68d591d4c3dfef9ec88bf0d", Size: 26_421_880, Folder: "fashion-mnist"},
		{URL: fashionURL + "train-labels-idx1-ubyte.gz", Digest: "25c81989df183df01b3e8a0aad5dffbe", Size: 29_515, Folder: "fashion-mnist"},
	},
	"mnist": {
		{URL: mnistURL + "t10k-images-idx3-ubyte.gz", Digest: "9fb629c4189551a2d022fa330f9573f3", Size: 1_648_877, Folder: "mnist"},
		{URL: mnistURL + "t10k-labels-idx1-ubyte.gz", Digest: "ec29112dd5afa0611ce80d1b7f02629c", Size: 4_542, Folder: "mnist"},
		{URL: mnistURL + "train-images-idx3-ubyte.gz", Digest: "f68b3c2dcbeaaa9fbdd348bbdeb94873", Size: 9_912_422, Folder: "mnist"},
		{URL: mnistURL + "train-labels-idx1-ubyte.gz", Digest: "d53e105ee54ea40749a09fcbcd1e9432", Size: 28_881, Folder: "mnist"},
	},
}

// GetOptions say how Get downloads. The zero value is right for users.
type GetOptions struct {
	// Dir is the root below which data/ is filled; "" is sapf in the user's
	// cache directory.
	Dir string
	// Progress, if not nil, is called with the bytes of the current file.
	Progress func(file string, done, total int64)
	// Client makes the requests; nil is http.DefaultClient.
	Client *http.Client
}

// Gettable lists the data sets that Get can download.
func Gettable() []string {
	names := []string{}
	for name := range remotes {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Get downloads a data set from its official place, checks its digest and
// unpacks it where Load finds it. A download that was broken off goes on where
// it stopped; files appear under their names only when they are complete. It
// returns the folder, at once if the set is there already.
func Get(ctx context.Context, name string, o GetOptions) (folder string, err error) {
	files, ok := remotes[name]
	if !ok {
		return "", fmt.Errorf("no data set %q to get, expected one of %s", name, strings.Join(Gettable(), ", "))
	}
	if o.Dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("get %s: %w", name, err)
		}
		o.Dir = filepath.Join(cache, "sapf")
	}
	for _, r := range files {
		folder = filepath.Join(o.Dir, "data", r.Folder)
		if err := r.get(ctx, folder, o); err != nil {
			return "", fmt.Errorf("get %s: %w", name, err)
		}
	}
	return folder, nil
}

// have reports whether everything wanted is in the folder.
func (r remote) have(folder string) bool {
	wanted := r.Members
	if wanted == nil {
		wanted = []string{path.Base(r.URL)}
	}
	return !slices.ContainsFunc(wanted, func(f string) bool { return !exists(filepath.Join(folder, f)) })
}

func (r remote) get(ctx context.Context, folder string, o GetOptions) error {
	if r.have(folder) {
		return nil
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	part := filepath.Join(folder, path.Base(r.URL)+".part")
	if err := r.download(ctx, part, o); err != nil {
		return err
	}
	if err := r.check(part); err != nil {
		// What is wrong now stays wrong: the next try starts afresh.
		return errors.Join(err, os.Remove(part))
	}
	if r.Members == nil {
		return os.Rename(part, strings.TrimSuffix(part, ".part"))
	}
	f, err := os.Open(part)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unpack(f, folder, r.Folder, r.Members); err != nil {
		return fmt.Errorf("%s: %w", path.Base(r.URL), err)
	}
	return os.Remove(part)
}

// download appends what is missing of the file to part.
func (r remote) download(ctx context.Context, part string, o GetOptions) error {
	f, err := os.OpenFile(part, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	done, err := f.Seek(0, io.SeekEnd)
	if err != nil || done == r.Size {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.URL, nil)
	if err != nil {
		return err
	}
	if done > 0 {
		request.Header.Set("Range", fmt.Sprintf("bytes=%d-", done))
	}
	client := o.Client
	if client == nil {
		client = http.DefaultClient
	}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusPartialContent:
	case http.StatusOK, http.StatusRequestedRangeNotSatisfiable: // from the beginning
		if answer.StatusCode != http.StatusOK {
			return errors.Join(fmt.Errorf("%s: %d bytes are there, the server has fewer; try again", r.URL, done), os.Remove(part))
		}
		if err := f.Truncate(0); err != nil {
			return err
		}
		if done, err = f.Seek(0, io.SeekStart); err != nil {
			return err
		}
	default:
		return fmt.Errorf("%s: %s", r.URL, answer.Status)
	}
	body := &counted{r: io.LimitReader(answer.Body, r.Size+1-done), done: done, report: func(n int64) {
		if o.Progress != nil {
			o.Progress(path.Base(r.URL), n, r.Size)
		}
	}}
	n, err := io.Copy(f, body)
	if err != nil {
		return fmt.Errorf("%s broke off after %d of %d bytes (what came is kept, try again): %w", r.URL, done+n, r.Size, err)
	}
	if done+n != r.Size {
		err := fmt.Errorf("%s: %d bytes, expected %d (what came is kept, try again)", r.URL, done+n, r.Size)
		if done+n > r.Size {
			err = errors.Join(fmt.Errorf("%s: more than the %d bytes expected", r.URL, r.Size), os.Remove(part))
		}
		return err
	}
	return f.Close()
}

// counted reports the bytes read, a megabyte at a time.
type counted struct {
	r              io.Reader
	done, reported int64
	report         func(int64)
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.done += int64(n)
	if err != nil || c.done-c.reported >= 1<<20 {
		c.reported = c.done
		c.report(c.done)
	}
	return n, err
}

// check compares the digest.
func (r remote) check(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	var h hash.Hash = sha256.New()
	if len(r.Digest) == 2*md5.Size {
		h = md5.New()
	}
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != r.Digest {
		return fmt.Errorf("%s: digest %s, expected %s: the download is damaged or not the official file", r.URL, got, r.Digest)
	}
	return nil
}

// unpack writes the wanted members of a tar.gz, which lie in the folder top of
// the archive, to dir. It refuses an archive with a link, a name that leaves
// the folder, a member of more than memberBytes, or without a wanted member;
// members that nobody wants are passed over. Nothing appears in dir unless the
// whole archive is good.
func unpack(r io.Reader, dir, top string, wanted []string) error {
	z, err := gzip.NewReader(r)
	if err != nil {
		return err
	}
	aside, err := os.MkdirTemp(dir, ".unpack.*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(aside)
	archive := tar.NewReader(io.LimitReader(z, int64(len(wanted)+8)*memberBytes))
	found := map[string]bool{}
	for {
		h, err := archive.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		switch {
		case h.Typeflag != tar.TypeReg && h.Typeflag != tar.TypeDir:
			return fmt.Errorf("member %s is a link or a device, expected files only", h.Name)
		case !filepath.IsLocal(h.Name):
			return fmt.Errorf("member %s leaves the folder", h.Name)
		case h.Size > memberBytes:
			return fmt.Errorf("member %s has %d bytes, expected up to %d", h.Name, h.Size, memberBytes)
		}
		parent, base := path.Split(path.Clean(h.Name))
		if path.Clean(parent) != top || !slices.Contains(wanted, base) || h.Typeflag != tar.TypeReg {
			continue
		}
		if err := writeMember(filepath.Join(aside, base), archive); err != nil {
			return fmt.Errorf("member %s: %w", h.Name, err)
		}
		found[base] = true
	}
	for _, w := range wanted {
		if !found[w] {
			return fmt.Errorf("no member %s/%s", top, w)
		}
	}
	for _, w := range wanted {
		if err := os.Rename(filepath.Join(aside, w), filepath.Join(dir, w)); err != nil {
			return err
		}
	}
	return nil
}

func writeMember(file string, r io.Reader) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, r); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
