// Package sapf is sparse adversarial attack via perturbation factorization
// (Fan et al., ECCV 2020): the perturbation is delta*G, magnitudes times a
// binary selection with k ones, found by gradient steps on delta and lp-box
// ADMM on G.
package sapf
