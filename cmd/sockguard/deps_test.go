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
		"sockguard/policy":        {rewrite + "/..."},
		"sockguard/proxy":         {rewrite + "/...", "sockguard/policy"},
		"sockguard/cmd/sockguard": {rewrite + "/...", "sockguard/policy", "sockguard/proxy"},
	} {
		for _, dep := range deps(t, pkg) {
			switch {
			case dep == "net/http" || dep == "github.com/elazarl/goproxy":
				if strings.HasPrefix(pkg, rewrite) {
					t.Errorf("%s imports %s", pkg, dep)
				}
			case !strings.HasPrefix(dep, "sockguard/") || dep == pkg || slices.Contains(may, dep):
			case !slices.Contains(may, rewrite+"/...") || !strings.HasPrefix(dep, rewrite):
				t.Errorf("%s imports %s", pkg, dep)
			}
		}
	}
	if slices.Contains(deps(t, "sockguard/policy"), "github.com/elazarl/goproxy") {
		t.Error("sockguard/policy imports goproxy")
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
