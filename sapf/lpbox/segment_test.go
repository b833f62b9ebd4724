package lpbox

import (
	"math"
	"math/rand/v2"
	"testing"
)

// segmentation is the paper's Table 1 problem on a grey image of side x side:
// unary terms of two normal grey levels, and a pull between 8-neighbours of
// like grey. The energy is constant + b'x + x'(D-W)x.
type segmentation struct {
	p        Problem
	constant float64
	weights  []Entry // each unordered pair once
}

func newSegmentation(image []float64, side int) segmentation {
	var s segmentation
	mean, variance := 0.0, 0.0
	for _, v := range image {
		mean += v / float64(len(image))
	}
	for _, v := range image {
		variance += (v - mean) * (v - mean) / float64(len(image))
	}
	const sigma = 0.1
	scale := math.Log(2*math.Pi)/2 + math.Log(sigma)
	for _, v := range image {
		u0 := math.Round((v-0.6)*(v-0.6)/(2*sigma*sigma) + scale)
		u1 := math.Round(-math.Log(2*math.Exp(-(v-0.2)*(v-0.2)/(2*sigma*sigma))+2.2e-16) + scale + math.Ln2)
		s.constant += u0
		s.p.B = append(s.p.B, u1-u0)
	}
	var entries []Entry
	for i := range image {
		y, x := i/side, i%side
		for _, d := range [4][2]int{{0, 1}, {1, -1}, {1, 0}, {1, 1}} {
			yy, xx := y+d[0], x+d[1]
			if yy >= side || xx < 0 || xx >= side {
				continue
			}
			j := yy*side + xx
			w := math.Round(3 * math.Exp(-(image[i]-image[j])*(image[i]-image[j])/math.Sqrt(variance)))
			s.weights = append(s.weights, Entry{i, j, w})
			entries = append(entries, Entry{i, i, w}, Entry{j, j, w}, Entry{i, j, -w}, Entry{j, i, -w})
		}
	}
	s.p.A, _ = NewSparse(len(image), len(image), entries)
	return s
}

// minimumCut is the exact least energy: all pairwise terms are submodular, so
// it is a minimum cut, found by shortest augmenting paths.
func (s segmentation) minimumCut() float64 {
	n := len(s.p.B)
	source, sink := n, n+1
	var to []int
	var room []float64
	edges := make([][]int, n+2)
	connect := func(a, b int, forward, backward float64) {
		edges[a], edges[b] = append(edges[a], len(to)), append(edges[b], len(to)+1)
		to, room = append(to, b, a), append(room, forward, backward)
	}
	base := s.constant
	for i, b := range s.p.B { // x_i = 1 on the source's side
		if b >= 0 {
			connect(i, sink, b, 0)
		} else {
			base += b
			connect(source, i, -b, 0)
		}
	}
	for _, w := range s.weights {
		connect(w.Row, w.Col, w.Value, w.Value)
	}
	flow := 0.0
	for {
		via := make([]int, n+2)
		for i := range via {
			via[i] = -1
		}
		queue := []int{source}
		for len(queue) > 0 && via[sink] < 0 {
			a := queue[0]
			queue = queue[1:]
			for _, e := range edges[a] {
				if b := to[e]; room[e] > 1e-9 && via[b] < 0 && b != source {
					via[b] = e
					queue = append(queue, b)
				}
			}
		}
		if via[sink] < 0 {
			return base + flow
		}
		least := math.Inf(1)
		for v := sink; v != source; v = to[via[v]^1] {
			least = min(least, room[via[v]])
		}
		for v := sink; v != source; v = to[via[v]^1] {
			room[via[v]] -= least
			room[via[v]^1] += least
		}
		flow += least
	}
}

// TestSegmentationReachesTheMinimumCut: discs of grey 0.2 on 0.6 with noise
// 0.08; the defaults reach the exact least energy to within 1 %.
func TestSegmentationReachesTheMinimumCut(t *testing.T) {
	const side = 20
	for seed := range uint64(4) {
		rng := rand.New(rand.NewPCG(seed, 5))
		image := make([]float64, side*side)
		for i := range image {
			y, x := float64(i/side)-9.5, float64(i%side)-9.5
			image[i] = 0.6
			if y*y+x*x < 36 {
				image[i] = 0.2
			}
			image[i] += 0.08 * rng.NormFloat64()
		}
		s := newSegmentation(image, side)
		o := Unconstrained()
		o.Start = randomStart(rng, len(image))
		got, err := Run(s.p, o)
		if err != nil {
			t.Fatal(err)
		}
		energy, exact := s.constant+got.Value, s.minimumCut()
		t.Logf("energy %.0f after %d iterations (%s), minimum cut %.0f", energy, got.Iterations, got.Reason, exact)
		if energy < exact-1e-6 {
			t.Fatalf("energy %.3f below the minimum cut %.3f: the cut is wrong", energy, exact)
		}
		if energy-exact > 0.01*math.Abs(exact) {
			t.Errorf("energy %.3f, minimum cut %.3f", energy, exact)
		}
	}
}

// TestClustering is the paper's Table 2 problem on three blobs of 20 points:
// a graph Laplacian for each cluster, each point in one cluster, each cluster
// with its third. It must be feasible, and no worse than the start: a random
// balanced assignment.
func TestClustering(t *testing.T) {
	const points, clusters = 60, 3
	for seed := range uint64(3) {
		rng := rand.New(rand.NewPCG(seed, 6))
		var at [points][2]float64
		for i := range at {
			c := i % clusters
			at[i] = [2]float64{3*math.Cos(2*float64(c)) + 0.5*rng.NormFloat64(), 3*math.Sin(2*float64(c)) + 0.5*rng.NormFloat64()}
		}
		var laplacian, rows []Entry
		for k := range clusters {
			for i := range points {
				for j := range i {
					d := (at[i][0]-at[j][0])*(at[i][0]-at[j][0]) + (at[i][1]-at[j][1])*(at[i][1]-at[j][1])
					w := math.Exp(-d)
					a, b := k*points+i, k*points+j
					laplacian = append(laplacian, Entry{a, a, w}, Entry{b, b, w}, Entry{a, b, -w}, Entry{b, a, -w})
				}
				rows = append(rows, Entry{i, k*points + i, 1}, Entry{points + k, k*points + i, 1})
			}
		}
		p := Problem{B: make([]float64, points*clusters)}
		p.A, _ = NewSparse(points*clusters, points*clusters, laplacian)
		p.C, _ = NewSparse(points+clusters, points*clusters, rows)
		for range points {
			p.D = append(p.D, 1)
		}
		for range clusters {
			p.D = append(p.D, points/clusters)
		}
		start := make([]float64, points*clusters)
		for i, point := range rng.Perm(points) {
			start[i%clusters*points+point] = 1
		}
		o := Constrained()
		o.Start = start
		s, err := Run(p, o)
		if err != nil {
			t.Fatal(err)
		}
		truth := make([]float64, points*clusters)
		for i := range points {
			truth[i%clusters*points+i] = 1
		}
		t.Logf("start %.3f, found %.3f (feasible %v, %d iterations), the blobs %.3f", p.Value(start), s.Value, s.Feasible, s.Iterations, p.Value(truth))
		if !s.Feasible || s.Value > p.Value(start) || s.Value > 1.05*p.Value(truth) {
			t.Errorf("feasible %v, value %.3f; start %.3f, blobs %.3f", s.Feasible, s.Value, p.Value(start), p.Value(truth))
		}
	}
}
