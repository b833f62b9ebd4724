package main

import "io"

func printReport(w io.Writer, out string, runs []run) error { return nil }
