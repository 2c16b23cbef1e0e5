package e2e

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// openTerminal returns both ends of a pseudo-terminal of 100x40.
func openTerminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	fd := int(master.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Col: 100, Row: 40})
	}
	if err != nil {
		t.Fatal(err)
	}
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { slave.Close() })
	return master, slave
}

// Somebody types into docker run -it.
func TestTerminal(t *testing.T) {
	need(t)
	g := newGuard(t)
	master, slave := openTerminal(t)
	cmd := g.command(t, e2e.docker, "run", "--rm", "-it", e2e.common, "sh")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var screen syncBuffer
	go io.Copy(&screen, master)
	shows := func(text string) {
		t.Helper()
		eventually(t, func() bool { return strings.Contains(screen.String(), text) })
	}
	shows("$ ")
	// The client sends the size some time after the start.
	eventually(t, func() bool {
		io.WriteString(master, "tty\n")
		return strings.Contains(screen.String(), "tty 100x40\r\n")
	})
	io.WriteString(master, "echo typed $((1+1))\n")
	shows("typed 2\r\n")
	io.WriteString(master, "exit 5\n")
	cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != 5 {
		t.Errorf("docker run -it ended with status %d, want 5\n%s", got, screen.String())
	}
}
