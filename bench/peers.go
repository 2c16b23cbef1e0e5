package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// A contender is something between client and engine that is measured.
type contender struct {
	Name  string
	start func(dir, engine string) (*process, error)

	labels bool // it rewrites contexts
	goPeer bool // a program in Go that others make
	limit  int  // how many streams it takes, 0 for any number
}

// direct is the engine itself.
func direct(engine string) *contender {
	return &contender{Name: directName, start: func(string, string) (*process, error) {
		return &process{socket: engine}, nil
	}}
}

const (
	directName  = "direct"
	haproxyName = "HAProxy"
	guardName   = "sockguard"       // the one that is measured
	besideName  = "other sockguard" // the one to compare it with
)

func guard(name, program string) *contender {
	return &contender{Name: name, labels: true, start: func(dir, engine string) (*process, error) {
		socket := filepath.Join(dir, strings.ReplaceAll(name, " ", "-")+".sock")
		return start(socket, nil, program, "serve", "--owner", ownerName, "--listen", "unix://"+socket, "--upstream", "unix://"+engine)
	}}
}

func haproxy() *contender { return &contender{Name: haproxyName, start: startHAProxy, limit: 2900} }

func standIn(name, keep string) *contender {
	return &contender{Name: name, start: func(dir, engine string) (*process, error) {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		socket := filepath.Join(dir, "standin-"+keep+".sock")
		return start(socket, nil, self, "stand-in", keep, socket, engine)
	}}
}

// A goPeer is a program that go install installs.
type goPeer struct {
	name, pkg, version string
	// args and config may name {socket}, {engine} and {config}.
	args   []string
	config string
}

// goPeers are the socket proxies in Go, at the versions they are measured at,
// each told to let through what the benchmarks ask for.
var goPeers = []goPeer{
	{
		name: "wollomatic/socket-proxy", pkg: "github.com/wollomatic/socket-proxy/cmd/socket-proxy", version: "08dca430b82a",
		args: []string{"-socketpath={engine}", "-proxysocketendpoint={socket}",
			`-allowGET=(/v1\..{1,2})?/(_ping|version|containers/.*|exec/.*)`, `-allowPOST=/v1\..{1,2}/(build|containers/.*|exec/.*)`},
	},
	{
		name: "hectorm/cetusguard", pkg: "github.com/hectorm/cetusguard/cmd/cetusguard", version: "233540917cb8",
		args: []string{"-backend-addr=unix://{engine}", "-frontend-addr=unix://{socket}", "-rules-file={config}"},
		config: "GET %API_PREFIX_CONTAINERS%/json\n" +
			"GET %API_PREFIX_CONTAINERS%/%CONTAINER_ID_OR_NAME%/json\n" +
			"POST %API_PREFIX_CONTAINERS%/%CONTAINER_ID_OR_NAME%/attach\n" +
			"POST %API_PREFIX_EXEC%/.+/start\n" +
			"POST %API_PREFIX_BUILD%\n",
	},
	{
		name: "CodesWhat/sockguard", pkg: "github.com/codeswhat/sockguard/app/cmd/sockguard", version: "232eaa2ebb97",
		args: []string{"serve", "--config", "{config}"},
		config: "listen: {socket: '{socket}', socket_mode: '0600'}\n" +
			"upstream: {socket: '{engine}'}\n" +
			"log: {level: info, format: json, output: stderr, access_log: true}\n" +
			"health: {enabled: false}\n" +
			"insecure_allow_body_blind_writes: true\n" +
			"insecure_allow_read_exfiltration: true\n" +
			"request_body: {build: {allow_run_instructions: true}}\n" +
			"rules:\n" +
			"- {match: {method: GET, path: '/_ping'}, action: allow}\n" +
			"- {match: {method: GET, path: '/version'}, action: allow}\n" +
			"- {match: {method: GET, path: '/containers/json'}, action: allow}\n" +
			"- {match: {method: GET, path: '/containers/*/json'}, action: allow}\n" +
			"- {match: {method: POST, path: '/containers/*/attach'}, action: allow}\n" +
			"- {match: {method: POST, path: '/exec/*/start'}, action: allow}\n" +
			"- {match: {method: POST, path: '/build'}, action: allow}\n" +
			"- {match: {method: '*', path: '/**'}, action: deny}\n",
	},
}

func (g goPeer) contender() *contender {
	return &contender{Name: g.name, goPeer: true, start: func(dir, engine string) (*process, error) {
		program, err := g.install()
		if err != nil {
			return nil, err
		}
		socket, config := filepath.Join(dir, path.Base(g.pkg)+"-peer.sock"), filepath.Join(dir, path.Base(g.pkg)+".conf")
		fill := strings.NewReplacer("{socket}", socket, "{engine}", engine, "{config}", config)
		if err := os.WriteFile(config, []byte(fill.Replace(g.config)), 0o600); err != nil {
			return nil, err
		}
		args := []string{program}
		for _, a := range g.args {
			args = append(args, fill.Replace(a))
		}
		return start(socket, nil, args...)
	}}
}

// install returns the program, which is kept in the user's cache.
func (g goPeer) install() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "sockguard-bench", strings.ReplaceAll(g.name, "/", "-")+"-"+g.version)
	program := filepath.Join(dir, path.Base(g.pkg))
	if executable(program) {
		return program, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "install", g.pkg+"@"+g.version)
	cmd.Env = append(os.Environ(), "GOBIN="+dir, "CGO_ENABLED=0", "GOFLAGS=")
	cmd.Dir = os.TempDir()
	if out, err := cmd.CombinedOutput(); err != nil {
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		return "", fmt.Errorf("go install %s@%s: %w: %s", g.pkg, g.version, err, strings.TrimSpace(lines[len(lines)-1]))
	}
	return program, nil
}
