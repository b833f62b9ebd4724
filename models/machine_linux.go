package models

import (
	"os"
	"strings"
)

// processor is the system's name for it; on Arm the numbers of its maker and
// part ("0x41 0xd0c" is a Neoverse N1).
func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	return processorIn(string(text))
}

func processorIn(cpuinfo string) string {
	fields := map[string]string{}
	for line := range strings.Lines(cpuinfo) {
		key, value, _ := strings.Cut(line, ":")
		if key = strings.TrimSpace(key); fields[key] == "" {
			fields[key] = strings.TrimSpace(value)
		}
	}
	if name := fields["model name"]; name != "" {
		return name
	}
	return fields["CPU implementer"] + " " + fields["CPU part"]
}
