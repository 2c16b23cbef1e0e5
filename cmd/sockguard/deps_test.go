package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// layers are the parts of the product. A part imports itself and those before it.
var layers = []string{"rewrite", "policy", "proxy", "config", "cmd"}

// goList returns the lines of go list.
func goList(t *testing.T, args ...string) []string {
	out, err := exec.Command("go", append([]string{"list"}, args...)...).Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

// layer returns the place of a package of this module in layers, -1 if it is no
// part of the product.
func layer(pkg string) int {
	part, _, _ := strings.Cut(pkg, "/")
	return slices.Index(layers, part)
}

// within has what a package may import of its own part, by names without the
// part's. A package that is not named here imports nothing of its part.
var within = map[string]string{
	"rewrite/dockerfile":   ". dockerfile/shellword",
	"rewrite/rawjson":      ".",
	"rewrite/tarcopy":      ".",
	"rewrite/buildcontext": ". dockerfile tarcopy",
	"rewrite/load":         ". rawjson tarcopy",

	"policy/field":           "verdict",
	"policy/field/fieldtest": "field",
	"policy/logdriver":       "field verdict",
	"policy/volume":          "field verdict",
	"policy/network":         "field verdict",
	"policy/container":       "field logdriver network ps verdict volume",
	"policy/image":           "container field verdict",
	"policy/swarm":           "container field image logdriver network verdict",
	"policy":                 "container image network swarm verdict volume",

	"proxy":                  "engine fetch intake internal/crash listen naming progress scrub tunnel upstream",
	"proxy/engine":           "upstream",
	"proxy/fetch":            "internal/crash",
	"proxy/naming":           "engine progress",
	"proxy/tunnel":           "internal/crash",
	"proxy/upstream":         "internal/crash listen",
	"proxy/internal/testnet": "listen",
}

func TestImportsPointOneWay(t *testing.T) {
	for _, line := range goList(t, "-f", `{{.ImportPath}} {{join .Imports " "}}`, "sockguard/...") {
		fields := strings.Fields(line)
		pkg := strings.TrimPrefix(fields[0], "sockguard/")
		from := layer(pkg)
		if from < 0 {
			continue
		}
		may := strings.Fields(within[pkg])
		for _, dep := range fields[1:] {
			dep, ours := strings.CutPrefix(dep, "sockguard/")
			if !ours {
				continue
			}
			_, rest, below := strings.Cut(dep, "/")
			if !below {
				rest = "."
			}
			if to := layer(dep); to < 0 || to > from || to == from && !slices.Contains(may, rest) {
				t.Errorf("%s imports %s", pkg, dep)
			}
		}
	}
}

// What decides and what rewrites does no I/O over sockets.
func TestDecisionsNeedNoSockets(t *testing.T) {
	for _, dep := range goList(t, "-deps", "sockguard/rewrite/...", "sockguard/policy/...") {
		if dep == "github.com/elazarl/goproxy" || dep == "golang.org/x/sys/unix" {
			t.Errorf("rewrite or policy imports %s", dep)
		}
	}
	if slices.Contains(goList(t, "-deps", "sockguard/rewrite/..."), "net/http") {
		t.Error("rewrite imports net/http")
	}
}

// What only tests need stays out of the binary.
func TestBinaryStaysLight(t *testing.T) {
	for _, dep := range goList(t, "-deps", "sockguard/cmd/sockguard") {
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
