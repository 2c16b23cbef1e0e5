package buildcontext

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"sockguard/rewrite/internal/tartest"
)

// workspace is a monorepo as pnpm leaves it: packages that link to each other,
// each with a Dockerfile of its own.
func workspace(packages, links int) []tartest.Item {
	var items []tartest.Item
	for i := range packages {
		dir := fmt.Sprintf("packages/p%d", i)
		items = append(items, tartest.Item{Name: dir, Dir: true}, tartest.Item{Name: dir + "/Dockerfile", Body: fmt.Sprintf("FROM p%d", i)},
			tartest.Item{Name: dir + "/index.js", Body: "x"})
		for j := range links / packages {
			to := (i + j + 1) % packages
			items = append(items, tartest.Item{Name: fmt.Sprintf("%s/node_modules/@acme/p%d", dir, to), Link: fmt.Sprintf("../../../p%d", to)})
		}
	}
	return items
}

// unrelatedLinks returns the parts of a context, with 100 links each.
func unrelatedLinks(t testing.TB) func(i int) io.Reader {
	return func(i int) io.Reader {
		items := []tartest.Item{fromA, {Name: fmt.Sprintf("packages/%d/Dockerfile", i), Body: "FROM b"}}
		for j := range 100 {
			items = append(items, tartest.Item{Name: fmt.Sprintf("node_modules/%d/%d", i, j), Link: fmt.Sprintf("../../packages/%d", j)})
		}
		return bytes.NewReader(tartest.Part(t, items...))
	}
}

// Any number of symbolic links that no lookup goes through changes nothing. If one
// of them may change what a lookup finds, the context is refused.
func TestContextUnrelatedLinks(t *testing.T) {
	type item = tartest.Item
	tests := []struct {
		name       string
		dockerfile string
		items      []item
		refused    string
	}{
		{name: "plain", items: []item{fromA, ignoreAll}},
		{name: "in a package", dockerfile: "packages/p7/Dockerfile"},
		{name: "replaced in a package", dockerfile: "packages/p7/Dockerfile", items: []item{{Name: "./packages/p7/Dockerfile", Body: "FROM b"}}},
		{name: "link in a package", dockerfile: "packages/p7/x", items: []item{{Name: "packages/p7/x", Link: "../y"}, {Name: "packages/y", Body: "FROM b"}}},
		{name: "link to the Dockerfile", items: []item{fromA, {Name: "d/y", Link: "../Dockerfile"}}},
		{name: "package replaced by a link", dockerfile: "packages/p7/Dockerfile", items: []item{{Name: "packages/p7", Link: "p8"}}},
		{name: "package replaced by a link to an earlier directory", dockerfile: "packages/p7/index.js", items: []item{{Name: "packages/p7", Link: "p8"}},
			refused: "came before the link"},
		{name: "package replaced by a link, and its Dockerfile", dockerfile: "packages/p7/Dockerfile", items: []item{
			{Name: "packages/p7", Link: "q"}, {Name: "packages/q/Dockerfile", Body: "FROM q"}}},
		{name: "link replaced by a directory", items: []item{fromA, {Name: "packages/p7/node_modules/@acme/p8", Dir: true},
			{Name: "packages/p7/node_modules/@acme/p8/Dockerfile", Body: "FROM b"}}},
		{name: "link replaced by a file", items: []item{fromA, {Name: "packages/p7/node_modules/@acme/p8", Body: "x"}}},
		{name: "entry below a link", items: []item{fromA, {Name: "packages/p7/node_modules/@acme/p8/x", Body: "x"}}},
		{name: "link below a link", items: []item{fromA, {Name: "packages/p7/node_modules/@acme/p8/x", Link: "/"}}},
		{name: "entry below a link below a link", items: []item{fromA, {Name: "packages/p7/node_modules/@acme/p8/x", Link: "/"},
			{Name: "packages/p8/x/Dockerfile", Body: "FROM b"}}, refused: "may be a symbolic link"},
		{name: "Dockerfile below a link", dockerfile: "packages/p8/Dockerfile", items: []item{
			{Name: "packages/p7/node_modules/@acme/p8/Dockerfile", Body: "FROM b"}}, refused: "may be a symbolic link"},
		{name: "link after an entry below a link", items: []item{{Name: "packages/p7/node_modules/@acme/p8/x", Body: "FROM x"},
			{Name: "Dockerfile", Link: "packages/p8/x"}}, refused: "name the file itself"},
		{name: "directory below a dangling link", items: []item{{Name: "s", Link: "Dockerfile"}, {Name: "s/x/y", Body: "x"},
			{Name: "dockerfile", Body: "FROM b"}}, refused: "leads to a file"},
		{name: "looked up through a link", dockerfile: "x", items: []item{{Name: "x", Link: "packages/p7/node_modules/@acme/p8/Dockerfile"}},
			refused: "may be a symbolic link"},
		{name: "looked up past a link", dockerfile: "x", items: []item{{Name: "x", Link: "packages/y"}, {Name: "packages/y", Body: "FROM b"}}},
		{name: "hard link to a link", items: []item{fromA, {Name: "l", Hard: "packages/p7/node_modules/@acme/p8"}}},
		{name: "entry below a hard link to a link", items: []item{fromA, {Name: "packages/p7/l", Hard: "packages/p7/node_modules/@acme/p8"},
			{Name: "packages/p7/l/Dockerfile", Body: "FROM b"}}, refused: "may be a symbolic link"},
		{name: "Dockerfile hard linked to a link", items: []item{{Name: "Dockerfile", Hard: "packages/p7/node_modules/@acme/p8"}},
			refused: "send the symbolic link twice"},
		{name: "Dockerfile hard linked past a link", items: []item{{Name: "Dockerfile", Hard: "packages/p7/node_modules/@acme/p8/index.js"}},
			refused: "send the symbolic link twice"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			checkEngine(t, tartest.Of(t, append(workspace(10, 50), tt.items...)...), tt.dockerfile, tt.refused)
		})
	}
	t.Run("2,000 links", func(t *testing.T) {
		checkEngine(t, tartest.Of(t, workspace(50, 2000)...), "packages/p7/Dockerfile", "")
	})
}
