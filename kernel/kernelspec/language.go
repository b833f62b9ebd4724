package kernelspec

import (
	"runtime"
	"strings"
)

// What the kernel is called, in its own folder and in the notebooks it ran.
const (
	kernelName  = "sapf"
	displayName = "Go (sapf)"
	language    = "go"
)

// GoVersion is the version of the language that cells are in, as "1.26.1".
func GoVersion() string {
	version, _, _ := strings.Cut(strings.TrimPrefix(runtime.Version(), "go"), " ")
	return version
}

// LanguageInfo describes the language of cells: language_info of a notebook's
// metadata and of kernel_info_reply.
func LanguageInfo() map[string]any {
	return map[string]any{
		"name": language, "version": GoVersion(), "mimetype": "text/x-go", "file_extension": ".go",
		"pygments_lexer": "go", "codemirror_mode": "go", "nbconvert_exporter": "",
	}
}

// Metadata is the kernelspec of a notebook's metadata: which kernel it is for.
func Metadata() map[string]any {
	return map[string]any{"name": kernelName, "display_name": displayName, "language": language}
}
