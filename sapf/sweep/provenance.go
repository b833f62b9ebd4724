package sweep

import (
	"os"
	"runtime"
	"runtime/debug"
	"time"
)

// Provenance says where, when and by what an outcome was made. Nothing of it
// decides the outcome. Of the environment only the variables listed in
// environment are taken: the others may hold secrets.
type Provenance struct {
	Program     string            `json:"program,omitempty"`
	Commit      string            `json:"commit,omitempty"`
	Go          string            `json:"go,omitempty"`
	System      string            `json:"system,omitempty"`
	Host        string            `json:"host,omitempty"`
	Worker      string            `json:"worker,omitempty"`
	Ended       string            `json:"ended,omitempty"`
	Environment map[string]string `json:"environment,omitempty"`
	// Clock is where the time of day comes from; nil is the machine's. It decides
	// nothing but Ended.
	Clock func() time.Time `json:"-"`
}

// environment are the variables that a provenance may hold.
var environment = []string{"SAPF_KERNELS", "GOMAXPROCS", "SLURM_JOB_ID", "SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX"}

// Here is the provenance of an outcome that this process makes. Its time is set
// by Now.
func Here(worker string) Provenance {
	p := Provenance{Program: Program(), Commit: setting("vcs.revision"), Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH, Worker: worker}
	p.Host, _ = os.Hostname() // one without a name has none
	for _, name := range environment {
		if v := os.Getenv(name); v != "" {
			if p.Environment == nil {
				p.Environment = map[string]string{}
			}
			p.Environment[name] = v
		}
	}
	return p
}

// Now is the provenance with the time of day as the outcome's end.
func (p Provenance) Now() Provenance {
	clock := p.Clock
	if clock == nil {
		clock = time.Now
	}
	p.Ended = clock().UTC().Format(time.RFC3339)
	return p
}

// Program is the version of the program, "devel" where its build says none.
func Program() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "devel"
}

// setting is a setting of the program's build.
func setting(key string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == key {
			return s.Value
		}
	}
	return ""
}
