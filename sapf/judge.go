package sapf

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"sapf/models"
	"sapf/models/data"
	"sapf/sapf/attack"
)

// lookAtCleanImages classifies the images themselves. One that satisfies its
// goal already needs no attack, and with k = 0 none is possible.
//
// Differs: the paper wants a target that is not the label; its program one that
// is not the prediction. Here the label is refused (Check) and the prediction
// ends as Already, at distance 0; of an image misclassified before the attack
// the result's Note says so (20; TestFailure09, TestFailure10).
func (s *solver) lookAtCleanImages() error {
	if s.Clean != nil {
		return nil
	}
	images := s.cleanImages()
	classes, logits, err := s.classify(s.Attempts, images)
	if err != nil {
		return err
	}
	s.Clean = slices.Clone(logits)
	for i, a := range s.Attempts {
		a.Clean, a.Last, a.LastMask = classes[i], images[i], make([]float32, len(a.F.X))
		if a.Status != "" { // its logits are not finite
			continue
		}
		switch {
		case a.F.Goal.Reached(a.Clean):
			a.Status, a.Best, a.BestMask = attack.Already, images[i], a.LastMask
			a.Note = fmt.Sprintf("the image itself is classified as %s", s.m.Classes()[a.Clean])
		case a.F.Settings.K == 0:
			a.Status, a.Note = attack.Failed, "k is 0: no entry may change"
		}
	}
	return nil
}

func (s *solver) cleanImages() []data.Image {
	images := make([]data.Image, len(s.Attempts))
	for i, a := range s.Attempts {
		images[i] = a.F.image(a.F.X)
	}
	return images
}

// judge classifies the candidate of each attempt, keeps it if it is the best
// success, and chooses the next lambda1.
func (s *solver) judge() error {
	going := s.goingOn()
	if len(going) == 0 { // all ended at a number that is not finite
		return nil
	}
	candidates := make([]data.Image, len(going))
	for i, a := range going {
		candidates[i] = a.F.Adversarial()
		if a.F.Settings.Judge == "8bit" {
			roundChanged(candidates[i], a.F.X)
		}
	}
	classes, logits, err := s.classify(going, candidates)
	if err != nil {
		return err
	}
	for i, a := range going {
		if a.Status == "" {
			each := len(logits) / len(going)
			if err := a.take(candidates[i], classes[i], logits[i*each:(i+1)*each]); err != nil {
				return err
			}
		}
	}
	return nil
}

// roundChanged rounds the entries of adv that differ from x to 8 bits. Those
// that do not differ stay, whether x came from a picture file or not.
//
// Differs: the program writes the image truncated to 8 bits and does not look
// whether it is still adversarial. Here the image is rounded to nearest and
// asked again: always when a result is measured (metric.Measure), and with
// Judge "8bit" within the search (21; TestRowsOfTheTable).
func roundChanged(adv data.Image, x []float64) {
	rounded := attack.EightBit(adv)
	for i, v := range adv.Pix {
		if v != float32(x[i]) {
			adv.Pix[i] = rounded.Pix[i]
		}
	}
}

// sure reports whether logits are beyond the boundary by the confidence asked
// for, as Carlini and Wagner count a success.
//
// Differs: the program has no confidence; its hinge has kappa = 0.
func (a *attempt) sure(logits []float64) bool {
	kappa := a.F.Settings.Confidence
	if kappa == 0 {
		return true // the prediction decides
	}
	class := a.F.Goal.Class()
	lead := logits[class] - logits[models.ArgmaxBut(logits, class)]
	if !a.F.Goal.Targeted() {
		lead = -lead
	}
	return lead >= kappa
}

// take books the candidate of a round.
func (a *attempt) take(candidate data.Image, class int, logits []float64) error {
	norms, err := attack.NormsOf(a.F.image(a.F.X), candidate)
	if err != nil {
		return err
	}
	r := Trial{Lambda1: a.F.Lambda1, Success: a.F.Goal.Reached(class) && a.sure(logits), Prediction: class, Selected: a.F.Selected(), Norms: norms}
	a.Trials = append(a.Trials, r)
	a.Last, a.LastMask = candidate, a.F.Mask()
	if r.Success && (a.BestMask == nil || r.better(a.Trials[a.BestTrial], a.F.Settings.Keep)) {
		a.Best, a.BestMask, a.BestTrial = candidate, a.LastMask, len(a.Trials)-1
	}
	a.Search.Next(r.Success, a.F.Settings)
	a.Search.Finished = a.Search.Finished || a.Stopped && r.Success
	if a.Search.Finished {
		a.Status = attack.Failed
		if a.BestMask != nil {
			a.Status = attack.Succeeded
		}
	}
	return nil
}

