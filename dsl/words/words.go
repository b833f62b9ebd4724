// Package words knows what the strings can be that the verbs of package dsl
// take, for whoever completes them.
package words

import (
	"slices"

	"sapf/models"
	"sapf/models/data"
)

// table lists the words of each verb, given the values of the variables.
var table = map[string]func(variables []any) []string{
	"LoadModel":  modelNames,
	"LoadImage":  dataNames,
	"LoadImages": dataNames,
	"HasData":    dataNames,
	"Views":      dataNames,
	"Target":     classes,
}

// For lists the words that the string of a verb can be, sorted; none for what
// is no verb. variables are the values of the variables there are.
func For(verb string, variables []any) []string {
	list := table[verb]
	if list == nil {
		return nil
	}
	out := list(variables)
	slices.Sort(out)
	return slices.Compact(out)
}

func modelNames([]any) []string {
	var out []string
	for _, m := range models.List() {
		out = append(out, m.Name)
	}
	return out
}

func dataNames([]any) []string {
	var out []string
	for _, d := range data.List() {
		out = append(out, d.Name)
	}
	return out
}

// classes are the classes of all models in variables.
func classes(variables []any) []string {
	var out []string
	for _, v := range variables {
		if m, ok := v.(interface{ Classes() []string }); ok {
			out = append(out, m.Classes()...)
		}
	}
	return out
}
