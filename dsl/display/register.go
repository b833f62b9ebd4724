package display

import "sync"

// Renderer makes a bundle of values of types it knows.
type Renderer func(v any) (Bundle, bool)

var renderers struct {
	sync.RWMutex
	list []Renderer
}

// Register adds a renderer for types that cannot have display methods of their
// own. Later ones are asked first.
func Register(r Renderer) {
	renderers.Lock()
	defer renderers.Unlock()
	renderers.list = append(renderers.list, r)
}

// registered asks the renderers about v.
func registered(v any) (Bundle, bool) {
	renderers.RLock()
	defer renderers.RUnlock()
	for i := len(renderers.list) - 1; i >= 0; i-- {
		if b, ok := renderers.list[i](v); ok {
			return b, true
		}
	}
	return Bundle{}, false
}
