package attack

import "sapf/models"

// Evaluators are a classifier's evaluators, made when first asked for and kept.
type Evaluators struct {
	m    Classifier
	made map[evaluatorKey]models.Evaluator
	keys []evaluatorKey // in order of creation, so that closing is too
}

type evaluatorKey struct {
	batch int
	loss  string
}

// EvaluatorsOf starts with none.
func EvaluatorsOf(m Classifier) *Evaluators {
	return &Evaluators{m: m, made: map[evaluatorKey]models.Evaluator{}}
}

// Of returns the evaluator of a loss at a batch size.
func (e *Evaluators) Of(batch int, loss models.Loss) (models.Evaluator, error) {
	key := evaluatorKey{batch, loss.String()}
	if made, ok := e.made[key]; ok {
		return made, nil
	}
	made, err := e.m.Evaluator(batch, loss)
	if err != nil {
		return nil, err
	}
	e.made[key] = made
	e.keys = append(e.keys, key)
	return made, nil
}

// Any returns the first evaluator made of a batch size, whatever its loss, for
// forward passes; that of the given loss if there is none.
func (e *Evaluators) Any(batch int, otherwise models.Loss) (models.Evaluator, error) {
	for _, k := range e.keys {
		if k.batch == batch {
			return e.made[k], nil
		}
	}
	return e.Of(batch, otherwise)
}

// forwardEntries bounds the entries of the images of a forward pass, whose buffers
// grow with them: 256 images of CIFAR-10, 5 at 224x224.
const forwardEntries = 256 * 3 * 32 * 32

// ForwardBatch is how many of some images of n entries each share a forward pass.
func ForwardBatch(images, n int) int { return min(images, max(1, forwardEntries/n)) }

// Close gives the evaluators' buffers back.
func (e *Evaluators) Close() {
	for _, k := range e.keys {
		e.made[k].Close()
	}
}
