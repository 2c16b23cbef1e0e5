package main

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// run runs a command line in this process.
func run(stdin io.Reader, args ...string) (string, error) {
	var out bytes.Buffer
	root := newRoot(args)
	root.SetIn(stdin)
	root.SetOut(&out)
	root.SetErr(&out)
	err := root.ExecuteContext(context.Background())
	return out.String(), err
}

func contextOf(t *testing.T, dockerfile string) io.Reader {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: "Dockerfile", Mode: 0o644, Size: int64(len(dockerfile))}); err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, dockerfile)
	w.Close()
	return &b
}

func TestRewriteFilters(t *testing.T) {
	out, err := run(contextOf(t, "ARG B\nFROM $B\n"), "rewrite", "--owner", "it's", "--label-key", "k", "--build-arg", "B=busybox")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	var text string
	for r := tar.NewReader(strings.NewReader(out)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, h.Name)
		if h.Name == ".sockguard.Dockerfile" {
			b, _ := io.ReadAll(r)
			text = string(b)
		}
	}
	if diff := cmp.Diff([]string{"./", "Dockerfile", ".sockguard.Dockerfile", ".dockerignore"}, names); diff != "" {
		t.Error(diff)
	}
	if want := "ARG B\nFROM $B\nLABEL 'k'='it'\"'\"'s'\n"; text != want {
		t.Errorf("got %q, want %q", text, want)
	}
}

// A refusal names the line and leaves an archive that nobody takes for whole.
func TestRewriteRefuses(t *testing.T) {
	out, err := run(contextOf(t, "FROM scratch\nLABEL com.buildkite.sockguard.owner=me\n"), "rewrite", "--owner", "a")
	if err == nil || !strings.HasPrefix(err.Error(), "Dockerfile line 2: ") {
		t.Errorf("got %v", err)
	}
	r := tar.NewReader(strings.NewReader(out))
	for err = nil; err == nil; {
		_, err = r.Next()
	}
	if errors.Is(err, io.EOF) {
		t.Error("the archive reads as complete")
	}
}

func TestRoutesAreJSONOffATerminal(t *testing.T) {
	out, err := run(nil, "routes")
	if err != nil {
		t.Fatal(err)
	}
	var rows []struct{ Method, Route, Verdict string }
	if err := json.Unmarshal([]byte(out), &rows); err != nil || len(rows) < 120 || rows[0].Route != "/_ping" {
		t.Errorf("got %d rows, %v", len(rows), err)
	}
}

// What has no need of an engine is explained without one.
func TestExplainDenies(t *testing.T) {
	out, err := run(nil, "explain", "--owner", "a", "--upstream", "unix:///nonexistent/docker.sock", "GET", "/containers/json", "--query", "nosuch=1")
	if err != nil {
		t.Fatal(err)
	}
	var e struct{ Verdict, Rule string }
	if err := json.Unmarshal([]byte(out), &e); err != nil || e.Verdict != "deny" || e.Rule != "query" {
		t.Errorf("got %s, %v", out, err)
	}
}

func TestServeRefusesToAskItself(t *testing.T) {
	if _, err := run(nil, "serve", "--owner", "a", "--listen", "/tmp/x.sock", "--upstream", "/tmp/x.sock"); err == nil || !strings.Contains(err.Error(), "would ask itself") {
		t.Errorf("got %v", err)
	}
}
