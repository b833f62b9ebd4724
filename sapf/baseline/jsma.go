package baseline

import (
	"context"

	"sapf/models"
	"sapf/models/data"
	"sapf/sapf/attack"
)

// JSMA is the saliency map attack of Papernot et al. (EuroS&P 2016, Algorithm
// 3; checked against cleverhans 3.1.0). In each iteration it takes the pair of
// entries p, q that most raises the target against the rest,
//
//	A = dZ_t/dx,  B = sum_{j != t} dZ_j/dx,
//	max_{p,q} -(A_p + A_q)*(B_p + B_q)  s.t.  A_p + A_q > 0 > B_p + B_q,
//
// and moves both by theta. Each entry moves once.
//
// The authors' form is targeted; untargeted, the target is the runner-up at the
// clean image.
//
//	paper        code         shape  range
//	X            o.x          N      [0,1]
//	X*           img          N      [0,1]
//	t            target       1      a class
//	F            z            one logit (or probability) a class
//	alpha        grads[0]     N      A of one entry, summed over the pair
//	beta         grads[1]     N      B of one entry, summed over the pair
//	Gamma        domain       N      the entries that may still move
//	theta        Theta        1      [-1,1], of full scale 1
//	max_iter     iterations   1      N*gamma/2, rounded down
//
// Differs: where no pair is admissible cleverhans goes on with entry 0 twice;
// here the search ends. With theta < 0 cleverhans raises entries that were to be
// lowered; here they are lowered.
type JSMA struct {
	// Preset is "" or "softmax".
	Preset string `option:"-"`
	// Theta is the step, of full scale 1; its sign says whether entries rise
	// or fall; 0 means 1.
	Theta float64 `def:"1" range:"[-1,1]"`
	// Gamma is the largest fraction of entries changed; 0 means 1.
	Gamma float64 `def:"1" range:"[0,1]"`
	// Outputs are differentiated: "logits" or "softmax" (JSMA-F); "" means
	// logits.
	Outputs string `oneof:"logits softmax"`
}

var _ attack.Attack = (*JSMA)(nil)

// Name is "jsma".
func (JSMA) Name() string { return "jsma" }

func (JSMA) Presets() map[string]attack.Attack {
	return map[string]attack.Attack{"softmax": JSMA{Outputs: "softmax"}}
}

// Run attacks one image.
func (a JSMA) Run(ctx context.Context, m attack.Classifier, x data.Image, goal attack.Goal) (attack.Result, error) {
	return run(ctx, m, x, goal, a, byL0, JSMA.search)
}

func (a JSMA) search(o *oracle) error {
	target := o.goal.Target
	if !o.goal.Targeted() {
		target = models.ArgmaxBut(o.clean, o.own)
	}
	up := a.Theta > 0
	img := append([]float64(nil), o.x...)
	domain := movable(img, up)
	z := append([]float64(nil), o.clean...)
	iterations := int(float64(o.n) * a.Gamma / 2)
	for i := range iterations {
		// The forward derivative, and the pair that stands out in it.
		_, grads, err := o.jacobian(img, a.rows(z, target))
		if err != nil {
			return err
		}
		p, q, ok := salientPair(grads[0], grads[1], domain, up)
		if !ok {
			o.note = "no admissible pair of entries was left"
			return nil
		}
		// Both entries move, for good.
		a.move(img, domain, p, q)
		fresh, err := o.logits(img)
		if err != nil {
			return err
		}
		copy(z, fresh)
		if o.consider(img, z) {
			return nil
		}
		o.report("pair", 1, 1, i+1, iterations, o.gap(z))
	}
	return nil
}

// movable marks the entries that can rise, or fall.
func movable(img []float64, up bool) []bool {
	domain := make([]bool, len(img))
	for i, v := range img {
		domain[i] = up && v < 1 || !up && v > 0
	}
	return domain
}

// move moves the pair by theta and takes it out of the domain.
func (a JSMA) move(img []float64, domain []bool, p, q int) {
	for _, j := range [2]int{p, q} {
		img[j] = pixel(img[j] + a.Theta)
		domain[j] = false
	}
}

// rows are the weights that pull back A and B at logits z.
func (a JSMA) rows(z []float64, target int) [][]float64 {
	own, rest := make([]float64, len(z)), make([]float64, len(z))
	for j := range z {
		if a.Outputs == "softmax" { // dP_t = P_t*(dZ_t - sum_j P_j dZ_j), and the rest is minus that
			own[j] = -probability(z, target) * probability(z, j)
			if j == target {
				own[j] += probability(z, target)
			}
			rest[j] = -own[j]
			continue
		}
		rest[j] = 1
		if j == target {
			own[j], rest[j] = 1, 0
		}
	}
	return [][]float64{own, rest}
}

// salientPair returns the admissible pair of the domain with the largest score,
// and whether there is one. down reverses the signs of what is admissible.
//
// With the domain in descending order of A, all pairs that p leads score at
// most 2*A_p times the largest -(B_p + B_q), so most of the N^2 pairs are never
// looked at.
func salientPair(alpha, beta []float64, domain []bool, up bool) (p, q int, ok bool) {
	direction := 1.0
	if !up {
		direction = -1
	}
	var members []int
	lowest := 0.0 // of B
	for _, i := range ascending(scaled(alpha, -direction)) {
		if domain[i] {
			members = append(members, i)
			lowest = min(lowest, float64(direction*beta[i]))
		}
	}
	best := 0.0
	for first, i := range members {
		ai, bi := float64(direction*alpha[i]), float64(direction*beta[i])
		if ai <= 0 || 2*ai*(-2*lowest) <= best {
			break
		}
		for _, j := range members[first+1:] {
			sumA, sumB := ai+float64(direction*alpha[j]), bi+float64(direction*beta[j])
			if sumA <= 0 || sumA*-(bi+lowest) <= best {
				break
			}
			if score := sumA * -sumB; sumB < 0 && score > best {
				best, p, q, ok = score, i, j, true
			}
		}
	}
	return p, q, ok
}
