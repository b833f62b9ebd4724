package worker

import (
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
)

// limitMemory makes a cell that asks for more memory than there is end its own
// process, with a message, before the machine begins to swap or the kernel's
// out-of-memory killer picks a victim. The bound is on the data a process may
// map (RLIMIT_DATA): four fifths of the machine's memory or of its container's.
func limitMemory() {
	total := machineMemory()
	if total == 0 {
		return
	}
	limit := total / 5 * 4
	debug.SetMemoryLimit(int64(limit / 10 * 9)) // the collector works harder first
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_DATA, &r); err != nil {
		return
	}
	r.Cur = min(limit, r.Max)
	syscall.Setrlimit(syscall.RLIMIT_DATA, &r)
}

// machineMemory is the memory this process may use, in bytes; 0 if unknown.
func machineMemory() uint64 {
	var total uint64
	if text, err := os.ReadFile("/proc/meminfo"); err == nil {
		for _, line := range strings.Split(string(text), "\n") {
			if rest, ok := strings.CutPrefix(line, "MemTotal:"); ok {
				n, _ := strconv.ParseUint(strings.Fields(rest)[0], 10, 64)
				total = n << 10 // "kB" there is KiB
			}
		}
	}
	for _, name := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		if text, err := os.ReadFile(name); err == nil {
			if n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64); err == nil && (total == 0 || n < total) {
				total = n
			}
		}
	}
	return total
}
