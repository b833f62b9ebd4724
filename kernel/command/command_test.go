package command

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sapf/kernel/exit"
	"sapf/sapf/attack"
	"sapf/sapf/baseline"
)

// call runs a command line and returns its exit code and what it printed.
func call(t *testing.T, ctx context.Context, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = Main(ctx, args, &out, &err)
	return code, out.String(), err.String()
}

// TestRefuses: a wrong request ends with 2, one line on stderr that names the
// thing, and nothing on stdout.
func TestRefuses(t *testing.T) {
	large := filepath.Join(t.TempDir(), "large.png")
	f, err := os.Create(large)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, image.NewGray(image.Rect(0, 0, 299, 299))); err != nil {
		t.Fatal(err)
	}
	attack := func(args ...string) []string { return append([]string{"attack"}, args...) }
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"bogus"}, "bogus"},
		{[]string{"run", "nothing.ipynb"}, "nothing.ipynb"},
		{[]string{"gradient", "--model", "cwnet", "--image", "cat", "--target", "dog", "--loss", "hinge"}, `"hinge"`},
		{attack("--model", "nosuch", "--image", "cat"), `no model "nosuch"`},
		{attack("--model", "cwnet", "--image", "nosuch.png"), `image "nosuch.png"`},
		{attack("--model", "cwnet", "--image", large), "is 3x299x299, model cwnet takes 3x32x32: scale it with --resize"},
		{attack("--model", "cwnet", "--image", "cat", "--target", "10"), "target 10, expected 0 to 9"},
		{attack("--model", "cwnet", "--image", "cat", "--target", "dgo"), `did you mean "dog"`},
		{attack("--model", "cwnet", "--image", "cat", "--target", "cat"), "is the image's own label"},
		{attack("--model", "cwnet", "--image", "cat", "--target", "dog", "--k=-1"), "option k: -1"},
		{attack("--model", "cwnet", "--image", "cat", "--target", "dog", "--k=3073"), "at most 3072"},
		{attack("--model", "cwnet", "--image", "cat", "--target", "dog", "--set", "lamda1=3"), `did you mean "lambda1"`},
		{attack("--model", "cwnet", "--image", "cat", "--target", "dog", "--set", "stepz=3"), `did you mean "steps"`},
		{attack("--model", "cwnet", "--image", "cat", "--stepz", "3"), "--set steps=VALUE"},
		{attack("--model", "cwnet", "--image", "cat", "--method", "fmn-l0", "--step-sise", "3"), "--set step_size=VALUE"},
		{attack("--model", "cwnet", "--image", "cta"), "did you mean cat?"},
		{attack("--model", "cwnet", "--image", "cat", "--trace-every=-3"), "--trace-every -3, expected at least 1"},
		// Counts that would be memory, devices without end, names of nothing.
		{[]string{"bench", "--model", "cwmnist", "--batch", "1000000000"}, "batch 1000000000 with 1 threads, expected up to 65536"},
		{[]string{"bench", "--model", "cwmnist", "--batch", "1", "--threads", "1000000000"}, "1000000000 threads, expected up to 65536 and 1024"},
		{attack("--model", "cwnet", "--image", "cat", "--target", "dog", "--method", "one-pixel", "--set", "population=1000000000"), "population"},
		{[]string{"train", "cwnet", "--dropout", "2"}, "dropout of 2 after fc1"},
		{[]string{"models", "show", "/dev/zero"}, "is a device"},
		{[]string{"sweep", "run", "/dev/zero", "-o", "x"}, "more than the"},
		{[]string{"models", "convert", "cwmnist", ""}, "no name, expected a file's"},
		{[]string{"worker", "--url", "http://127.0.0.1:1"}, `server "http://127.0.0.1:1", expected nats://`},
		{[]string{"worker", "--url", "nats://me:secret@:4222"}, "expected nats://"},
		{[]string{"bench", "--batch", "4,0"}, "--batch 0, expected at least 1"},
		{[]string{"bench", "--time=-1s"}, "--time -1s, expected at least 1ms"},
		{[]string{"run", "x.ipynb", "--timeout=-5s"}, "--timeout -5s"},
		{attack("--model", "cwnet", "--image", "cat", "--k", "200", "--set", "k=3"), "k is given twice"},
		{attack("--model", "cwnet", "--image", "cat", "--preset", "paper", "--set", "preset=reference"), "the preset is given twice"},
		{[]string{"run", large}, "expected a notebook (.ipynb) or a script (.go), got .png"},
		{attack("--model", "cwnet", "--image", "cat", "--target", "dog", "--set", "step_size=NaN"), "option step_size: NaN"},
		{attack("--model", "cwnet", "--image", "cat", "--target", "dog", "--preset", "papr"), `did you mean "paper"`},
		{attack("--model", "cwnet", "--image", "cat", "--target", "dog", "--method", "cwl0"), `did you mean "cw-l0"`},
	} {
		code, stdout, stderr := call(t, t.Context(), c.args...)
		if code != exit.Request || !strings.Contains(stderr, c.want) || strings.Count(stderr, "\n") != 1 || stdout != "" {
			t.Errorf("%q: exit code %d, stdout %q, stderr %q, want %d and one line about %s", c.args, code, stdout, stderr, exit.Request, c.want)
		}
	}
}

