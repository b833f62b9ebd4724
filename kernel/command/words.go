package command

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"sapf/models/nearest"
	"sapf/sapf/attack"
	"sapf/sapf/baseline"
)

// groups are the commands that have commands of their own.
var groups = []string{"sweep", "models", "data"}

// asked is the command line as the parser takes it: without a command it asks for
// help, and so does "help sweep run".
func asked(args []string) []string {
	switch {
	case len(args) == 0 || len(args) == 1 && slices.Contains(groups, args[0]):
		return append(slices.Clone(args), "--help")
	case args[0] == "help":
		return append(slices.Clone(args[1:]), "--help")
	}
	return args
}

var unknown = regexp.MustCompile(`^unknown flag --([a-z0-9_-]+)`)

// unknownFlag says of a flag that is none that the attack has an option of that
// name, where it has.
func unknownFlag(args []string, err error) error {
	m := unknown.FindStringSubmatch(err.Error())
	if m == nil || len(args) == 0 || args[0] != "attack" {
		return err
	}
	a, ok := baseline.New(methodOf(args))
	if !ok {
		return err
	}
	name := nearest.Within(2, strings.ReplaceAll(m[1], "-", "_"), attack.OptionNames(a))
	if name == "" {
		return err
	}
	return fmt.Errorf("%w; the attack's options are set by name, --set %s=VALUE, and --options lists them", err, name)
}

// methodOf is the attack that the words of a command line ask for.
func methodOf(words []string) string {
	for i, w := range words {
		if value, ok := strings.CutPrefix(w, "--method="); ok {
			return value
		}
		if w == "--method" && i+1 < len(words) {
			return words[i+1]
		}
	}
	return "sapf"
}
