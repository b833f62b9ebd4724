package command

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/posener/complete"
	"github.com/willabides/kongplete"

	"sapf/models"
	"sapf/models/data"
	"sapf/sapf/attack"
	"sapf/sapf/baseline"
)

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

func (completionCmd) Help() string {
	return "Prints what makes the shell complete commands, options, models, samples and attacks. Bash: put\n" +
		"  source <(sapf completion bash)\ninto ~/.bashrc. Zsh: the same with zsh, into ~/.zshrc. Fish:\n" +
		"  sapf completion fish > ~/.config/fish/completions/sapf.fish"
}

// scripts make a shell ask this program (%[1]s, quoted for the shell) what could
// follow: it finds the line in the variable COMP_LINE.
var scripts = map[string]string{
	"bash": "complete -o nospace -o default -C %[1]s sapf\n",
	"zsh":  "autoload -U +X compinit bashcompinit && compinit && bashcompinit\ncomplete -o nospace -o default -C %[1]s sapf\n",
	"fish": "function __complete_sapf\n    set -lx COMP_LINE (commandline -cp)\n    test -z (commandline -ct); and set COMP_LINE \"$COMP_LINE \"\n    %[1]s\nend\ncomplete -c sapf -a \"(__complete_sapf)\"\n",
}

func (c *completionCmd) Run(out output) error {
	self, err := os.Executable()
	if err != nil {
		return failed(err)
	}
	quoted := "'" + strings.ReplaceAll(self, "'", `'\''`) + "'"
	_, err = fmt.Fprintf(out.stdout, scripts[c.Shell], quoted)
	return err
}

// completes answers a shell that asks what could follow, and says whether one
// did.
func completes(parser *kong.Kong) (bool, error) {
	if os.Getenv("COMP_LINE") == "" {
		return false, nil
	}
	var failure error
	kongplete.Complete(parser, kongplete.WithPredictors(predictors), kongplete.WithExitFunc(func(int) {}),
		kongplete.WithErrorHandler(func(err error) { failure = errors.Join(failure, err) }))
	return true, failure
}

// predictors say what can stand where a field's tag names them.
var predictors = map[string]complete.Predictor{
	"file": complete.PredictFiles("*"),
	"model": complete.PredictOr(complete.PredictFiles("*"), names(func(complete.Args) (all []string) {
		for _, l := range models.List() {
			all = append(all, l.Name)
		}
		return all
	})),
	"image": complete.PredictOr(complete.PredictFiles("*"), names(func(complete.Args) (all []string) {
		for _, s := range data.Samples() {
			all = append(all, s.Name)
		}
		return all
	})),
	"data":   names(func(complete.Args) []string { return data.Gettable() }),
	"method": names(func(complete.Args) []string { return baseline.Names() }),
	"preset": names(func(line complete.Args) []string {
		if a := method(line); a != nil {
			return attack.Presets(a)
		}
		return nil
	}),
	"option": names(func(line complete.Args) (all []string) {
		if a := method(line); a != nil {
			for _, name := range attack.OptionNames(a) {
				all = append(all, name+"=")
			}
		}
		return all
	}),
}

// names is a predictor of words.
func names(f func(complete.Args) []string) complete.Predictor { return complete.PredictFunc(f) }

// method is the attack that a line asks for, or nil.
func method(line complete.Args) attack.Attack {
	a, _ := baseline.New(methodOf(line.All))
	return a
}
