package engine

import "fmt"

// Kind and OutShape of the operations that join or move values.

// broadcast returns the largest of shapes that are equal or C x 1 x 1.
func broadcast(in []Shape) (Shape, error) {
	if len(in) < 2 {
		return Shape{}, fmt.Errorf("want at least 2 inputs, got %d", len(in))
	}
	out := in[0]
	for _, s := range in[1:] {
		if s.H*s.W > out.H*out.W {
			out = s
		}
	}
	for _, s := range in {
		if s != out && s != (Shape{out.C, 1, 1}) {
			return Shape{}, fmt.Errorf("inputs %v and %v do not fit together", out, s)
		}
	}
	return out, nil
}

// Kind is "Add".
func (*Add) Kind() string { return "Add" }

// OutShape is the inputs' common shape.
func (*Add) OutShape(in []Shape) (Shape, error) { return broadcast(in) }

// Kind is "Mul".
func (*Mul) Kind() string { return "Mul" }

// OutShape is the inputs' common shape.
func (*Mul) OutShape(in []Shape) (Shape, error) {
	if len(in) != 2 {
		return Shape{}, fmt.Errorf("want 2 inputs, got %d", len(in))
	}
	return broadcast(in)
}

// Kind is "Concat".
func (*Concat) Kind() string { return "Concat" }

// OutShape has the sum of the inputs' channels.
func (*Concat) OutShape(in []Shape) (Shape, error) {
	if len(in) < 1 {
		return Shape{}, fmt.Errorf("want at least 1 input, got none")
	}
	out := in[0]
	for _, s := range in[1:] {
		if s.H != out.H || s.W != out.W {
			return Shape{}, fmt.Errorf("inputs %v and %v differ in rows or columns", in[0], s)
		}
		out.C += s.C
	}
	return out, nil
}

// Kind is "Flatten".
func (*Flatten) Kind() string { return "Flatten" }

// OutShape is C*H*W x 1 x 1.
func (*Flatten) OutShape(in []Shape) (Shape, error) {
	s, err := one(in)
	return Shape{s.Len(), 1, 1}, err
}

// Kind is "Pad2D".
func (p *Pad2D) Kind() string { return "Pad2D" }

// OutShape is the input's with its padding.
func (p *Pad2D) OutShape(in []Shape) (Shape, error) {
	s, err := one(in)
	if err != nil {
		return s, err
	}
	if err := p.Pad.check(); err != nil {
		return Shape{}, err
	}
	return Shape{s.C, s.H + p.Pad.Top + p.Pad.Bottom, s.W + p.Pad.Left + p.Pad.Right}, nil
}

// Kind is "Slice".
func (*Slice) Kind() string { return "Slice" }

// channels resolves C1 = 0.
func (s *Slice) channels(in Shape) (c0, c1 int) {
	if s.C1 == 0 {
		return s.C0, in.C
	}
	return s.C0, s.C1
}

// OutShape is the selected part's.
func (s *Slice) OutShape(in []Shape) (Shape, error) {
	x, err := one(in)
	if err != nil {
		return x, err
	}
	c0, c1 := s.channels(x)
	if c0 < 0 || c1 > x.C || c0 >= c1 {
		return Shape{}, fmt.Errorf("channels [%d, %d) of input %v", c0, c1, x)
	}
	if s.StrideH < 1 || s.StrideW < 1 {
		return Shape{}, fmt.Errorf("stride %dx%d: each must be at least 1", s.StrideH, s.StrideW)
	}
	return Shape{c1 - c0, (x.H-1)/s.StrideH + 1, (x.W-1)/s.StrideW + 1}, nil
}

// Kind is "PadChannels".
func (*PadChannels) Kind() string { return "PadChannels" }

// OutShape has Before+After more channels.
func (p *PadChannels) OutShape(in []Shape) (Shape, error) {
	s, err := one(in)
	if err == nil && (p.Before < 0 || p.After < 0) {
		err = fmt.Errorf("%d channels before and %d after: must not be negative", p.Before, p.After)
	}
	return Shape{p.Before + s.C + p.After, s.H, s.W}, err
}

// Kind is "ChannelShuffle".
func (*ChannelShuffle) Kind() string { return "ChannelShuffle" }

// OutShape is the input's.
func (c *ChannelShuffle) OutShape(in []Shape) (Shape, error) {
	s, err := one(in)
	if err == nil && (c.Groups < 1 || s.C%c.Groups != 0) {
		err = fmt.Errorf("%d channels do not divide into %d groups", s.C, c.Groups)
	}
	return s, err
}

// Kind is "Softmax".
func (*Softmax) Kind() string { return "Softmax" }

// OutShape is the input's, which must be a vector.
func (*Softmax) OutShape(in []Shape) (Shape, error) {
	s, err := one(in)
	if err == nil && (s.H != 1 || s.W != 1) {
		err = fmt.Errorf("input %v is not a vector (C x 1 x 1)", s)
	}
	return s, err
}
