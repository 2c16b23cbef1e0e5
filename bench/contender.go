package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	directName       = "direct"
	guardName        = "sockguard"
	beforeName       = "before" // the sockguard of -before
	haproxyName      = "HAProxy"
	reverseProxyName = "Go ReverseProxy"
)

// A contender is a program between client and engine. Without a command it is the
// engine's own socket.
type contender struct {
	name string

	// command and config may name {socket}, the socket to serve, {engine}, the
	// engine's socket, and {config}, the file that gets config.
	command []string
	config  string
	env     []string

	labels  bool // it puts the owner label into build contexts
	streams int  // how many streams it takes, 0 for any number
}

// start starts the contender in front of an engine, with its files in a new
// directory below dir.
func (c *contender) start(dir, engine string) (*process, error) {
	if len(c.command) == 0 {
		return &process{socket: engine}, nil
	}
	if _, err := exec.LookPath(c.command[0]); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(dir, "")
	if err != nil {
		return nil, err
	}
	socket, config := filepath.Join(dir, "socket"), filepath.Join(dir, "config.yaml")
	fill := strings.NewReplacer("{socket}", socket, "{engine}", engine, "{config}", config)
	if err := os.WriteFile(config, []byte(fill.Replace(c.config)), 0o600); err != nil {
		return nil, err
	}
	var command []string
	for _, word := range c.command {
		command = append(command, fill.Replace(word))
	}
	return start(socket, c.env, command...)
}

// sockguard is a guard of this tree or of another one.
func sockguard(name, program string) *contender {
	return &contender{name: name, labels: true, command: []string{
		program, "serve", "--owner", ownerName, "--listen", "unix://{socket}", "--upstream", "unix://{engine}",
	}}
}

// standIn is this program as a plain proxy.
func standIn(name, self, keep string) *contender {
	return &contender{name: name, command: []string{self, "stand-in", keep, "{socket}", "{engine}"}}
}

// haproxyAreas are the first path elements that the rules of
// Tecnativa/docker-socket-proxy can open, in its order. Those with a capital
// are open here.
const haproxyAreas = "auth Build commit configs Containers distribution events Exec grpc images info networks nodes _Ping " +
	"plugins secrets services session swarm system tasks Version volumes"

// haproxy is HAProxy with the rules of Tecnativa/docker-socket-proxy 0.4: one
// case-insensitive regular expression for each area, a variable of the
// environment that opens it, and a connection to the engine for each request.
func haproxy() *contender {
	var rules strings.Builder
	rule := func(path, variable string) {
		fmt.Fprintf(&rules, "    http-request allow if { path,url_dec -m reg -i ^(/v[\\d\\.]+)?/%s } { env(%s) -m bool }\n", path, variable)
	}
	rule(`containers/[a-zA-Z0-9_.-]+/((stop)|(restart)|(kill))`, "ALLOW_RESTARTS")
	rule(`containers/[a-zA-Z0-9_.-]+/start`, "ALLOW_START")
	rule(`containers/[a-zA-Z0-9_.-]+/stop`, "ALLOW_STOP")
	env := []string{"POST=1"}
	for area := range strings.FieldsSeq(haproxyAreas) {
		variable, path, open := strings.ToUpper(strings.TrimPrefix(area, "_")), strings.ToLower(area), "0"
		if area != path {
			open = "1"
		}
		rule(path, variable)
		env = append(env, variable+"="+open)
	}
	return &contender{
		name: haproxyName, env: env, streams: 2900,
		command: []string{"haproxy", "-db", "-f", "{config}"},
		config:  fmt.Sprintf(haproxyConfig, rules.String()),
	}
}

const haproxyConfig = `global
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
    server engine unix@{engine}
frontend guard
    bind unix@{socket}
    http-request deny unless METH_GET || { env(POST) -m bool }
%s    http-request deny
    default_backend engine
`