// better compares two successes by the rule of Settings.Keep. Of equal ones
// the later, with the smaller lambda1, is better.
//
// Differs: the paper does not say which success counts; its program keeps the
// last, which is the one with the smallest lambda1 (19;
// TestFailure11_KeepsTheBestSuccess).
func (r Trial) better(than Trial, keep string) bool {
	switch keep {
	case "smallest_l0":
		return r.L0 <= than.L0
	case "smallest_l1":
		return r.L1 <= than.L1
	case "smallest_l2":
		return r.L2 <= than.L2
	case "smallest_linf":
		return r.Linf <= than.Linf
	}
	return r.Lambda1 <= than.Lambda1
}

// classify returns the class of each image and the logits of all, asking the
// network once. The image is taken as float32, as it is returned. An attempt
// whose logits are not finite ends; its class is None.
func (s *solver) classify(attempts []*attempt, images []data.Image) (classes []int, logits []float64, err error) {
	p, err := s.pass(len(images))
	if err != nil {
		return nil, nil, err
	}
	p.placeImages(images)
	classes = make([]int, len(images))
	for {
		logits, err := p.forward()
		var numeric *models.NumericError
		switch {
		case errors.As(err, &numeric) && numeric.Example >= 0 && numeric.Example < len(images) && attempts[numeric.Example].Status == "":
			bad := numeric.Example
			attempts[bad].fail(err)
			for j := range p.point(bad) { // any image that does no harm
				p.point(bad)[j] = 0.5
			}
			continue
		case err != nil:
			return nil, nil, err
		}
		for i, a := range attempts {
			classes[i] = attack.None
			if a.Status == "" {
				a.Forwards++
				classes[i] = models.Argmax(logits[i*p.classes : (i+1)*p.classes])
			}
		}
		return classes, logits, nil
	}
}

// Detail is what SAPF tells of an attack besides attack.Result.
type Detail struct {
	// Mask is G of the image returned: length C*H*W, 0 or 1.
	Mask []float32
	// Search lists the values of lambda1 tried, and what came of each.
	Search []Trial
}

// Selection is the mask.
func (d *Detail) Selection() []float32 { return d.Mask }

// result is what the attempt has come to.
func (a *attempt) result(x data.Image) attack.Result {
	settings := a.F.Settings
	detail := &Detail{Mask: a.LastMask, Search: a.Trials}
	r := attack.Result{
		Method: methodName, Preset: settings.Preset, Goal: a.F.Goal, Status: a.Status, Note: a.Note,
		Prediction: a.Clean, K: settings.K, Unit: settings.unit(), Trials: len(a.Trials), Const: a.F.Lambda1,
		Forwards: a.Forwards, Gradients: a.Gradients, Options: settings.Map(),
		Adversarial: a.Last, Detail: detail,
	}
	if a.BestMask != nil {
		r.Success, r.Adversarial, detail.Mask = true, a.Best, a.BestMask
	}
	if len(a.Trials) > 0 {
		kept := a.Trials[len(a.Trials)-1]
		if r.Success {
			kept = a.Trials[a.BestTrial]
		}
		r.Const = kept.Lambda1
	}
	if r.Adversarial.Pix == nil {
		r.Adversarial = x.Clone()
	}
	r.Adversarial.Name, r.Adversarial.Label = x.Name+" adversarial", x.Label
	r.Selected = ones(detail.Mask[:len(a.F.G)])
	r.Note = a.describe(r.Note)
	return r
}

func ones(v []float32) int {
	n := 0
	for _, x := range v {
		if x > 0.5 {
			n++
		}
	}
	return n
}

// describe adds to the note how the search ended and whether the image was
// classified wrongly before the attack.
func (a *attempt) describe(note string) string {
	successes := 0
	for _, r := range a.Trials {
		if r.Success {
			successes++
		}
	}
	switch {
	case note != "":
	case a.Status == attack.Succeeded && successes == len(a.Trials):
		note = fmt.Sprintf("success with every lambda1 tried, the smallest %.3g", a.Trials[len(a.Trials)-1].Lambda1)
	case a.Status == attack.Succeeded:
		note = fmt.Sprintf("%d of %d values of lambda1 succeeded", successes, len(a.Trials))
	case a.Status == attack.Failed:
		largest := 0.0
		for _, r := range a.Trials {
			largest = math.Max(largest, r.Lambda1)
		}
		note = fmt.Sprintf("no success with lambda1 up to %.3g", largest)
	}
	if label := a.F.Goal.Label; label != attack.None && a.Status != attack.Already && a.Clean != label {
		note += "; the image was misclassified before the attack"
	}
	if a.Flat {
		note += "; " + attack.FlatNote
	}
	return note
}
