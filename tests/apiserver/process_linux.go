package main

import "syscall"

// childAttributes puts a child into a process group of its own, so that the
// terminal's Ctrl-C reaches this program only, and has the kernel kill it when
// this program ends.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
