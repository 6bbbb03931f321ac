//go:build !unix

package app

func notOwner(string) string { return "" }

func permissions(string) string { return "" }
