package dsl

import "sync/atomic"

// stopped is what the last verb that was interrupted had.
var stopped atomic.Pointer[Outcomes]

// Stopped returns what the last Attack or AttackAll that was interrupted had by
// then: the best image so far of an attack, the attacks of many that were over.
// The interrupted cell itself assigns nothing any more.
//
//	r := Stopped()[0]
func Stopped() Outcomes {
	if of := stopped.Load(); of != nil {
		return *of
	}
	return nil
}
