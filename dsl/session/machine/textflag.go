package machine

import (
	"encoding"
	"flag"
)

// textFlag is a flag whose value reads and writes itself as text.
type textFlag struct{ value encoding.TextUnmarshaler }

// Set reads the value.
func (f textFlag) Set(s string) error { return f.value.UnmarshalText([]byte(s)) }

// String is the value, if it can write itself.
func (f textFlag) String() string {
	if m, ok := f.value.(encoding.TextMarshaler); ok {
		if text, err := m.MarshalText(); err == nil {
			return string(text)
		}
	}
	return ""
}

// textVar is flag.FlagSet.TextVar, which wants a pointer to a type of its default
// value: what stands for a cell's type in compiled code is neither.
func textVar(set *flag.FlagSet, p encoding.TextUnmarshaler, name string, value encoding.TextMarshaler, usage string) {
	text, err := value.MarshalText()
	if err == nil {
		err = p.UnmarshalText(text)
	}
	if err != nil {
		panic(runtimeError("the default of flag " + name + ": " + err.Error()))
	}
	set.Var(textFlag{p}, name, usage)
	set.Lookup(name).DefValue = string(text)
}
