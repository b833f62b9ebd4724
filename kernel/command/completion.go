package command

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/alecthomas/kong"
	"github.com/posener/complete"
	"github.com/willabides/kongplete"

	"sapf/models"
	"sapf/models/data"
	"sapf/models/train"
	"sapf/models/zoo"
	"sapf/sapf/attack"
	"sapf/sapf/baseline"
	"sapf/sapf/sweep/table"
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
// follow: it finds the line up to the cursor in the variable COMP_LINE, and
// prints the words that the last one can become, as they are typed. What stands
// behind the = of an option is a word of its own, which zsh and fish see as one
// with the option.
var scripts = map[string]string{
	"bash": "complete -o nospace -o default -C %[1]s sapf\n",
	"zsh": `(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
_sapf() {
    local -a found
    found=("${(@f)$(COMP_LINE="${(j: :)words[1,CURRENT]}" %[1]s)}")
    [[ -n "$found" ]] || return 1
    [[ $PREFIX == --*=* ]] && compset -P 1 '*='
    compadd -Q -S '' -- "${found[@]}"
}
compdef _sapf sapf
`,
	"fish": `function __complete_sapf
    set -lx COMP_LINE (commandline -cp)
    test -z (commandline -ct); and set COMP_LINE "$COMP_LINE "
    set -l option (string match -r -- '^--[^=]+=' (commandline -ct))
    for word in (%[1]s | string trim | string unescape)
        echo "$option$word"
    end
end
complete -c sapf -f -a "(__complete_sapf)"
`,
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
	line := os.Getenv("COMP_LINE")
	if line == "" {
		return false, nil
	}
	// Bash counts characters, not bytes.
	if at, err := strconv.Atoi(os.Getenv("COMP_POINT")); err == nil && at >= 0 && at < utf8.RuneCountInString(line) {
		line = string([]rune(line)[:at])
	}
	plain, quote := hide(line)
	os.Setenv("COMP_LINE", plain)
	os.Unsetenv("COMP_POINT")
	var answer bytes.Buffer
	to := parser.Stdout
	parser.Stdout = &answer
	defer func() { parser.Stdout = to }()
	var failure error
	kongplete.Complete(parser, kongplete.WithPredictors(predictors), kongplete.WithExitFunc(func(int) {}),
		kongplete.WithErrorHandler(func(err error) { failure = errors.Join(failure, err) }))
	_, err := io.WriteString(to, answers(answer.String(), quote))
	return true, errors.Join(failure, err)
}

// predictors say what can stand where a field's tag names them.
var predictors = map[string]complete.Predictor{
	"file": complete.PredictFunc(files),
	"model": complete.PredictOr(complete.PredictFunc(files), names(func(complete.Args) (all []string) {
		for _, l := range models.List() {
			all = append(all, l.Name)
		}
		return all
	})),
	"image": complete.PredictOr(complete.PredictFunc(files), names(func(complete.Args) (all []string) {
		for _, s := range data.Samples() {
			all = append(all, s.Name)
		}
		return all
	})),
	"class": names(func(line complete.Args) []string {
		for i, word := range line.All[:max(0, len(line.All)-1)] {
			name, is := strings.CutPrefix(word, "--model=")
			if word == "--model" {
				name, is = line.All[i+1], true
			}
			if a := zoo.Known(name); is && a != nil {
				return hidden(a.Classes())
			}
		}
		return nil
	}),
	"architecture": names(func(complete.Args) (all []string) {
		for _, a := range zoo.Architectures() {
			all = append(all, a.Name)
		}
		return all
	}),
	"recipe": names(func(complete.Args) []string { return train.Recipes }),
	"format": names(func(complete.Args) []string { return table.Formats }),
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
