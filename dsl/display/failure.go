package display

// Failure is what a verb panics with when it cannot do what it was asked: a
// request that was wrong, a file that is not there, an interrupt. A session
// shows it as one line beside the cell's own, without a stack of compiled code;
// a compiled program prints it and ends.
type Failure struct {
	// Verb is the word of the vocabulary that failed: "LoadModel".
	Verb string
	// Err says what was wrong.
	Err error
}

func (f *Failure) Error() string { return f.Verb + ": " + f.Err.Error() }

func (f *Failure) Unwrap() error { return f.Err }
