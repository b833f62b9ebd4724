package kernel

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"sapf/sapf/sweep"
)

// Build is the version with what else tells builds apart: commit, compiler and
// platform.
func Build() string {
	commit := "commit not recorded"
	if info, ok := debug.ReadBuildInfo(); ok {
		set := map[string]string{}
		for _, s := range info.Settings {
			set[s.Key] = s.Value
		}
		if revision := set["vcs.revision"]; revision != "" {
			commit = fmt.Sprintf("commit %.12s of %s", revision, set["vcs.time"])
			if set["vcs.modified"] == "true" {
				commit += ", modified"
			}
		}
	}
	return fmt.Sprintf("%s (%s) %s %s/%s", sweep.Program(), commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
