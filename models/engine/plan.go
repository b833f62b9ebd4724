package engine

// plan is a network turned into steps for one family.
type plan struct {
	kernels *kernelSet
	profile Profile
	tensors []*tensor
	// weights is where the packed weights come from.
	weights slab
	net     *lowered
	forward []maker
	// backward computes the gradient with respect to the images.
	backward []maker
	// scratch is what a worker needs for layers that run on the reference.
	scratch refSize
	// attention is what a worker needs for a group of attention.
	attention attentionSize
	// taps is the largest number of taps of a max pool.
	taps int
}

func newPlan(n *Net, shapes []Shape, p Profile, ks *kernelSet) *plan {
	pl := &plan{kernels: ks, profile: p, net: lower(n, shapes)}
	l := pl.net
	l.input.t, l.input.g = pl.inputTensor(l.input.shape), pl.inputTensor(l.input.shape)
	for _, ly := range l.layers {
		ly.out.t, ly.out.g = pl.tensor(ly.out.shape), pl.tensor(ly.out.shape)
		for _, v := range ly.in {
			v.writers++
		}
		if ly.residual != nil {
			ly.residual.writers++
		}
	}
	for _, ly := range l.layers {
		clampAfterPool(ly, l.output)
	}
	for _, ly := range l.layers {
		switch op := ly.op.(type) {
		case *Conv:
			pl.convHalo(op, ly)
		case *MaxPool:
			op.needs(ly.in[0].t, ly.out.g)
			ly.index = pl.tensor(ly.out.shape)
		}
	}
	for _, ly := range l.layers {
		if ly.index != nil {
			ly.index.halo = ly.out.g.halo
		}
	}
	for _, t := range pl.tensors {
		t.layOut()
	}
	pl.forward = append(pl.forward, &importStep{t: l.input.t, scale: l.scale, shift: l.shift})
	for _, ly := range l.layers {
		ly.forward = len(pl.forward)
		pl.forwardLayer(ly)
	}
	pl.forward = append(pl.forward, &exportStep{t: l.output.t, logits: true})

	pl.backward = append(pl.backward, &importStep{t: l.output.g, logits: true})
	l.output.pending = l.output.g
	pl.finish(l.output)
	for i := len(l.layers) - 1; i >= 0; i-- {
		pl.backwardLayer(l.layers[i])
	}
	pl.settle(l.input)
	pl.backward = append(pl.backward, &exportStep{t: l.input.pending, scale: l.scale})
	return pl
}

// clampAfterPool moves the mask of an activation behind the max pool that alone
// reads it, where there are fewer numbers: a window's largest entry is clamped
// if and only if its output is.
func clampAfterPool(ly *layer, output *value) {
	v := ly.in[0]
	if _, ok := ly.op.(*MaxPool); ok && v.writers == 1 && v != output && v.producer != nil && v.producer.act {
		ly.act, ly.hi = true, v.producer.hi
		v.masked = true
	}
}

// tensor adds a tensor with whole vectors of channels.
func (pl *plan) tensor(s Shape) *tensor {
	t := &tensor{Shape: s, id: len(pl.tensors), cs: roundUp(s.C, pl.kernels.lanes)}
	pl.tensors = append(pl.tensors, t)
	return t
}

// thin is the largest number of channels up to which images are not padded to whole
// vectors: a tap of the first layer is then all its channels of a row.
const thin = 4

// inputTensor adds a tensor for images.
func (pl *plan) inputTensor(s Shape) *tensor {
	t := pl.tensor(s)
	if s.C <= thin {
		t.cs, t.thin = s.C, true
	}
	return t
}

// whole reports that every pixel is whole vectors, as the kernels write them.
func (t *tensor) whole() bool { return !t.thin }

func (pl *plan) forwardLayer(ly *layer) {
	x, y := ly.in[0].t, ly.out.t
	add := func(s maker) { pl.forward = append(pl.forward, s) }
	switch op := ly.op.(type) {
	case *Conv:
		add(pl.convForward(op, ly))
		return
	case *Dense:
		add(pl.denseForward(op, ly))
		return
	case *MaxPool:
		if x.whole() {
			pl.taps = max(pl.taps, op.KernelH*op.KernelW)
			add(&maxForwardStep{w: op.window(), x: x, y: y, index: ly.index})
			return
		}
	case *GlobalAvgPool:
		if x.whole() {
			// One window, each channel by itself.
			c := depthwise(x.C, x.H, x.W, 1/float64(x.H*x.W))
			add(pl.convForward(c, ly))
			return
		}
	case *Add:
		if s := pl.sum(ly); s != nil {
			add(s)
			return
		}
	case *identity:
		if x.cs == y.cs {
			add(&addStep{y: y, a: x, act: ly.act, hi: ly.hi})
			return
		}
	case *Activation:
		add(&actStep{f: op, x: x, y: y})
		return
	case *layerNorm:
		add(pl.normStep(op, ly))
		return
	case *attention:
		add(pl.attentionForward(op, ly))
		return
	case *gather:
		add(pl.gatherForward(op, ly))
		return
	case *addConst:
		add(&constStep{y: y, x: x, c: pl.constant(op.c, y)})
		return
	case *Mul:
		if s := pl.mul(ly); s != nil {
			add(s)
			return
		}
	default:
		if ms := moves(ly); ms != nil {
			pl.moveForward(ly, ms)
			return
		}
	}
	add(pl.refForward(ly))
}

