package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// A machine is what a report was made on.
type machine struct {
	CPU    string `json:"cpu"`
	CPUs   int    `json:"cpus"`
	Memory int64  `json:"memory"`
	Kernel string `json:"kernel"`
	Go     string `json:"go"`
	Commit string `json:"commit"`
	Date   string `json:"date"`
}

func describeMachine() machine {
	m := machine{CPUs: runtime.NumCPU(), Go: runtime.Version(), Date: time.Now().UTC().Format(time.DateOnly)}
	m.CPU = procField("/proc/cpuinfo", "model name")
	m.Kernel = "Linux " + procField("/proc/sys/kernel/osrelease", "")
	fmt.Sscan(procField("/proc/meminfo", "MemTotal"), &m.Memory)
	m.Memory <<= 10 // from kB
	if out, err := exec.Command("git", "describe", "--always", "--dirty").Output(); err == nil {
		m.Commit = strings.TrimSpace(string(out))
	}
	return m
}

// procField returns the value of the first line of a file that has a name, or the
// first line if the name is empty.
func procField(file, name string) string {
	text, _ := os.ReadFile(file) // a report without it is a report too
	_, rest, _ := bytes.Cut(text, []byte(name))
	value, _, _ := bytes.Cut(rest, []byte("\n"))
	return strings.TrimLeft(string(value), "\t :")
}

func (m machine) String() string {
	return fmt.Sprintf("%d CPUs (%s), %s of memory, %s, %s; %s, commit %s",
		m.CPUs, m.CPU, bytesText(m.Memory&^(gib-1)), m.Kernel, m.Go, m.Date, m.Commit)
}

// short is the machine in the subtitle of a plot.
func (m machine) short() string { return fmt.Sprintf("%d CPUs, %s, %s", m.CPUs, m.CPU, m.Date) }
