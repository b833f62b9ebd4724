package engine

import "os"

// load reads how many threads of the machine are running.
type load struct {
	file *os.File
	text [64]byte
}

func (l *load) open()  { l.file, _ = os.Open("/proc/loadavg") }
func (l *load) close() { _ = l.file.Close() }

// running is the number of threads that have a processor or wait for one, the
// caller's included, or 0 where the system does not say.
func (l *load) running() int {
	if l.file == nil {
		return 0
	}
	// "0.20 0.18 0.12 1/80 11206": three averages, and running/all.
	n, _ := l.file.ReadAt(l.text[:], 0)
	field, running := 0, 0
	for _, c := range l.text[:n] {
		switch {
		case c == ' ':
			field++
		case field == 3 && c == '/':
			return running
		case field == 3:
			running = 10*running + int(c-'0')
		}
	}
	return 0
}
