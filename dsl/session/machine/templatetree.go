package machine

import (
	htmltemplate "html/template"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"text/template"
	"text/template/parse"
	"unsafe"
)

// rewriting is held while trees change.
var rewriting sync.Mutex

// rewriter rewrites the trees of templates that share functions.
type rewriter struct{ funcs map[string]reflect.Value }

// rewriteTemplates has the templates of a set look things up by the functions of
// templates.go. What is rewritten already stays as it is.
func rewriteTemplates(t *template.Template) {
	rewriting.Lock()
	defer rewriting.Unlock()
	funcs, _ := functionsOf(t)
	r := rewriter{funcs}
	for _, part := range t.Templates() {
		if part.Tree != nil && part.Tree.Root != nil {
			r.list(part.Tree.Root)
		}
	}
}

func (r rewriter) list(l *parse.ListNode) {
	if l == nil {
		return
	}
	for _, n := range l.Nodes {
		switch n := n.(type) {
		case *parse.ActionNode:
			r.pipe(n.Pipe)
			if len(n.Pipe.Decl) == 0 {
				end(n.Pipe, templateShow)
			}
		case *parse.IfNode:
			r.branch(&n.BranchNode, templateTruth)
		case *parse.WithNode:
			r.branch(&n.BranchNode, templateTruth)
		case *parse.RangeNode:
			r.branch(&n.BranchNode, templateRange)
		case *parse.TemplateNode:
			r.pipe(n.Pipe)
		}
	}
}

func (r rewriter) branch(b *parse.BranchNode, last string) {
	r.pipe(b.Pipe)
	end(b.Pipe, last)
	r.list(b.List)
	r.list(b.ElseList)
}

// own reports commands that call the functions of templates.go.
func own(c *parse.CommandNode) bool {
	id, ok := c.Args[0].(*parse.IdentifierNode)
	return ok && strings.HasPrefix(id.Ident, UnexportedPrefix)
}

func command(pos parse.Pos, name string, args ...parse.Node) *parse.CommandNode {
	return &parse.CommandNode{NodeType: parse.NodeCommand, Pos: pos, Args: append([]parse.Node{parse.NewIdentifier(name).SetPos(pos)}, args...)}
}

func piped(pos parse.Pos, cmds ...*parse.CommandNode) *parse.PipeNode {
	return &parse.PipeNode{NodeType: parse.NodePipe, Pos: pos, Cmds: cmds}
}

// end has a pipeline end in a call, before what html/template has added.
func end(p *parse.PipeNode, name string) {
	at := len(p.Cmds)
	for i, c := range p.Cmds {
		id, ok := c.Args[0].(*parse.IdentifierNode)
		if ok && id.Ident == name {
			return
		}
		if ok && strings.HasPrefix(id.Ident, "_html_template_") && at == len(p.Cmds) {
			at = i
		}
	}
	p.Cmds = append(p.Cmds[:at:at], append([]*parse.CommandNode{command(p.Pos, name)}, p.Cmds[at:]...)...)
}

func (r rewriter) pipe(p *parse.PipeNode) {
	if p == nil {
		return
	}
	var out []*parse.CommandNode
	for i, c := range p.Cmds {
		if !own(c) {
			if id, ok := c.Args[0].(*parse.IdentifierNode); ok && i > 0 && !own(p.Cmds[i-1]) {
				if need := r.need(id.Ident, len(c.Args)-1); need != "" {
					out = append(out, command(c.Pos, need))
				}
			}
			r.command(c)
		}
		out = append(out, c)
	}
	p.Cmds = out
}

