package main

import (
	"errors"
	"fmt"
	"strconv"
	"unicode"
)

type tokenKind int

const (
	tNum tokenKind = iota
	tOp
	tLParen
	tRParen
	tEOF
)

func (k tokenKind) String() string {
	return [...]string{"num", "op", "(", ")", "eof"}[k]
}

type token struct {
	kind tokenKind
	text string
	pos  int
}

type SyntaxError struct {
	Pos int
	Msg string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("%d: %s", e.Pos, e.Msg) }

var ErrDiv = errors.New("division by zero")

type lexer struct {
	src  []rune
	i    int
	toks []token
}

type stateFn func(*lexer) stateFn

func lexStart(l *lexer) stateFn {
	for l.i < len(l.src) && unicode.IsSpace(l.src[l.i]) {
		l.i++
	}
	if l.i >= len(l.src) {
		l.toks = append(l.toks, token{tEOF, "", l.i})
		return nil
	}
	switch c := l.src[l.i]; {
	case unicode.IsDigit(c) || c == '.':
		return lexNumber
	case c == '(':
		l.toks = append(l.toks, token{tLParen, "(", l.i})
	case c == ')':
		l.toks = append(l.toks, token{tRParen, ")", l.i})
	default:
		l.toks = append(l.toks, token{tOp, string(c), l.i})
	}
	l.i++
	return lexStart
}

func lexNumber(l *lexer) stateFn {
	from := l.i
	for l.i < len(l.src) && (unicode.IsDigit(l.src[l.i]) || l.src[l.i] == '.') {
		l.i++
	}
	l.toks = append(l.toks, token{tNum, string(l.src[from:l.i]), from})
	return lexStart
}

type Node interface{ Eval() (float64, error) }
type Num float64
type Bin struct {
	op   byte
	l, r Node
}
type Neg struct{ Node }

func (n Num) Eval() (float64, error) { return float64(n), nil }
func (n Neg) Eval() (float64, error) {
	v, err := n.Node.Eval()
	return -v, err
}
func (b *Bin) Eval() (v float64, err error) {
	x, err := b.l.Eval()
	if err != nil {
		return 0, fmt.Errorf("left of %c: %w", b.op, err)
	}
	y, err := b.r.Eval()
	if err != nil {
		return 0, fmt.Errorf("right of %c: %w", b.op, err)
	}
	switch b.op {
	case '+':
		return x + y, nil
	case '-':
		return x - y, nil
	case '*':
		return x * y, nil
	case '/':
		if y == 0 {
			return 0, ErrDiv
		}
		return x / y, nil
	}
	return 0, fmt.Errorf("op %q", b.op)
}

type parser struct {
	toks []token
	p    int
}

func (p *parser) peek() token { return p.toks[p.p] }
func (p *parser) next() (t token) {
	t = p.toks[p.p]
	p.p++
	return
}

var prec = map[string]int{"+": 1, "-": 1, "*": 2, "/": 2}

func (p *parser) expr(min int) Node {
	left := p.unary()
	for {
		t := p.peek()
		q, ok := prec[t.text]
		if t.kind != tOp || !ok || q < min {
			return left
		}
		p.next()
		left = &Bin{t.text[0], left, p.expr(q + 1)}
	}
}

func (p *parser) unary() Node {
	switch t := p.next(); t.kind {
	case tNum:
		f, err := strconv.ParseFloat(t.text, 64)
		if err != nil {
			panic(&SyntaxError{t.pos, err.Error()})
		}
		return Num(f)
	case tLParen:
		n := p.expr(1)
		if c := p.next(); c.kind != tRParen {
			panic(&SyntaxError{c.pos, "want ), have " + c.kind.String()})
		}
		return n
	case tOp:
		if t.text == "-" {
			return Neg{p.unary()}
		}
		fallthrough
	default:
		panic(&SyntaxError{t.pos, fmt.Sprintf("unexpected %v %q", t.kind, t.text)})
	}
}

func parse(s string) (n Node, err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *SyntaxError:
			err = r
		default:
			panic(r)
		}
	}()
	l := &lexer{src: []rune(s)}
	for st := stateFn(lexStart); st != nil; {
		st = st(l)
	}
	p := &parser{toks: l.toks}
	n = p.expr(1)
	if t := p.peek(); t.kind != tEOF {
		return nil, &SyntaxError{Pos: t.pos, Msg: "left over " + t.text}
	}
	return
}

func main() {
	for _, s := range []string{"1+2*3", "(1+2)*3", "-2*-(3-5)", "1/0", "2/(1-1)+3", "1+", "(1", "1.2.3", "4 5", "10/4-.5"} {
		n, err := parse(s)
		var se *SyntaxError
		if errors.As(err, &se) {
			fmt.Println(s, "syntax", se.Pos, se)
			continue
		}
		v, err := n.Eval()
		if errors.Is(err, ErrDiv) {
			fmt.Println(s, "div:", err)
			continue
		}
		fmt.Printf("%s = %g (%T)\n", s, v, n)
	}
}