// TestOneLine: several errors are one line, of which each part can be told.
func TestOneLine(t *testing.T) {
	for text, want := range map[string]string{
		"":                               "",
		"a b":                            "a b",
		"EOF\n":                          "EOF",
		"-o x: denied\n--html y: denied": "-o x: denied; --html y: denied",
		"spec:\n\t2 | x\n\n  > 3 | y\n":  "spec: 2 | x; > 3 | y",
	} {
		if got := oneLine(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

// TestAttack: exit codes and the files of --out. Ten steps a stage leave the
// image's class alone; a hundred change it.
func TestAttack(t *testing.T) {
	steps := func(n string) []string {
		return []string{"attack", "--model", "cwnet", "--image", "cat", "--target", "dog", "--json",
			"--set", "delta_steps=" + n, "--set", "mask_steps=" + n, "--set", "tune_steps=" + n, "--set", "search_rounds=1"}
	}
	code, stdout, stderr := call(t, t.Context(), append(steps("1"), "--set", "lambda1=1e-9")...)
	if code != exit.Failed || !strings.Contains(stderr, "did not reach the goal") || !strings.Contains(stdout, `"success":false`) {
		t.Errorf("an attack too short: exit code %d, stdout %q, stderr %q, want %d", code, stdout, stderr, exit.Failed)
	}
	code, _, stderr = call(t, t.Context(), "attack", "--model", "cwnet", "--image", "cat", "--target", "dog", "--method", "fmn-l0", "--set", "steps=1")
	if code != exit.Failed || !strings.Contains(stderr, "--preset benchmark") {
		t.Errorf("one step of fmn-l0: exit code %d, stderr %q, want %d and its preset", code, stderr, exit.Failed)
	}

	dir := filepath.Join(t.TempDir(), "result")
	code, stdout, stderr = call(t, t.Context(), append(steps("150"), "--set", "lambda1=10", "--set", "round=topk", "--out", dir)...)
	var record struct {
		Success  bool
		K        int
		Selected int
		L0       int
		Profile  string
		Options  map[string]any
	}
	if err := json.Unmarshal([]byte(stdout), &record); err != nil || code != exit.Done {
		t.Fatalf("exit code %d, stderr %q, stdout is not one JSON object: %v", code, stderr, err)
	}
	if !record.Success || record.K != 200 || record.Selected != 200 || record.L0 > 200 || record.Profile == "" || record.Options["mask_steps"] != 150.0 {
		t.Errorf("record %+v", record)
	}
	for _, name := range []string{"adversarial.png", "perturbation.png", "mask.png", "delta_chw.npy", "adversarial_chw.npy", "result.json"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}

	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if code, _, stderr := call(t, cancelled, steps("150")...); code != exit.Interrupted {
		t.Errorf("an interrupted attack: exit code %d, stderr %q, want %d", code, stderr, exit.Interrupted)
	}
}

// TestK: by default exactly k entries are chosen; the authors' rule chooses about
// k, and then it is said. Without a target the attack is any other class's, and
// that is said, too.
func TestK(t *testing.T) {
	short := []string{"attack", "--model", "cwnet", "--image", "cat", "--k", "200", "--set", "steps=30", "--set", "search_rounds=1"}
	code, stdout, stderr := call(t, t.Context(), append(short, "--target", "dog", "--set", "lambda1=10")...)
	if code != exit.Done || !strings.Contains(stdout, "l0 200 entries") || strings.Contains(stderr, "rounded at one half") || strings.Contains(stderr, "--target") {
		t.Errorf("exit code %d, stdout %q, stderr %q; expected exactly 200 entries", code, stdout, stderr)
	}
	_, stdout, stderr = call(t, t.Context(), append(short, "--preset", "reference", "--set", "lambda1=99")...)
	if strings.Contains(stdout, "selected 200") || !strings.Contains(stderr, "ones in G for a k of 200: rounded at one half") || !strings.Contains(stderr, "any other class will do") {
		t.Errorf("the authors' rule: stdout %q, stderr %q", stdout, stderr)
	}
	code, _, stderr = call(t, t.Context(), append(short, "--target", "dog", "--k", "0")...)
	if code != exit.Failed || !strings.Contains(stderr, "no entry may change") || strings.Contains(stderr, "--preset") {
		t.Errorf("a k of 0: exit code %d, stderr %q", code, stderr)
	}
}

// TestGradientGolden holds `sapf gradient` to PyTorch's double-precision
// numbers.
func TestGradientGolden(t *testing.T) {
	root := os.Getenv("SAPF_DATA")
	raw, err := os.ReadFile(filepath.Join(root, "golden", "gradients.json"))
	if root == "" || err != nil {
		t.Skipf("SAPF_DATA does not lead to golden/gradients.json: %v", err)
	}
	var cases []struct {
		Image, Loss string
		Target      json.Number
		Noise       float64
		Gradient    string `json:"gradient_f32_chw_base64"`
	}
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		if c.Noise > 0 {
			continue // its input is no file
		}
		code, stdout, stderr := call(t, t.Context(), "gradient", "--model", "cwnet", "--image", c.Image, "--target", string(c.Target), "--loss", c.Loss, "--json")
		var got struct {
			Gradient string `json:"gradient_f32_chw_base64"`
		}
		if err := json.Unmarshal([]byte(stdout), &got); err != nil || code != exit.Done {
			t.Fatalf("%s: exit code %d, stderr %q, %v", c.Image, code, stderr, err)
		}
		if d := distance(t, got.Gradient, c.Gradient); !(d < 1e-4) {
			t.Errorf("%s, %s: gradient differs by %.2g, relative l2", c.Image, c.Loss, d)
		}
	}
}

// distance is the relative l2 distance of two vectors of little-endian float32.
func distance(t *testing.T, got, want string) float64 {
	t.Helper()
	var d, n float64
	g, errG := base64.StdEncoding.DecodeString(got)
	w, errW := base64.StdEncoding.DecodeString(want)
	if errG != nil || errW != nil || len(g) != len(w) || len(w) == 0 {
		t.Fatalf("%d bytes (%v), want %d (%v)", len(g), errG, len(w), errW)
	}
	for i := 0; i < len(w); i += 4 {
		a := float64(math.Float32frombits(binary.LittleEndian.Uint32(g[i:])))
		b := float64(math.Float32frombits(binary.LittleEndian.Uint32(w[i:])))
		d, n = d+(a-b)*(a-b), n+b*b
	}
	return math.Sqrt(d / n)
}

// TestOptionsOfAMethod: every option of every method is listed with its default,
// what it may be and what it means, without a model or an image.
func TestOptionsOfAMethod(t *testing.T) {
	for _, method := range baseline.Names() {
		code, stdout, stderr := call(t, t.Context(), "attack", "--method", method, "--options")
		if code != exit.Done {
			t.Errorf("%s: exit code %d, %s", method, code, stderr)
			continue
		}
		a, _ := baseline.New(method)
		for _, name := range attack.OptionNames(a) {
			if _, rest, ok := strings.Cut(stdout, "\n"+name+" "); !ok || strings.TrimSpace(rest) == "" {
				t.Errorf("%s: option %s is not listed", method, name)
			}
		}
		_, list, _ := strings.Cut(stdout, "\nOPTION")
		explained := false // the lines of an option, or several, are followed by what they mean
		for _, line := range strings.Split(strings.Split(strings.TrimRight(list, "\n"), "\n\n")[0], "\n")[1:] {
			explained = strings.HasPrefix(line, "    ")
			if fields := regexp.MustCompile(`\s{2,}`).Split(strings.TrimSpace(line), -1); !explained && len(fields) < 3 {
				t.Errorf("%s: %q does not say what it may be", method, line)
			}
		}
		if !explained {
			t.Errorf("%s: the last option is not explained:\n%s", method, stdout)
		}
	}
	if code, _, stderr := call(t, t.Context(), "attack", "--method", "fmn", "--options"); code != exit.Request || !strings.Contains(stderr, `"fmn-l0"`) {
		t.Errorf("an unknown method: exit code %d, %s", code, stderr)
	}
}
