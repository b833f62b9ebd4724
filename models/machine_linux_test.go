package models

import (
	"strings"
	"testing"
)

func TestProcessorNames(t *testing.T) {
	for cpuinfo, want := range map[string]string{
		"processor\t: 0\nmodel name\t: AMD EPYC\n\nprocessor\t: 1\nmodel name\t: AMD EPYC\n":                                       "AMD EPYC",
		"processor\t: 0\nBogoMIPS\t: 243.75\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU part\t: 0xd0c\nCPU revision\t: 1\n": "0x41 0xd0c",
	} {
		if got := processorIn(cpuinfo); got != want {
			t.Errorf("%q, expected %q", got, want)
		}
	}
	if m := machine(); !strings.HasPrefix(m, "linux/") || !strings.Contains(m, " x ") {
		t.Errorf("this machine is %q", m)
	}
}
