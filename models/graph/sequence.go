package graph

import (
	"fmt"

	"gorgonia.org/gorgonia"
)

// sequence evaluates nodes of a gorgonia graph, each after those that it reads,
// on the goroutine that asks.
//
// gorgonia's TapeMachine does the same on another goroutine while the caller's
// thread is locked and waits: two changes of threads a run, which at batch 1 are
// a tenth of a step of cwnet.
type sequence struct {
	nodes  []*gorgonia.Node
	inputs [][]gorgonia.Value // of each node, refilled by every run
	reads  [][]int            // the numbers of the nodes they come from
	values []gorgonia.Value
	number map[*gorgonia.Node]int
}

// newSequence puts the nodes that the results depend on in order.
func newSequence(g *gorgonia.ExprGraph, results ...*gorgonia.Node) (*sequence, error) {
	s := &sequence{number: map[*gorgonia.Node]int{}}
	for _, n := range results {
		if err := s.add(g, n); err != nil {
			return nil, err
		}
	}
	s.values = make([]gorgonia.Value, len(s.nodes))
	return s, nil
}

func (s *sequence) add(g *gorgonia.ExprGraph, n *gorgonia.Node) error {
	if _, done := s.number[n]; done {
		return nil
	}
	var reads []int
	for children := g.From(n.ID()); children.Next(); {
		child, ok := children.Node().(*gorgonia.Node)
		if !ok {
			return fmt.Errorf("node %v reads a %T, expected a node", n, children.Node())
		}
		if err := s.add(g, child); err != nil {
			return err
		}
		reads = append(reads, s.number[child])
	}
	if len(reads) == 0 && n.Value() == nil {
		return fmt.Errorf("node %v has no value and nothing to compute it from", n)
	}
	s.number[n] = len(s.nodes)
	s.nodes = append(s.nodes, n)
	s.reads = append(s.reads, reads)
	s.inputs = append(s.inputs, make([]gorgonia.Value, len(reads)))
	return nil
}

// run computes all nodes anew.
func (s *sequence) run() error {
	for i, n := range s.nodes {
		if len(s.reads[i]) == 0 {
			s.values[i] = n.Value()
			continue
		}
		for j, k := range s.reads[i] {
			s.inputs[i][j] = s.values[k]
		}
		var err error
		if s.values[i], err = n.Op().Do(s.inputs[i]...); err != nil {
			return fmt.Errorf("%v: %w", n.Op(), err)
		}
	}
	return nil
}

// value is what the last run found for a node, float64s.
func (s *sequence) value(n *gorgonia.Node) []float64 {
	return s.values[s.number[n]].Data().([]float64)
}
