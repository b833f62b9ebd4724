package onnx

import (
	"fmt"

	"sapf/models/engine"
)

func (n *nodeProto) int(name string, otherwise int64) int64 {
	if a, ok := n.attrs[name]; ok {
		return a.i
	}
	return otherwise
}

func (n *nodeProto) float(name string, otherwise float64) float64 {
	if a, ok := n.attrs[name]; ok {
		return float64(a.f)
	}
	return otherwise
}

// intsOf reads a list that is an attribute in early opsets and an input later.
// It is nil where neither is there.
func (n *nodeProto) intsOf(name string, in []*operand, k int) ([]int64, error) {
	if a, ok := n.attrs[name]; ok {
		return a.ints, nil
	}
	if k >= len(in) || in[k] == nil {
		return nil, nil
	}
	if in[k].c == nil {
		return nil, fmt.Errorf("%s depends on the image", name)
	}
	return in[k].c.integers()
}

// axis normalises an axis of a value of the given rank.
func axis(a int64, rank int) (int, error) {
	if a < int64(-rank) || a >= int64(rank) {
		return 0, fmt.Errorf("axis %d of an array of %d axes, expected %d to %d", a, rank, -rank, rank-1)
	}
	if a < 0 {
		a += int64(rank)
	}
	return int(a), nil
}

// window is the kernel, stride, dilation and padding of Conv and the pools.
type window struct {
	kh, kw, sh, sw, dh, dw int
	pad                    engine.Padding
}

// maxWindow bounds kernels, strides, dilations and paddings.
const maxWindow = 1 << 12

// window reads the attributes of a node over an image of h x w. kernel is the
// weights' own, or nil.
func (n *nodeProto) window(h, w int, kernel []int) (window, error) {
	pair := func(name string, otherwise []int64) (a, b int, err error) {
		v := otherwise
		if attr, ok := n.attrs[name]; ok {
			v = attr.ints
		}
		if len(v) != 2 {
			return 0, 0, fmt.Errorf("%s %v, expected two numbers, rows and columns", name, v)
		}
		for _, x := range v {
			if x < 1 || x > maxWindow {
				return 0, 0, fmt.Errorf("%s %v, expected 1 to %d", name, v, maxWindow)
			}
		}
		return int(v[0]), int(v[1]), nil
	}
	var out window
	var shape []int64
	if kernel != nil {
		shape = []int64{int64(kernel[0]), int64(kernel[1])}
	}
	var err error
	if out.kh, out.kw, err = pair("kernel_shape", shape); err != nil {
		return out, err
	}
	if out.sh, out.sw, err = pair("strides", []int64{1, 1}); err != nil {
		return out, err
	}
	if out.dh, out.dw, err = pair("dilations", []int64{1, 1}); err != nil {
		return out, err
	}
	auto := n.attrs["auto_pad"].s
	switch auto {
	case "", "NOTSET":
		p := []int64{0, 0, 0, 0}
		if a, ok := n.attrs["pads"]; ok {
			p = a.ints
		}
		if len(p) != 4 {
			return out, fmt.Errorf("pads %v, expected four numbers", p)
		}
		for _, x := range p {
			if x < 0 || x > maxWindow {
				return out, fmt.Errorf("pads %v, expected 0 to %d", p, maxWindow)
			}
		}
		out.pad = engine.Padding{Top: int(p[0]), Left: int(p[1]), Bottom: int(p[2]), Right: int(p[3])}
	case "VALID":
	case "SAME_UPPER", "SAME_LOWER":
		out.pad.Top, out.pad.Bottom = same(h, out.kh, out.sh, out.dh, auto == "SAME_LOWER")
		out.pad.Left, out.pad.Right = same(w, out.kw, out.sw, out.dw, auto == "SAME_LOWER")
	default:
		return out, fmt.Errorf("auto_pad %q, expected NOTSET, VALID, SAME_UPPER or SAME_LOWER", auto)
	}
	return out, nil
}

// same is the padding with which n entries give ceil(n/stride) windows.
func same(n, kernel, stride, dilation int, lower bool) (before, after int) {
	total := max((n+stride-1)/stride*stride-stride+dilation*(kernel-1)+1-n, 0)
	before, after = total/2, total-total/2
	if lower {
		before, after = after, before
	}
	return before, after
}
