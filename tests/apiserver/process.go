package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"
)

// process is one of the servers, running as a child of this program.
type process struct {
	name string
	log  string
	cmd  *exec.Cmd

	ending atomic.Bool   // somebody here asked it to end
	done   chan struct{} // closed when it has ended
}

// startProcess runs this program again as the server called name. The child's
// output is appended to DIR/<name>.log, and the child holds lock open. If it
// ends without being asked to, failed is called.
//
// It must be called on the main thread: on Linux a child started with a
// parent-death signal gets it when the thread that started it ends.
func startProcess(dir, name string, args []string, lock *os.File, failed func(*process, error)) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	logPath := filepath.Join(dir, name+".log")
	logFile, err := os.OpenFile(logPath, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer logFile.Close()

	p := &process{name: name, log: logPath, done: make(chan struct{})}
	p.cmd = exec.Command(self, append([]string{name}, args...)...)
	p.cmd.Stdout = logFile
	p.cmd.Stderr = logFile
	p.cmd.ExtraFiles = []*os.File{lock}
	p.cmd.SysProcAttr = childAttributes()
	// Never written to: the child sees its end when this process is gone.
	if _, err := p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		err := p.cmd.Wait()
		close(p.done)
		if !p.ending.Load() {
			failed(p, err)
		}
	}()
	return p, nil
}

// stop ends the process and waits until it is gone: politely at first, after
// grace with force. A grace of zero means force at once. A nil process, or one
// that has already ended, is fine.
func (p *process) stop(grace time.Duration) {
	if p == nil {
		return
	}
	p.ending.Store(true)
	if grace > 0 {
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-p.done:
			return
		case <-time.After(grace):
		}
	}
	_ = p.cmd.Process.Kill()
	<-p.done
}
