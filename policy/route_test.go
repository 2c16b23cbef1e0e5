package policy

import (
	"bufio"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"sockguard/policy/verdict"
)

// engineRoutes reads the list of every route of Engine 20.10 to 29.
func engineRoutes(t *testing.T) [][2]string {
	f, err := os.Open("testdata/docker-api-routes.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var routes [][2]string
	for s := bufio.NewScanner(f); s.Scan(); {
		fields := strings.Split(s.Text(), "\t")
		if fields[0] != "method" {
			routes = append(routes, [2]string{fields[0], fields[1]})
		}
	}
	if len(routes) < 120 {
		t.Fatalf("got %d routes, want the whole list", len(routes))
	}
	return routes
}

var wildcards = regexp.MustCompile(`\{[^}]*\}`)

// The table has one row for each route of the engines, and no other rows.
func TestTableCoversTheEngines(t *testing.T) {
	rows := map[[2]string]bool{}
	for r := range Routes() {
		if (r.Decide == nil) == (r.Refusal.Why == "") || r.Verdict == "" {
			t.Errorf("%s %s has no explicit verdict", r.Method, r.Pattern)
		}
		key := [2]string{r.Method, wildcards.ReplaceAllString(r.Pattern, "{}")}
		if rows[key] {
			t.Errorf("%s %s stands twice", r.Method, r.Pattern)
		}
		rows[key] = true
	}
	for _, want := range engineRoutes(t) {
		if want[0] == "PRI/any h2c" { // not a route: a preface that HTTP/1 servers refuse
			continue
		}
		key := [2]string{want[0], wildcards.ReplaceAllString(want[1], "{}")}
		if !rows[key] {
			t.Errorf("%s %s has no verdict", want[0], want[1])
		}
		delete(rows, key)
	}
	for key := range rows {
		t.Errorf("%s %s is no route of any engine", key[0], key[1])
	}
}

// The path that Path builds from a row and a name is parsed as that row and name.
func TestRowsAreReached(t *testing.T) {
	for r := range Routes() {
		if strings.Count(r.Pattern, "{") > 1 {
			continue
		}
		name := ""
		if strings.Contains(r.Pattern, "{") {
			name = "some-name"
		}
		got, gotName := match(r.Method, r.Path(name))
		if got == nil || got.Pattern != r.Pattern || gotName != name {
			t.Errorf("%s %s: got %v %q", r.Method, r.Path(name), got, gotName)
		}
	}
}

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		method, target string
		pattern, name  string // "" when refused
		version        verdict.Version
		status         int
	}{
		{method: "GET", target: "/v1.41/containers/json", pattern: "/containers/json", version: verdict.Version{Major: 1, Minor: 41}},
		{method: "GET", target: "/containers/json", pattern: "/containers/json"},
		{method: "GET", target: "/v01.041/containers/json", pattern: "/containers/json", version: verdict.Version{Major: 1, Minor: 41}},
		{method: "GET", target: "/%63ontainers/json", pattern: "/containers/json"},
		{method: "GET", target: "/v1.41%2Fcontainers/x/json", pattern: "/containers/{name}/json", name: "x", version: verdict.Version{Major: 1, Minor: 41}},
		{method: "GET", target: "/containers/x/logs/json", pattern: "/containers/{name}/json", name: "x/logs"},
		{method: "GET", target: "/containers/a/attach/ws", pattern: "/containers/{name}/attach/ws", name: "a"},
		{method: "GET", target: "/images/reg.io/a/b:c/json", pattern: "/images/{name}/json", name: "reg.io/a/b:c"},
		{method: "GET", target: "/images/get/json", pattern: "/images/{name}/json", name: "get"},
		{method: "GET", target: "/images/get", pattern: "/images/get"},
		{method: "DELETE", target: "/containers/web/alias", pattern: "/containers/{name}", name: "web/alias"},
		{method: "DELETE", target: "/containers/x/checkpoints/y", pattern: "/containers/{id}/checkpoints/{id}", name: "x"},
		{method: "DELETE", target: "/containers/x/z/checkpoints/y", pattern: "/containers/{name}", name: "x/z/checkpoints/y"},
		{method: "POST", target: "/exec/a/start/start", pattern: "/exec/{name}/start", name: "a/start"},
		{method: "GET", target: "/networks/", pattern: "/networks/"},
		{method: "GET", target: "/services/x/y", status: 501},
		{method: "GET", target: "/containers//json", status: 400},
		{method: "GET", target: "//containers/json", status: 400},
		{method: "GET", target: "/containers/../info", status: 400},
		{method: "GET", target: "/containers/%2e%2e/info", status: 400},
		{method: "GET", target: "/containers/a%0ab/json", status: 400},
		{method: "GET", target: "/containers/a%00/json", status: 400},
		{method: "GET", target: "/v1.24/containers/json", status: 400},
		{method: "GET", target: "/v1.41.0/containers/json", status: 400},
		{method: "GET", target: "/v1./containers/json", status: 400},
		{method: "GET", target: "/v.../containers/json", status: 400},
		{method: "GET", target: "/V1.41/containers/json", status: 501},
		{method: "GET", target: "/Containers/json", status: 501},
		{method: "get", target: "/containers/json", status: 501},
		{method: "GET", target: "/containers/json/", status: 501},
		{method: "PATCH", target: "/containers/json", status: 501},
		{method: "PRI", target: "/", status: 501},
		{method: "POST", target: "/moby.buildkit.v1.Control/Solve", status: 501},
		{method: "GET", target: "/v4.0.0/libpod/info", status: 400},
		{method: "GET", target: "/libpod/info", status: 501},
		{method: "GET", target: "/containers/json?fliters={}", status: 400},
		{method: "GET", target: "/containers/json?all=1;limit=2", status: 400},
		{method: "GET", target: "/containers/json?all=%zz", status: 400},
	} {
		u, err := url.ParseRequestURI(tt.target)
		if err != nil {
			t.Fatal(err)
		}
		r, err := Parse(tt.method, u)
		if tt.status != 0 {
			if d, ok := err.(*verdict.Denied); !ok || d.Status != tt.status {
				t.Errorf("%s %s: got %v, want status %d", tt.method, tt.target, err, tt.status)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s %s: %v", tt.method, tt.target, err)
			continue
		}
		if r.Route.Pattern != tt.pattern || r.Name != tt.name || r.Version != tt.version {
			t.Errorf("%s %s: got %s %q %v, want %s %q %v", tt.method, tt.target, r.Route.Pattern, r.Name, r.Version, tt.pattern, tt.name, tt.version)
		}
	}
}
