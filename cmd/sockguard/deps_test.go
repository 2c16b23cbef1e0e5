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

// matches reports whether a pattern, as of go list, has a package.
func matches(pattern, pkg string) bool {
	root, all := strings.CutSuffix(pattern, "/...")
	return pkg == root || all && strings.HasPrefix(pkg, root+"/")
}

// Imports go cmd -> proxy -> policy -> rewrite, and never back. In rewrite they
// go down to the root package, which has what all of them share.
func TestImportsPointOneWay(t *testing.T) {
	const rewrite, scanner, tarcopy, rawjson = "sockguard/rewrite", "sockguard/rewrite/dockerfile", "sockguard/rewrite/tarcopy", "sockguard/rewrite/rawjson"
	for pkg, may := range map[string][]string{
		rewrite:                   {},
		rawjson:                   {rewrite},
		tarcopy:                   {rewrite},
		scanner:                   {rewrite, scanner + "/shellword"},
		scanner + "/shellword":    {},
		rewrite + "/buildcontext": {rewrite, scanner, scanner + "/shellword", tarcopy},
		rewrite + "/load":         {rewrite, rawjson, tarcopy},
		"sockguard/policy":        {rewrite + "/...", "sockguard/policy/..."},
		"sockguard/proxy":         {rewrite + "/...", "sockguard/policy/..."},
		"sockguard/cmd/sockguard": {rewrite + "/...", "sockguard/policy/...", "sockguard/proxy"},
	} {
		for _, dep := range deps(t, pkg) {
			switch {
			case dep == "net/http" || dep == "github.com/elazarl/goproxy":
				if strings.HasPrefix(pkg, rewrite) {
					t.Errorf("%s imports %s", pkg, dep)
				}
			case strings.HasPrefix(dep, "sockguard/") && dep != pkg && !slices.ContainsFunc(may, func(p string) bool { return matches(p, dep) }):
				t.Errorf("%s imports %s", pkg, dep)
			}
		}
	}
	if slices.Contains(deps(t, "sockguard/policy"), "github.com/elazarl/goproxy") {
		t.Error("sockguard/policy imports goproxy")
	}
}

// Package policy is the top of its sub-packages, which import downward only.
func TestPolicyPointsDown(t *testing.T) {
	order := []string{"verdict", "field", "volume", "network", "container", "image", "swarm"}
	for i, pkg := range order {
		for _, dep := range deps(t, "sockguard/policy/"+pkg) {
			if dep == "sockguard/policy" || dep == "net/http" {
				t.Errorf("policy/%s imports %s", pkg, dep)
			}
			if name, ok := strings.CutPrefix(dep, "sockguard/policy/"); ok && !slices.Contains(order[:i+1], name) {
				t.Errorf("policy/%s imports %s", pkg, dep)
			}
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
