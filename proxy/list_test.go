package proxy

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sockguard/policy/verdict"
	"sockguard/proxy/upstream"
)

// guardOf returns the address of a guard in front of an engine.
func guardOf(t *testing.T, handler http.Handler, p verdict.Policy) string {
	t.Helper()
	dir := t.TempDir()
	socket := listenTest(t, filepath.Join(dir, "engine"), handler)
	u, err := upstream.New("unix://"+socket, upstream.TLSFiles{})
	if err != nil {
		t.Fatal(err)
	}
	p.Owner, p.LabelKey = "team-a", verdict.DefaultLabelKey
	s := httptest.NewServer(NewGuard(&p, u, slog.New(slog.DiscardHandler)))
	t.Cleanup(s.Close)
	return s.URL
}

// Objects of a swarm are looked up by the swarm's own routes, a task by its
// service; a port that is taken does not tell by whom.
func TestSwarmLookUps(t *testing.T) {
	const label = `{"com.buildkite.sockguard.owner":"team-a"}`
	rec := &recorder{answers: map[string]http.HandlerFunc{
		"GET /services/web": answer(`{"ID":"s1","Spec":{"Name":"web","Labels":` + label + `}}`),
		"GET /services/s1":  answer(`{"ID":"s1","Spec":{"Name":"web","Labels":` + label + `}}`),
		"GET /services/s2":  answer(`{"ID":"s2","Spec":{"Name":"theirs"}}`),
		"GET /services/sockguard-asks-for-nothing": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNotFound)
			io.WriteString(w, `{"message":"service sockguard-asks-for-nothing not found"}`)
		},
		"GET /tasks/t1":        answer(`{"ID":"t1","ServiceID":"s1","Labels":{}}`),
		"GET /services":        answer(`[{"ID":"s1","Spec":{"Labels":` + label + `}}]`),
		"GET /tasks":           answer(`[{"ID":"t1","ServiceID":"s1"},{"ID":"t2","ServiceID":"s2"}]`),
		"GET /images/box/json": answer(`{"Id":"sha256:` + idA + `","RepoTags":["box:latest"],"Config":{}}`),
		"POST /services/create": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			io.WriteString(w, `{"message":"port '80' is already in use by service 'theirs' (s2) as an ingress port, '81' by service 'web' (s1)"}`)
		},
	}}
	url := guardOf(t, rec, verdict.Policy{Grants: verdict.Grants{Swarm: true}})
	for _, tt := range []struct{ target, want string }{
		{"/services/web", "GET /v1.51/services/web?"},
		{"/services/web/logs?follow=1", "GET /v1.51/services/s1/logs?follow=1"},
		{"/tasks/t1/logs", "GET /v1.51/tasks/t1/logs?"},
	} {
		resp, err := http.Get(url + tt.target)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got := rec.last(t).Line; got != tt.want {
			t.Errorf("%s: the engine gets %s, want %s", tt.target, got, tt.want)
		}
	}
	for target, want := range map[string]string{
		"GET /services/s2": `{"message":"service s2 not found"}`,
		"GET /tasks":       `[{"ID":"t1","ServiceID":"s1"}]`,
		"POST /services/create {\"TaskTemplate\":{\"ContainerSpec\":{\"Image\":\"box\"}}}": `{"message":"port '80' is already in use by a service of another owner as an ingress port, '81' by service 'web' (s1)"}`,
	} {
		method, path, _ := strings.Cut(target, " ")
		path, body, _ := strings.Cut(path, " ")
		r, err := http.NewRequest(method, url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if got := strings.TrimSpace(string(text)); err != nil || got != want {
			t.Errorf("%s: got %s and %v, want %s", target, got, err, want)
		}
	}
}

// liveHeap is what a collection of garbage leaves, in bytes. What is allocated
// after it, by however many goroutines, does not count.
func liveHeap() int64 {
	runtime.GC()
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	return int64(live[0].Value.Uint64())
}

// Disk usage of an engine with very much on it goes through in the memory of one
// object.
func TestDiskUsageInConstantMemory(t *testing.T) {
	const images, most = 30_000, 9 << 20 // an answer of 13 MiB
	image := `{"Id":"sha256:%064d","Size":1,"Containers":0,"Labels":{"com.buildkite.sockguard.owner":"%s"},"Filler":"` + strings.Repeat("x", 300) + `"}`
	url := guardOf(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/version":
			io.WriteString(w, `{"Version":"28.5.2","ApiVersion":"1.51"}`)
		case strings.HasSuffix(r.URL.Path, "/containers/json"):
			io.WriteString(w, `[]`)
		default:
			io.WriteString(w, `{"LayersSize":1,"Images":[`)
			for i := range images {
				fmt.Fprintf(w, image+",", i, []string{"team-a", "b"}[i%2])
			}
			fmt.Fprintf(w, image+`],"Containers":[],"Volumes":[],"BuildCache":[]}`, images, "b")
		}
	}), verdict.Policy{})
	resp, err := http.Get(url + "/system/df")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	before := liveHeap()
	peak := before
	tail := ""
	buf := make([]byte, 1<<20)
	for err == nil {
		var n int
		n, err = io.ReadFull(resp.Body, buf)
		tail = (tail + string(buf[:n]))[max(0, len(tail)+n-100):]
		peak = max(peak, liveHeap())
	}
	if grown := peak - before; grown > most {
		t.Errorf("the heap grew by %d MiB", grown>>20)
	}
	if diff := cmp.Diff(fmt.Sprintf(`],"LayersSize":%d,"Containers":[],"Volumes":[],"BuildCache":[]}`, images/2), strings.TrimSpace(tail[strings.Index(tail, "]"):])); diff != "" {
		t.Error(diff)
	}
}
