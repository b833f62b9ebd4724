package data

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"unicode"
)

// PictureExtensions are how the names of picture files end, in lower case: what
// a folder's files are told by. Decode itself looks at the contents.
var PictureExtensions = []string{".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".pbm", ".pgm", ".ppm", ".pnm"}

// IsPicture reports whether a file's name ends as a picture's does.
func IsPicture(name string) bool {
	for _, ext := range PictureExtensions {
		if strings.EqualFold(filepath.Ext(name), ext) {
			return true
		}
	}
	return false
}

// Path is the file that a reference names: a path, "~/photo.png" in the user's
// home, or a file URL. Where there is no such file but one whose name differs in
// upper and lower case alone (photo.PNG), that one is meant.
func Path(ref string) (string, error) {
	file := ref
	switch scheme, _, found := strings.Cut(ref, "://"); {
	case found && strings.EqualFold(scheme, "file"):
		u, err := url.Parse(ref)
		if err != nil || u.Host != "" && u.Host != "localhost" || u.Path == "" {
			return "", fmt.Errorf("%q is no URL of a file on this machine, as file:///home/me/photo.png is", ref)
		}
		file = u.Path
		if len(file) > 2 && file[2] == ':' { // file:///C:/photo.png
			file = file[1:]
		}
		file = filepath.FromSlash(file)
	case found && (strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https")):
		return "", fmt.Errorf("%q: nothing is downloaded; save it to a file first", ref)
	case file == "~" || strings.HasPrefix(file, "~/") || strings.HasPrefix(file, "~"+string(filepath.Separator)):
		if home, err := os.UserHomeDir(); err == nil && !exists(file) {
			file = filepath.Join(home, file[1:])
		}
	}
	if exists(file) {
		return file, nil
	}
	var like []string
	entries, _ := os.ReadDir(filepath.Dir(file))
	for _, e := range entries {
		if strings.EqualFold(e.Name(), filepath.Base(file)) {
			like = append(like, filepath.Join(filepath.Dir(file), e.Name()))
		}
	}
	if len(like) == 1 {
		return like[0], nil
	}
	return file, nil
}

// Glob is filepath.Glob for patterns whose extension fits in upper and lower
// case, as cameras and people write it.
func Glob(pattern string) ([]string, error) { return filepath.Glob(anyCase(pattern)) }

// anyCase makes photos/*.png photos/*.[pP][nN][gG].
func anyCase(pattern string) string {
	ext := filepath.Ext(pattern)
	if strings.ContainsAny(ext, `[]\`) {
		return pattern
	}
	var b strings.Builder
	for _, r := range ext {
		if lower, upper := unicode.ToLower(r), unicode.ToUpper(r); lower != upper {
			fmt.Fprintf(&b, "[%c%c]", lower, upper)
		} else {
			b.WriteRune(r)
		}
	}
	return strings.TrimSuffix(pattern, ext) + b.String()
}
