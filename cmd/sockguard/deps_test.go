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

// Imports go cmd -> proxy -> policy -> rewrite, and never back.
func TestImportsPointOneWay(t *testing.T) {
	for pkg, may := range map[string][]string{
		"sockguard/rewrite":       {},
		"sockguard/policy":        {"sockguard/rewrite"},
		"sockguard/proxy":         {"sockguard/rewrite", "sockguard/policy"},
		"sockguard/cmd/sockguard": {"sockguard/rewrite", "sockguard/policy", "sockguard/proxy"},
	} {
		for _, dep := range deps(t, pkg) {
			if strings.HasPrefix(dep, "sockguard/") && dep != pkg && !strings.HasPrefix(dep, "sockguard/policy/") && !slices.Contains(may, dep) {
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
