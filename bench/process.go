package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// startTime is how long a process may take to answer /_ping.
const startTime = 10 * time.Second

// A process serves on a unix socket. Without a cmd it is one that was there
// before.
type process struct {
	cmd    *exec.Cmd
	socket string
	ended  chan struct{}
}

// start runs a command and waits until it answers on socket. What it logs goes to
// /dev/null, which costs every contender the same.
func start(socket string, env []string, command ...string) (*process, error) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	cmd := exec.Command(command[0], command[1:]...)
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
		return nil, fmt.Errorf("%s: %w", strings.Join(command, " "), err)
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
		if ping(p.socket) == nil {
			return nil
		}
	}
	return errors.New("it does not answer GET /_ping")
}

func ping(socket string) error {
	c, err := dialClient(socket)
	if err != nil {
		return err
	}
	defer c.Close()
	return c.get("/_ping")
}

// stop kills the process and waits until it has ended.
func (p *process) stop() {
	if p.cmd == nil {
		return
	}
	p.cmd.Process.Kill()
	<-p.ended
	os.Remove(p.socket)
}

// peakRSS is the most memory that the process has had since its start, in bytes.
// Mapped code counts too.
func (p *process) peakRSS() (int64, error) { return p.status("VmHWM:") }

// currentRSS is the memory that the process has now, in bytes.
func (p *process) currentRSS() (int64, error) { return p.status("VmRSS:") }

// status reads one field of /proc/PID/status, which is in kB.
func (p *process) status(field string) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, found := bytes.Cut(text, []byte("\n"+field))
	line, _, _ := bytes.Cut(rest, []byte(" kB"))
	kb, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 10, 64)
	if !found || err != nil {
		return 0, fmt.Errorf("no %s in /proc/%d/status", field, p.cmd.Process.Pid)
	}
	return kb << 10, nil
}

// cpuSeconds is how long the threads of the process have run. It reads schedstat,
// because /proc/PID/stat counts in ticks of 10 ms.
func (p *process) cpuSeconds() (sum float64) {
	if p.cmd == nil {
		return 0
	}
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.cmd.Process.Pid))
	if err != nil {
		panic(err) // the pattern is a constant
	}
	for _, t := range threads {
		text, err := os.ReadFile(t)
		if err != nil {
			continue // the thread has ended
		}
		var nanoseconds float64
		fmt.Sscan(string(text), &nanoseconds)
		sum += nanoseconds / 1e9
	}
	return sum
}
