package config

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/pflag"
)

// startEngine serves an engine that answers /version, streams events as they come, and lists whose label
// it was asked for.
func startEngine(t *testing.T, events <-chan string) string {
	path := filepath.Join(t.TempDir(), "engine.sock")
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/version":
			io.WriteString(w, `{"Version":"28.5.2","ApiVersion":"1.51"}`)
		case strings.HasSuffix(r.URL.Path, "/events"):
			http.NewResponseController(w).Flush()
			for e := range events {
				io.WriteString(w, e)
				http.NewResponseController(w).Flush()
			}
		default:
			fmt.Fprintf(w, "[%q]", r.URL.Query().Get("filters"))
		}
	})}
	go s.Serve(ln)
	t.Cleanup(func() { s.Close() })
	return path
}

func clientOf(socket string) *http.Client {
	return &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	}}
}

// lists returns what a list through the socket asks the engine for.
func lists(socket string) string {
	resp, err := clientOf(socket).Get("http://guard/containers/json")
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return string(text)
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for start := time.Now(); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Since(start) > 20*time.Second {
			t.Fatalf("%s does not happen", what)
		}
	}
}

// testSupervisor follows a file, quickly, and has no other source.
func testSupervisor(file string) *supervisor {
	source := NewSource(pflag.NewFlagSet("", pflag.ContinueOnError), nil)
	source.lookupEnv = func(string) (string, bool) { return "", false }
	source.file = file
	return &supervisor{source: source, out: io.Discard, poll: 20 * time.Millisecond}
}

// TestChangeWhileStarting: a change right after the file was read is not missed.
func TestChangeWhileStarting(t *testing.T) {
	dir := t.TempDir()
	upstream := startEngine(t, nil)
	file, socket := filepath.Join(dir, "c.yaml"), filepath.Join(dir, "s")
	write := func(owner string) {
		text := fmt.Sprintf("upstream: %s\nlog-level: error\nowner: %s\nlisten: %s\n", upstream, owner, socket)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Error(err)
		}
	}
	write("first")
	var once sync.Once
	s := testSupervisor(file)
	s.source.lookupEnv = func(string) (string, bool) { // called when the file is read
		once.Do(func() { write("second") })
		return "", false
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.run(ctx) }()
	eventually(t, "the change", func() bool { return strings.Contains(lists(socket), "owner=second") })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A changed file changes owners and sockets; a stream that runs goes on, and a
// file with a mistake changes nothing.
func TestReload(t *testing.T) {
	dir, events := t.TempDir(), make(chan string)
	upstream := startEngine(t, events)
	file, one, two := filepath.Join(dir, "c.yaml"), filepath.Join(dir, "1.sock"), filepath.Join(dir, "2.sock")
	write := func(format string, args ...any) {
		text := "upstream: " + upstream + "\nlog-level: error\n" + fmt.Sprintf(format, args...)
		if err := os.WriteFile(file+".new", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(file+".new", file); err != nil {
			t.Fatal(err)
		}
	}
	write("owner: first\nlisten: %s\n", one)
	s := testSupervisor(file)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.run(ctx) }()
	eventually(t, "the first guard", func() bool { return strings.Contains(lists(one), "owner=first") })

	resp, err := clientOf(one).Get("http://guard/events")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	write("guards:\n- {owner: second, listen: %s}\n- {owner: third, listen: %s}\n", one, two)
	eventually(t, "the change", func() bool {
		return strings.Contains(lists(one), "owner=second") && strings.Contains(lists(two), "owner=third")
	})
	events <- `{"Type":"container","Actor":{"ID":"x","Attributes":{"com.buildkite.sockguard.owner":"first"}}}`
	if line, err := bufio.NewReader(resp.Body).ReadString('\n'); err != nil || !strings.Contains(line, `"ID":"x"`) {
		t.Errorf("the stream of the first owner: got %q, %v", line, err)
	}
	close(events)

	write("guards:\n- {owner: fourth, listen: %s}\n- {owner: fourth, lsten: x}\n", one)
	time.Sleep(10 * s.poll)
	if got := lists(one); !strings.Contains(got, "owner=second") {
		t.Errorf("after a mistake: got %s", got)
	}
	write("guards:\n- {owner: third, listen: %s}\n", two)
	eventually(t, "the end of the first socket", func() bool { _, err := os.Stat(one); return os.IsNotExist(err) })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
