package machine

import "go/ast"

// apart parts declarations into files: a symbol keeps the syntax tree of the whole
// file it is declared in. So variables, which stay, are declared apart from functions,
// and the body of the cell, which the next one replaces, alone; and so is each function
// but for those that call one another, as one that a value still has for a method
// outlives those that are declared anew.
func apart(decls []ast.Decl) [][]ast.Decl {
	var vars, body []ast.Decl
	var funcs []*ast.FuncDecl
	for i, d := range decls {
		fn, ok := d.(*ast.FuncDecl)
		switch {
		case !ok:
			vars = append(vars, d)
		case i == len(decls)-1:
			body = append(body, d)
		default:
			funcs = append(funcs, fn)
		}
	}
	return append(append([][]ast.Decl{vars}, callees(funcs)...), body)
}

// callees are functions in groups that call one another, each behind those that it
// calls (Tarjan, Depth-first search and linear graph algorithms, 1972).
func callees(funcs []*ast.FuncDecl) [][]ast.Decl {
	index := map[string]int{}
	for i, fn := range funcs {
		index[fn.Name.Name] = i
	}
	var out [][]ast.Decl
	seen := make([]int, len(funcs)) // when each was come to, from 1
	low := make([]int, len(funcs))  // the earliest that can be come to from it
	var stack []int
	inStack := make([]bool, len(funcs))
	count := 0
	var visit func(i int)
	visit = func(i int) {
		count++
		seen[i], low[i] = count, count
		stack, inStack[i] = append(stack, i), true
		ast.Inspect(funcs[i], func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				if j, ours := index[id.Name]; ours && seen[j] == 0 {
					visit(j)
					low[i] = min(low[i], low[j])
				} else if ours && inStack[j] {
					low[i] = min(low[i], seen[j])
				}
			}
			return true
		})
		if low[i] != seen[i] {
			return
		}
		var group []ast.Decl
		for {
			j := stack[len(stack)-1]
			stack, inStack[j] = stack[:len(stack)-1], false
			group = append(group, funcs[j])
			if j == i {
				break
			}
		}
		out = append(out, group)
	}
	for i := range funcs {
		if seen[i] == 0 {
			visit(i)
		}
	}
	return out
}
