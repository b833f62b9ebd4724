package machine

import (
	"io"
	"reflect"
)

// Package io asks readers and writers whether they have further methods. An
// adapter to one of its interfaces has those that the cell's type has.

type (
	streamBase struct {
		m *Machine
		x any
	}
	readerTo struct {
		streamBase
		io.Reader
	}
	writerFrom struct {
		streamBase
		io.Writer
	}
	stringWriter struct {
		streamBase
		io.Writer
	}
	stringWriterFrom struct {
		stringWriter
	}
)

func (s streamBase) original() any { return s.x }

func (s streamBase) count(method string, arg reflect.Value) (int64, error) {
	fn, ok := s.m.lookup(s.x, method)
	if !ok {
		panic(nilDereference)
	}
	out := fn([]reflect.Value{arg}, false)
	err, _ := out[1].Interface().(error)
	return out[0].Int(), err
}

// WriteTo is io.WriterTo.
func (s readerTo) WriteTo(w io.Writer) (int64, error) {
	return s.count("WriteTo", reflect.ValueOf(&w).Elem())
}

// ReadFrom is io.ReaderFrom.
func (s writerFrom) ReadFrom(r io.Reader) (int64, error) {
	return s.count("ReadFrom", reflect.ValueOf(&r).Elem())
}

// WriteString is io.StringWriter.
func (s stringWriter) WriteString(text string) (int, error) {
	n, err := s.count("WriteString", reflect.ValueOf(text))
	return int(n), err
}

// ReadFrom is io.ReaderFrom.
func (s stringWriterFrom) ReadFrom(r io.Reader) (int64, error) {
	return s.count("ReadFrom", reflect.ValueOf(&r).Elem())
}

var (
	_ io.WriterTo     = readerTo{}
	_ io.ReaderFrom   = writerFrom{}
	_ io.StringWriter = stringWriter{}
	_ io.ReaderFrom   = stringWriterFrom{}
)

// streamOf adapts x to io.Reader or io.Writer, with what further methods it has;
// the zero Value if there are none, or for another interface.
func (m *Machine) streamOf(x any, iface, wrapper reflect.Type) reflect.Value {
	has := func(name string) bool {
		_, ok := m.lookup(x, name)
		return ok
	}
	base := streamBase{m, x}
	switch iface {
	case reflect.TypeFor[io.Reader]():
		if has("WriteTo") {
			return reflect.ValueOf(&readerTo{base, m.wrapped(x, wrapper).Interface().(io.Reader)})
		}
	case reflect.TypeFor[io.Writer]():
		from, text := has("ReadFrom"), has("WriteString")
		if !from && !text {
			return reflect.Value{}
		}
		w := m.wrapped(x, wrapper).Interface().(io.Writer)
		switch {
		case from && text:
			return reflect.ValueOf(&stringWriterFrom{stringWriter{base, w}})
		case from:
			return reflect.ValueOf(&writerFrom{base, w})
		}
		return reflect.ValueOf(&stringWriter{base, w})
	}
	return reflect.Value{}
}
