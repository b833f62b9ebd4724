package machine

import (
	"path"

	"github.com/traefik/yaegi/interp"
)

// folded returns the tables of packages whose import path is NAME/NAME, as
// sapf/sapf is, under the path NAME: that is where yaegi v0.16.1 looks for
// them, since it takes the path of such an import for a symbol table's key.
func folded(tables interp.Exports) interp.Exports {
	out := interp.Exports{}
	for key, symbols := range tables {
		if dir := path.Dir(key); path.Dir(dir) == path.Base(dir) {
			out[path.Base(dir)+"/"+path.Base(key)] = symbols
		}
	}
	return out
}
