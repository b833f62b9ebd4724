// Package baseline holds the attacks that the paper compares with and the ones
// that came after it: one file each, one registry, one shared test table.
//
// Every attack is an options struct. Its zero value is the setting of its
// authors; a field left zero takes the value of the named Preset, if one is
// named, and else the authors'. Every attack can be targeted or untargeted,
// asks the classifier through one helper that counts passes and keeps the best
// adversarial image it was shown, obeys its context within one pass, and draws
// random numbers only from streams derived from its Seed.
//
// Images are in [0,1], channels first; N = C*H*W entries, P = H*W pixels. A
// step of an attack is one forward and backward pass of one image, counted
// once as a forward and once as a gradient.
package baseline
