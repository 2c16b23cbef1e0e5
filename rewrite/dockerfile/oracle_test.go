package dockerfile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"sockguard/rewrite"
)

// An oracle reads Dockerfiles with the BuildKit of one engine. It is a process
// of its own (directory oracle), because a program cannot hold two versions of
// a module. The oracle 30.0 has the newest BuildKit, which no engine has yet.
type oracle struct {
	engine rewrite.EngineVersion
	mod    string // its module file
	in     *json.Encoder
	out    *json.Decoder
	stderr bytes.Buffer
}

// A verdict is what an oracle makes of a Dockerfile; see the program's answer.
type verdict struct {
	Err   string
	Nodes []node
	Refs  []ImageRef
}

type node struct {
	Line                    int
	Command, Original, Dump string
	Owner                   bool
	Labels                  [][2]string
	From                    string // of a COPY, or of an ONBUILD COPY
}

// oracles returns the oracles of all engines, oldest first. If their modules
// cannot be fetched because there is no network, the test is skipped, unless
// SOCKGUARD_ORACLES is "required".
func oracles(t testing.TB) []*oracle {
	t.Helper()
	all, err := startOracles()
	if err == nil {
		return all
	}
	if !isOffline(err) || os.Getenv("SOCKGUARD_ORACLES") == "required" {
		t.Fatal(err)
	}
	fmt.Fprintln(os.Stderr, "NOT COMPARED with the parsers of engines:", err)
	t.Skip(err)
	return nil
}

// isOffline reports whether the go tool could not reach a module proxy.
func isOffline(err error) bool {
	for _, why := range []string{"dial tcp", "GOPROXY=off", "timeout"} {
		if strings.Contains(err.Error(), why) {
			return true
		}
	}
	return false
}

// newest returns the oracle of the newest engine.
func newest(t testing.TB) *oracle {
	t.Helper()
	all := oracles(t)
	return all[len(all)-2]
}

var startOracles = sync.OnceValues(func() (all []*oracle, err error) {
	mods, err := filepath.Glob("oracle/engines/*.mod")
	if err != nil || len(mods) == 0 {
		return nil, fmt.Errorf("no module files: %v", err)
	}
	for _, mod := range mods {
		o := &oracle{engine: rewrite.ParseEngineVersion(filepath.Base(mod)), mod: "engines/" + filepath.Base(mod)}
		if out, err := o.command("list", "-deps", ".").CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%s: %w\n%s", mod, err, out)
		}
		all = append(all, o)
	}
	for _, o := range all {
		if err := o.start(); err != nil {
			return nil, err
		}
	}
	return all, nil
})

// command returns a command of the go tool that uses the oracle's module file.
func (o *oracle) command(args ...string) *exec.Cmd {
	cmd := exec.Command("go", args...)
	cmd.Dir = "oracle"
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS="+os.Getenv("GOFLAGS")+" -buildvcs=false -modfile="+o.mod)
	return cmd
}

// start starts the process. It ends with the test, when its input is closed.
func (o *oracle) start() error {
	cmd := o.command("run", ".")
	cmd.Stderr = &o.stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	o.in, o.out = json.NewEncoder(in), json.NewDecoder(out)
	return cmd.Start()
}

// read asks the oracle.
func (o *oracle) read(t testing.TB, text []byte, options Options) *verdict {
	t.Helper()
	request := struct {
		Text   []byte
		Target string
		Args   map[string]*string
	}{text, options.Target, options.BuildArgs}
	var v verdict
	if err := o.in.Encode(request); err != nil {
		t.Fatalf("oracle %s: %v\n%.2000s", o.mod, err, &o.stderr)
	}
	if err := o.out.Decode(&v); err != nil {
		t.Fatalf("oracle %s: %v\n%.2000s", o.mod, err, &o.stderr)
	}
	return &v
}

// wary are words of refusals that are expected for files that the engine builds.
var wary = []string{"sockguard sets", "disagree", "ONBUILD", "fit one line", "ends in an escape", "the key", "not supported", "longer than any name"}

func isWary(err error) bool {
	for _, w := range wary {
		if strings.Contains(err.Error(), w) {
			return true
		}
	}
	return false
}
