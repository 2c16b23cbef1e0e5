package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// deps lists the packages that a package of ours is built from.
func deps(t *testing.T, pkg string) []string {
	out, err := exec.Command("go", "list", "-deps", pkg).Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	return strings.Fields(string(out))
}

// Imports go cmd -> proxy -> policy -> rewrite, and never back. The packages below
// proxy do not import it, and each other only where it is said here.
func TestImportsPointOneWay(t *testing.T) {
	below := []string{"sockguard/rewrite", "sockguard/policy"}
	client := append(below, "sockguard/proxy/listen")
	proxy := append(client, "sockguard/proxy/engine", "sockguard/proxy/tunnel", "sockguard/proxy/fetch")
	for pkg, may := range map[string][]string{
		"sockguard/rewrite":       {},
		"sockguard/policy":        {"sockguard/rewrite"},
		"sockguard/proxy/listen":  {},
		"sockguard/proxy/tunnel":  {},
		"sockguard/proxy/fetch":   below,
		"sockguard/proxy/engine":  client,
		"sockguard/proxy":         proxy,
		"sockguard/cmd/sockguard": append(proxy, "sockguard/proxy"),
	} {
		for _, dep := range deps(t, pkg) {
			if strings.HasPrefix(dep, "sockguard/") && dep != pkg && !slices.Contains(may, dep) {
				t.Errorf("%s imports %s", pkg, dep)
			}
		}
	}
	for _, pkg := range []string{"sockguard/rewrite", "sockguard/policy"} {
		if slices.Contains(deps(t, pkg), "github.com/elazarl/goproxy") {
			t.Errorf("%s imports goproxy", pkg)
		}
	}
}

// What only tests need stays out of the binary.
func TestBinaryStaysLight(t *testing.T) {
	for _, dep := range deps(t, "sockguard/cmd/sockguard") {
		for _, heavy := range []string{
			"github.com/testcontainers", "gvisor.dev", "github.com/moby/buildkit", "github.com/moby/moby",
			"github.com/docker/docker", "github.com/google/go-cmp", "github.com/rogpeppe", "mvdan.cc/sh", "testing",
		} {
			if dep == heavy || strings.HasPrefix(dep, heavy+"/") {
				t.Errorf("the binary holds %s", dep)
			}
		}
	}
}
