package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// startTime is how long a process may take to answer /_ping.
const startTime = 10 * time.Second

// A process serves on a unix socket.
type process struct {
	cmd    *exec.Cmd
	socket string
	ended  chan struct{}
}

// start runs a command and waits until it answers on socket. What it logs is
// thrown away, at the same cost for everybody.
func start(socket string, env []string, args ...string) (*process, error) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = null, null
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, socket: socket, ended: make(chan struct{})}
	go func() { cmd.Wait(); close(p.ended) }()
	if err := p.await(); err != nil {
		p.stop()
		return nil, fmt.Errorf("%s: %w", strings.Join(args, " "), err)
	}
	return p, nil
}

// await waits until the process answers.
func (p *process) await() error {
	for giveUp := time.Now().Add(startTime); time.Now().Before(giveUp); time.Sleep(5 * time.Millisecond) {
		select {
		case <-p.ended:
			return errors.New("it ended")
		default:
		}
		if request(p.socket, http.MethodGet, "/_ping") == nil {
			return nil
		}
	}
	return errors.New("it does not answer GET /_ping")
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// stop ends the process and waits for that.
func (p *process) stop() {
	if p.cmd == nil {
		return // the engine's own socket
	}
	p.cmd.Process.Kill()
	<-p.ended
	os.Remove(p.socket)
}
