package models

import "golang.org/x/sys/unix"

// processor is the system's name for it.
func processor() string {
	name, err := unix.Sysctl("machdep.cpu.brand_string")
	if err != nil {
		return ""
	}
	return name
}
