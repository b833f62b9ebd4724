package engine

import "math/rand/v2"

// The networks of the measurements, with random weights.

// same is the padding that keeps the size at stride 1.
func same(k int) Padding { return Padding{k / 2, k / 2, k / 2, k / 2} }

// resNet20 is He et al.'s CIFAR-10 network of 20 layers with shortcut A.
func resNet20(r *rand.Rand) *Net {
	b := newBuilder(r, "resnet20", Shape{3, 32, 32})
	v := b.relu(b.norm(b.conv(Input, 16, 3, 1, 1, same(3))))
	for stage, width := range []int{16, 32, 64} {
		for block := range 3 {
			stride, short := 1, v
			if stage > 0 && block == 0 {
				stride = 2
				short = b.add(&PadChannels{width / 4, width / 4}, b.add(&Slice{StrideH: 2, StrideW: 2}, v))
			}
			u := b.relu(b.norm(b.conv(v, width, 3, stride, 1, same(3))))
			u = b.norm(b.conv(u, width, 3, 1, 1, same(3)))
			v = b.relu(b.add(&Add{}, u, short))
		}
	}
	b.dense(b.add(&GlobalAvgPool{}, v), 10)
	return b.n
}

// mobileNetV2 is Sandler et al.'s network at width 1 for 224x224 images.
func mobileNetV2(r *rand.Rand) *Net {
	b := newBuilder(r, "mobilenetv2", Shape{3, 224, 224})
	relu6 := func(v int) int { return b.add(&Activation{Func: ReLU6}, v) }
	v := relu6(b.norm(b.conv(Input, 32, 3, 2, 1, same(3))))
	for _, s := range []struct{ expand, out, n, stride int }{
		{1, 16, 1, 1}, {6, 24, 2, 2}, {6, 32, 3, 2}, {6, 64, 4, 2}, {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}} {
		for i := range s.n {
			stride, in, u := 1, b.shape(v).C, v
			if i == 0 {
				stride = s.stride
			}
			if s.expand > 1 {
				u = relu6(b.norm(b.conv(u, in*s.expand, 1, 1, 1, Padding{})))
			}
			u = relu6(b.norm(b.conv(u, in*s.expand, 3, stride, in*s.expand, same(3))))
			u = b.norm(b.conv(u, s.out, 1, 1, 1, Padding{}))
			if stride == 1 && in == s.out {
				u = b.add(&Add{}, u, v)
			}
			v = u
		}
	}
	v = relu6(b.norm(b.conv(v, 1280, 1, 1, 1, Padding{})))
	b.dense(b.add(&GlobalAvgPool{}, v), 1000)
	return b.n
}

// inceptionV3 is Szegedy et al.'s network for 299x299 images, as torchvision
// builds it, without the auxiliary classifier.
func inceptionV3(r *rand.Rand) *Net {
	b := newBuilder(r, "inceptionv3", Shape{3, 299, 299})
	cv := func(v, out, kh, kw, stride int, pad Padding) int {
		c := conv(r, b.shape(v).C, out, 1, kh, kw, stride, stride, 1, 1, pad)
		c.B = nil
		scaled(r, c.W, c.In*kh*kw)
		return b.relu(b.norm(b.add(c, v)))
	}
	sq := func(v, out, k int) int { return cv(v, out, k, k, 1, same(k)) }
	avg := func(v int) int { return b.add(&AvgPool{3, 3, 1, 1, same(3), false, true}, v) }
	max3 := func(v int) int { return b.add(&MaxPool{3, 3, 2, 2, Padding{}, false}, v) }
	row := func(v, out int) int { return cv(v, out, 1, 7, 1, Padding{0, 3, 0, 3}) }
	col := func(v, out int) int { return cv(v, out, 7, 1, 1, Padding{3, 0, 3, 0}) }
	v := cv(Input, 32, 3, 3, 2, Padding{})
	v = cv(v, 32, 3, 3, 1, Padding{})
	v = max3(sq(v, 64, 3))
	v = sq(v, 80, 1)
	v = max3(cv(v, 192, 3, 3, 1, Padding{}))
	for _, pool := range []int{32, 64, 64} {
		b5 := sq(sq(v, 48, 1), 64, 5)
		b3 := sq(sq(sq(v, 64, 1), 96, 3), 96, 3)
		v = b.add(&Concat{}, sq(v, 64, 1), b5, b3, sq(avg(v), pool, 1))
	}
	b3 := cv(sq(sq(v, 64, 1), 96, 3), 96, 3, 3, 2, Padding{})
	v = b.add(&Concat{}, cv(v, 384, 3, 3, 2, Padding{}), b3, max3(v))
	for _, c := range []int{128, 160, 160, 192} {
		b7 := col(row(sq(v, c, 1), c), 192)
		bd := row(col(row(col(sq(v, c, 1), c), c), c), 192)
		v = b.add(&Concat{}, sq(v, 192, 1), b7, bd, sq(avg(v), 192, 1))
	}
	b3 = cv(sq(v, 192, 1), 320, 3, 3, 2, Padding{})
	b7 := cv(col(row(sq(v, 192, 1), 192), 192), 192, 3, 3, 2, Padding{})
	v = b.add(&Concat{}, b3, b7, max3(v))
	for range 2 {
		h := func(v int) int { return cv(v, 384, 1, 3, 1, Padding{0, 1, 0, 1}) }
		w := func(v int) int { return cv(v, 384, 3, 1, 1, Padding{1, 0, 1, 0}) }
		b3 := sq(v, 384, 1)
		bd := sq(sq(v, 448, 1), 384, 3)
		v = b.add(&Concat{}, sq(v, 320, 1), b.add(&Concat{}, h(b3), w(b3)), b.add(&Concat{}, h(bd), w(bd)), sq(avg(v), 192, 1))
	}
	b.dense(b.add(&GlobalAvgPool{}, v), 1000)
	return b.n
}
