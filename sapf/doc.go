// Package sapf is sparse adversarial attack via perturbation factorization:
// Yanbo Fan, Baoyuan Wu, Tuanhui Li, Yong Zhang, Mingyang Li, Zhifeng Li and
// Yujiu Yang, "Sparse Adversarial Attack via Perturbation Factorization", ECCV
// 2020. The perturbation is a product, magnitudes times a binary selection:
//
//	min over delta, G   ||w*delta*G||^2 + lambda1 L(x + delta*G) + lambda2 sum_i ||G^(i)||
//	subject to          1'G = k,  G in {0,1}^N
//
// (* is entrywise; eq. 3, with the groups of eq. 16 and the weights of eq. 17.)
// The two are found in turn: delta by gradient steps, G by lp-box ADMM, which
// writes {0,1}^N as the box [0,1]^N cut by the sphere ||G - 1/2||^2 = N/4.
//
//	paper          here            shape  range and meaning
//	x              X               N      the image, channels first, [0,1]
//	delta (eps)    Delta           N      magnitudes, pixel units, 1.0 is full scale
//	G              G               M      selection, relaxed, then 0 or 1; M is N or H*W
//	w              W2 (squared)    N      visual sensitivity, [0,1]; 1 for plain SAPF
//	Y1, Y2         Y1, Y2          M      copies of G in the box and on the sphere
//	-              Y3              M      copy of G for the groups (program only)
//	Z1, Z2, z3     Z1, Z2, Z4      M, 1   multipliers (Z3 is that of the groups)
//	rho1..rho3     RhoBox, RhoSphere, RhoCard     penalties (RhoGroup: the groups)
//	lambda1        Lambda1                weight of the loss, found by Search
//	lambda2        Settings.Lambda2       weight of the group norms
//	k              Settings.K             ones in G
//
// Algorithm 1 is solver.solve; its steps are updateDelta (eq. 7), updateY1 (eq.
// 11), updateY2 (eq. 13), updateG (eq. 14), updateDuals (eq. 15), updateY3 and
// addGroupGradient (eq. 16) and Weights (eq. 17). A Factorization is the state
// of one image and can be stepped by hand; a Task whose Attack is
// Options or Settings runs the whole.
// Solver arithmetic is float64 whatever the network computes in, in a fixed
// order and without fused products, so that results are the same bytes on
// every machine, at any batch size and number of threads.
//
// # What the paper leaves open, and what its program does
//
// The authors' program (github.com/wubaoyuan/Sparse-Adversarial-Attack) and the
// paper differ. Every difference is an option; the presets "paper" and
// "reference" set all of them; "default", what Options{} means, is the reference
// with exactly k ones in G. Numbers in parentheses in the code are these
// rows.
//
//	 #  topic             paper                        reference                  option
//	 1  dual update       prints Z1 += rho1 (G-Z1)     Z1 += rho1 (G-Y1)          none: the print is a slip
//	 2  loss              cross entropy                hinge on logits            loss, confidence
//	 3  search stops      at the first success         after all rounds           stop_at_first_success
//	 4  lambda1 at first  1e-3 CIFAR, 1e-2 ImageNet    1e-3                       lambda1, lambda1_max, lambda1_growth, lambda1_stop
//	 5  outer iterations  up to 10                     1                          outer, outer_tolerance
//	 6  steps on G        2000 a stage                 one per ADMM iteration     delta_steps, mask_steps, mask_inner
//	 7  after the loop    -                            1000 delta steps           tune_steps
//	 8  1'G = k           claimed                      G > 1/2                    round
//	 9  penalties         max 20, 10, 100              max 20, 20, 0.01, group 100  rho_*, rho_*_max
//	10  growth of rho     "after each iteration"       each ADMM iteration        rho_growth_per, reset_rho
//	11  multipliers       -                            0 at each outer iteration  reset_duals
//	12  step size floor   none                         0.001                      step_min, reset_step
//	13  groups            gradient of the norms        splitting variable         group_mode
//	14  lambda2           0 (plain)                    1e-3 as published          lambda2
//	15  weights           population deviation         sample, +1e-4, min-max     weight, weight_stat, weight_scale, weight_floor
//	16  k counts          "pixels"                     entries of N               share
//	17  box               "by clipping"                clip before the network    none: as the program
//	18  l0                of the perturbation          entries of G               Result.Selected and Norms.L0
//	19  which success     -                            the last                   keep
//	20  target            not the label                not the prediction         Status Already
//	21  8 bits            -                            truncated, not checked     judge, EightBit, metric.Measure
//	22  normalisation     -                            mean 0.5                   part of the model
//	23  k per case        mean l0 of C&W (see Matched) 200                        k, Matched
//	24  superpixels       SLIC                         labels from 0 assumed      data.Superpixels, Settings.Groups
//	25  file formats      -                            -                          none
//
// As printed, the paper's penalties diverge: with rho_card growing to 100 the
// step on G is unstable along the all-ones direction once step size * rho_card
// * N passes 4/3, which on CIFAR-10 is near iteration 475. The preset "paper"
// therefore has the guard "cap" (Settings.Guard), which images of ImageNet's
// size need under both presets.
package sapf