func (r rewriter) command(c *parse.CommandNode) {
	lookUp := func(from parse.Node, path []string) {
		n := c.Args[0]
		args := []parse.Node{text(n.Position(), n.String()), from, text(n.Position(), strings.Join(path, "."))}
		for _, a := range c.Args[1:] {
			args = append(args, r.argument(a, ""))
		}
		c.Pos = n.Position()
		c.Args = command(c.Pos, templateField, args...).Args
	}
	switch n := c.Args[0].(type) {
	case *parse.IdentifierNode:
		written := c.String()
		for i, a := range c.Args[1:] {
			c.Args[i+1] = r.argument(a, r.need(n.Ident, i))
		}
		if name := map[string]string{"index": templateIndex, "call": templateCall}[n.Ident]; name != "" && !r.funcs[n.Ident].IsValid() {
			c.Args = command(n.Pos, name, append([]parse.Node{text(n.Pos, written)}, c.Args[1:]...)...).Args
		}
	case *parse.FieldNode:
		lookUp(&parse.DotNode{NodeType: parse.NodeDot, Pos: n.Pos}, n.Ident)
	case *parse.VariableNode:
		if len(n.Ident) > 1 {
			lookUp(&parse.VariableNode{NodeType: parse.NodeVariable, Pos: n.Pos, Ident: n.Ident[:1]}, n.Ident[1:])
		}
	case *parse.ChainNode:
		written := text(n.Pos, n.String())
		from := r.argument(n.Node, "")
		lookUp(from, n.Field)
		c.Args[1] = written
	case *parse.PipeNode:
		r.pipe(n)
	}
}

func text(pos parse.Pos, s string) *parse.StringNode {
	return &parse.StringNode{NodeType: parse.NodeString, Pos: pos, Quoted: strconv.Quote(s), Text: s}
}

// argument rewrites an operand, which the function need prepares.
func (r rewriter) argument(n parse.Node, need string) parse.Node {
	pos, written := n.Position(), text(n.Position(), n.String())
	var look *parse.CommandNode
	switch n := n.(type) {
	case *parse.FieldNode:
		look = command(pos, templateField, written, &parse.DotNode{NodeType: parse.NodeDot, Pos: pos}, text(pos, strings.Join(n.Ident, ".")))
	case *parse.ChainNode:
		look = command(pos, templateField, written, r.argument(n.Node, ""), text(pos, strings.Join(n.Field, ".")))
	case *parse.VariableNode:
		if len(n.Ident) > 1 {
			look = command(pos, templateField, written, &parse.VariableNode{NodeType: parse.NodeVariable, Pos: pos, Ident: n.Ident[:1]}, text(pos, strings.Join(n.Ident[1:], ".")))
		} else if need != "" {
			return piped(pos, command(pos, need, n))
		}
	case *parse.DotNode:
		if need != "" {
			return piped(pos, command(pos, need, n))
		}
	case *parse.PipeNode:
		r.pipe(n)
		if need != "" {
			end(n, need)
		}
	}
	if look == nil {
		return n
	}
	if need == "" {
		return piped(pos, look)
	}
	return piped(pos, look, command(pos, need))
}

// need is what prepares argument i of a function: "" if it takes values as they are.
func (r rewriter) need(name string, i int) string {
	if fn, ok := r.funcs[name]; ok && fn.Kind() == reflect.Func && fn.Type().NumIn() > 0 {
		t := fn.Type()
		last := t.NumIn() - 1
		in := t.In(min(i, last))
		if t.IsVariadic() && i >= last {
			in = t.In(last).Elem()
		}
		if in.Kind() == reflect.Interface {
			return ""
		}
		return templatePlain
	}
	switch name {
	case "and", "or", "not":
		return templateTruth
	case "eq", "ne", "lt", "le", "gt", "ge", "len", "slice":
		return templatePlain
	}
	return ""
}

// functionsOf are the functions of a template's own, and what it says of keys that
// are missing: both are hidden in it.
func functionsOf(t *template.Template) (funcs map[string]reflect.Value, missing int64) {
	common := reflect.ValueOf(t).Elem().FieldByName("common")
	if common.IsNil() {
		return nil, 0
	}
	f := common.Elem().FieldByName("execFuncs")
	return *(*map[string]reflect.Value)(unsafe.Pointer(f.UnsafeAddr())), common.Elem().FieldByName("option").FieldByName("missingKey").Int()
}

// boxes reports whether a function's results are boxed.
func boxes(funcs map[string]reflect.Value) bool {
	for _, fn := range funcs {
		if fn.Kind() == reflect.Func && fn.Type().NumOut() > 0 && fn.Type().Out(0) == reflect.TypeFor[boxedResult]() {
			return true
		}
	}
	return false
}

// textOf is the template that one of html/template is made of.
func textOf(t *htmltemplate.Template) *template.Template {
	f := reflect.ValueOf(t).Elem().FieldByName("text")
	return *(**template.Template)(unsafe.Pointer(f.UnsafeAddr()))
}
