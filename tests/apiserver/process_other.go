//go:build !linux

package main

import "syscall"

// childAttributes puts a child into a process group of its own, so that the
// terminal's Ctrl-C reaches this program only. When this program is killed the
// child learns it from the end of its standard input.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
