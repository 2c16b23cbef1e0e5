package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
)

// peakRSS is the most memory that a process had at once since it began, in
// bytes (VmHWM: code that is mapped counts too).
func peakRSS(pid int) (int64, error) { return statusField(pid, "VmHWM:") }

// currentRSS is the memory that a process has now, in bytes.
func currentRSS(pid int) (int64, error) { return statusField(pid, "VmRSS:") }

// statusField reads one field of /proc/PID/status, which is in kB.
func statusField(pid int, field string) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	_, rest, found := bytes.Cut(text, []byte("\n"+field))
	line, _, _ := bytes.Cut(rest, []byte(" kB"))
	kb, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 10, 64)
	if !found || err != nil {
		return 0, fmt.Errorf("no %s of process %d", field, pid)
	}
	return kb << 10, nil
}
