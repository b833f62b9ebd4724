package kernel

import "runtime/debug"

// Version is the program's version as its build recorded it, "devel" if not.
func Version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "devel"
}
