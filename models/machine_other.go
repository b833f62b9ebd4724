//go:build !linux && !darwin

package models

func processor() string { return "" }