// sum is the addition of two values of one shape, or nil.
func (pl *plan) sum(ly *layer) maker {
	a, y := ly.in[0].t, ly.out.t
	if len(ly.in) != 2 || ly.in[0].shape != ly.in[1].shape || a.cs != y.cs || ly.in[1].t.cs != y.cs {
		return nil
	}
	return &addStep{y: y, a: a, b: ly.in[1].t, act: ly.act, hi: ly.hi}
}

// backwardLayer adds the steps that carry the gradient of a layer's output,
// complete by now, to its inputs.
func (pl *plan) backwardLayer(ly *layer) {
	pl.settle(ly.out)
	if ly.residual != nil {
		pl.alias(ly.residual, ly.out.pending)
	}
	x, dy := ly.in[0].t, ly.out.pending
	add := func(s maker) { pl.backward = append(pl.backward, s) }
	ly.backward = len(pl.backward)
	switch op := ly.op.(type) {
	case *Conv:
		pl.convBackward(op, ly)
		return
	case *Dense:
		pl.denseBackward(op, ly)
		return
	case *MaxPool:
		if x.whole() {
			pl.maxBackward(op.window(), ly)
			return
		}
	case *GlobalAvgPool:
		if x.whole() {
			to := pl.contribute(ly.in[0])
			add(&spreadStep{dy: dy, y: to.y, add: to.add, mask: to.mask, hi: to.hi, scale: float32(1 / float64(x.H*x.W))})
			return
		}
	case *Add:
		if pl.sum(ly) != nil {
			for _, v := range ly.in {
				pl.alias(v, dy)
			}
			return
		}
	case *identity:
		if x.cs == ly.out.t.cs {
			pl.alias(ly.in[0], dy)
			return
		}
	case *Activation:
		to := pl.contribute(ly.in[0])
		add(&actStep{f: op, x: x, y: to.y, dy: dy, add: to.add, mask: to.mask, hi: to.hi})
		return
	case *layerNorm:
		s := pl.normStep(op, ly)
		to := pl.contribute(ly.in[0])
		s.dy, s.y, s.add, s.mask, s.hi = dy, to.y, to.add, to.mask, to.hi
		add(s)
		return
	case *attention:
		pl.attentionBackward(op, ly)
		return
	case *gather:
		pl.gatherBackward(op, ly)
		return
	case *addConst:
		pl.alias(ly.in[0], dy)
		return
	case *Mul:
		if pl.mul(ly) != nil {
			pl.mulBackward(ly)
			return
		}
	default:
		if ms := moves(ly); ms != nil {
			pl.moveBackward(ly, ms)
			return
		}
	}
	pl.refBackward(ly)
}

// contribution is where and how a layer writes a gradient.
type contribution struct {
	// y is written: add + the contribution, where mask is in its range.
	y, add, mask *tensor
	hi           float32
}

// contribute registers one layer's writing to the gradient of v, by a kernel
// that can add and mask.
func (pl *plan) contribute(v *value) contribution {
	c := contribution{y: v.g, add: v.pending}
	v.pending = v.g
	v.writers--
	if v.writers == 0 && v.producer != nil && v.producer.act && !v.masked {
		c.mask, c.hi = v.t, v.producer.hi
	}
	return c
}

// alias adds the tensor g, as it is, to the gradient of v.
func (pl *plan) alias(v *value, g *tensor) {
	v.writers--
	if v.pending == nil {
		v.pending = g
	} else {
		pl.backward = append(pl.backward, &addStep{y: v.g, a: v.pending, b: g})
		v.pending = v.g
	}
	if v.writers == 0 {
		pl.finish(v)
	}
}

// finish masks a complete gradient that no kernel has masked.
func (pl *plan) finish(v *value) {
	if v.producer != nil && v.producer.act {
		pl.backward = append(pl.backward, &addStep{y: v.g, a: v.pending, mask: v.t, hi: v.producer.hi})
		v.pending = v.g
	}
}

// settle makes sure that a gradient is there, and in a tensor with the halo
// that its own layer needs.
func (pl *plan) settle(v *value) {
	if v.pending == nil {
		v.pending, v.g.zero = v.g, true // zero from the beginning, and never written
	}
	if v.pending == v.g || v.pending.halo == v.g.halo && v.pending.Shape == v.g.Shape {
		return
	}
	pl.backward = append(pl.backward, &addStep{y: v.g, a: v.pending})
	v.pending = v.g
}
