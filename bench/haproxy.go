package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// haproxyAreas are the first path elements that the rules of
// Tecnativa/docker-socket-proxy can open, in its order; the ones that are open
// here have a capital.
const haproxyAreas = "auth Build commit configs Containers distribution events Exec grpc images info networks nodes _Ping " +
	"plugins secrets services session swarm system tasks Version volumes"

// haproxyConfig is HAProxy set up as Tecnativa/docker-socket-proxy does it (0.4):
// one case-insensitive regular expression for each area, a variable of the
// environment that opens it, a connection to the engine for each request.
func haproxyConfig(socket, engine string) string {
	const prefix = `{ path,url_dec -m reg -i ^(/v[\d\.]+)?`
	var rules strings.Builder
	rule := func(path, variable string) {
		fmt.Fprintf(&rules, "    http-request allow if %s/%s } { env(%s) -m bool }\n", prefix, path, variable)
	}
	rule(`containers/[a-zA-Z0-9_.-]+/((stop)|(restart)|(kill))`, "ALLOW_RESTARTS")
	rule(`containers/[a-zA-Z0-9_.-]+/start`, "ALLOW_START")
	rule(`containers/[a-zA-Z0-9_.-]+/stop`, "ALLOW_STOP")
	for area := range strings.FieldsSeq(haproxyAreas) {
		rule(strings.ToLower(area), haproxyVariable(area))
	}
	return `global
    log stdout format raw daemon info
    maxconn 4000
defaults
    mode http
    log global
    option httplog
    option dontlognull
    option http-server-close
    option redispatch
    retries 3
    maxconn 3000
    timeout http-request 10s
    timeout http-keep-alive 10s
    timeout queue 1m
    timeout connect 10s
    timeout client 10m
    timeout server 10m
backend engine
    server engine unix@` + engine + `
frontend guard
    bind unix@` + socket + `
    http-request deny unless METH_GET || { env(POST) -m bool }
` + rules.String() + `    http-request deny
    default_backend engine
`
}

func haproxyVariable(area string) string { return strings.ToUpper(strings.TrimPrefix(area, "_")) }

// startHAProxy starts the haproxy of the PATH.
func startHAProxy(dir, engine string) (*process, error) {
	program, err := exec.LookPath("haproxy")
	if err != nil {
		if program = "/usr/sbin/haproxy"; !executable(program) {
			return nil, fmt.Errorf("%w; install it, as in apt-get install haproxy", err)
		}
	}
	socket, config := filepath.Join(dir, "haproxy.sock"), filepath.Join(dir, "haproxy.cfg")
	if err := os.WriteFile(config, []byte(haproxyConfig(socket, engine)), 0o600); err != nil {
		return nil, err
	}
	env := []string{"POST=1"}
	for area := range strings.FieldsSeq(haproxyAreas) {
		open := "0"
		if area != strings.ToLower(area) {
			open = "1"
		}
		env = append(env, haproxyVariable(area)+"="+open)
	}
	return start(socket, env, program, "-db", "-f", config)
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode()&0o111 != 0
}
