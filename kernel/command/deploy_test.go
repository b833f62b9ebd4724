package command

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/goccy/go-yaml"
	"github.com/nats-io/nats-server/v2/server"
)

// deploy is the folder of the files that bring sweeps to clusters.
const deploy = "../../.deploy"

// compose is as much of a Compose file as ours has.
type compose struct {
	Services map[string]struct {
		Image   string
		Build   struct{ Context, Dockerfile string }
		Command []string
		Volumes []string
		Restart string
		Grace   string   `yaml:"stop_grace_period"`
		Depends []string `yaml:"depends_on"`
		Configs []composeConfig
	}
	Configs map[string]struct{ Content string }
	Volumes map[string]struct{}
	Nats    any `yaml:"x-nats"`
}

type composeConfig struct{ Source, Target string }

func readCompose(t *testing.T) compose {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(deploy, "compose.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var c compose
	if err := yaml.UnmarshalWithOptions(raw, &c, yaml.Strict()); err != nil {
		t.Fatal(yaml.FormatError(err, false, true))
	}
	return c
}

// parses holds a command line of ours against the flags that there are.
func parses(t *testing.T, where string, args []string) {
	t.Helper()
	var c cli
	parser, err := kong.New(&c, kong.Vars{"version": "any"}, kong.Exit(func(int) {}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(args); err != nil {
		t.Errorf("%s: %q: %v", where, args, err)
	}
}

// TestCompose: what services depend on and mount is there, the command lines of
// ours are ones that there are, and every node's configuration is one that the
// server takes.
func TestCompose(t *testing.T) {
	c := readCompose(t)
	nodes := 0
	for name, s := range c.Services {
		for _, d := range s.Depends {
			if _, ok := c.Services[d]; !ok {
				t.Errorf("%s depends on %s, which is not there", name, d)
			}
		}
		for _, v := range s.Volumes {
			source, _, _ := strings.Cut(v, ":")
			if _, ok := c.Volumes[source]; !ok && !strings.ContainsAny(source, "./$") {
				t.Errorf("%s mounts %s, which is no volume", name, source)
			}
		}
		if s.Build.Dockerfile != "" {
			if _, err := os.Stat(filepath.Join(deploy, s.Build.Context, s.Build.Dockerfile)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			parses(t, name, s.Command)
			i := slices.Index(s.Command, "--url")
			for _, u := range strings.Split(s.Command[i+1], ",") {
				host := strings.TrimSuffix(strings.TrimPrefix(u, "nats://"), ":4222")
				if _, ok := c.Services[host]; !ok {
					t.Errorf("%s is told of %s, which is no service", name, u)
				}
			}
			continue
		}
		nodes++
		file := filepath.Join(t.TempDir(), "nats.conf")
		if err := os.WriteFile(file, []byte(c.Configs[s.Configs[0].Source].Content), 0o644); err != nil {
			t.Fatal(err)
		}
		args := slices.Clone(s.Command)
		args[slices.Index(args, "-c")+1] = file
		none := func() {}
		o, err := server.ConfigureOptions(flag.NewFlagSet(name, flag.ContinueOnError), args, none, none, none)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !o.JetStream || o.Cluster.Name != "sapf" || len(o.Routes) != 2 || o.ServerName != name || o.Port != 4222 {
			t.Errorf("%s: %+v", name, o)
		}
	}
	if nodes != 3 {
		t.Errorf("%d nodes, want 3", nodes)
	}
}

// TestLaunchers: the command lines of the scripts for Slurm and Kubernetes.
func TestLaunchers(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(deploy, "slurm.sh"))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(raw), "\\\n", " ")
	line := regexp.MustCompile(`(?m)^exec sapf (.*)$`).FindStringSubmatch(text)
	if line == nil {
		t.Fatal("slurm.sh does not run sapf")
	}
	words := strings.Fields(strings.NewReplacer(`"`, "", "$spec", "spec.yaml", "$folder", "runs/x", "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT", "3/64", "$SLURM_CPUS_PER_TASK", "4").Replace(line[1]))
	parses(t, "slurm.sh", words)
	var job struct {
		Spec struct {
			Completions int
			Template    struct {
				Spec struct {
					Containers []struct{ Args []string }
				}
			}
		}
	}
	if raw, err = os.ReadFile(filepath.Join(deploy, "kubernetes.yaml")); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(raw, &job); err != nil {
		t.Fatal(err)
	}
	args := job.Spec.Template.Spec.Containers[0].Args
	for i, a := range args {
		args[i] = strings.ReplaceAll(a, "$(JOB_COMPLETION_INDEX)", "3")
	}
	parses(t, "kubernetes.yaml", args)
	i := slices.Index(args, "--shard")
	shard, err := parseShard(args[i+1])
	if err != nil || shard.Count != job.Spec.Completions {
		t.Errorf("shard %v of %d completions, %v", shard, job.Spec.Completions, err)
	}
}
