// Package licences holds the licences of the modules that the program is linked
// from, as they ask of whoever hands it on.
package licences

import _ "embed"

//go:generate go run ./make

// Text is the notice: every module with its version and its licence's text.
//
//go:embed NOTICE
var Text string
