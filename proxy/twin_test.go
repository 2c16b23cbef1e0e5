package proxy

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sockguard/proxy/internal/testtar"
	"sockguard/rewrite/buildcontext"
)

const (
	baseID = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	twinID = "sha256:7777777777777777777777777777777777777777777777777777777777777777"
)

// imageJSON is an inspect answer.
func imageJSON(id, labels string) string {
	return `{"Id":"` + id + `","Os":"linux","Architecture":"amd64","RootFS":{"Layers":["sha256:1"]},"Config":{"Cmd":["sh"],` +
		`"Entrypoint":null,"WorkingDir":"/src","Volumes":{"/data":{},"/data/":{},"rel":{}},"OnBuild":["RUN make"],"Labels":` + labels + `}}`
}

var random = regexp.MustCompile(`sockguard-twin-[a-z0-9]+`)

// buildOn builds FROM base through a guard and returns what reached the engine,
// besides looks, and the answer.
func buildOn(t *testing.T, header http.Header, answers map[string]http.HandlerFunc) (lines []string, dockerfile, reply string) {
	t.Helper()
	rec, client := guarded(t, answers)
	r, err := http.NewRequest("POST", "http://guard/build?pull=0", strings.NewReader(testtar.Make(t, "Dockerfile", "FROM base\n")))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	rec.mu.Lock()
	defer rec.mu.Unlock()
	for _, got := range rec.requests {
		if strings.HasPrefix(got.Line, "GET ") {
			continue
		}
		if strings.Contains(got.Line, "/build?") {
			lines = append(lines, "build")
			if got.Err == nil {
				dockerfile = testtar.Text(t, got.Body, buildcontext.DockerfileName)
			}
			continue
		}
		line, err := url.PathUnescape(got.Line + " " + got.Header.Get("X-Registry-Auth") + got.Body)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, random.ReplaceAllString(line, "NAME"))
	}
	return lines, dockerfile, string(text)
}

var (
	createLine = `POST /v1.51/containers/create?name=NAME {"Image":"` + baseID + `","WorkingDir":"/","Entrypoint":["/"],` +
		`"Labels":{"com.buildkite.sockguard.owner":"team-a"},"HostConfig":{"NetworkMode":"none","LogConfig":{"Type":"none"},"Mounts":[{"Type":"tmpfs","Target":"/data"}]}}`
	commitLine = `POST /v1.51/commit?comment=labelled+twin+of+` + baseID + `&container=NAME&pause=0&repo=sockguard-twin&tag=` + tagOfTwin +
		` {"Cmd":["sh"],"Entrypoint":[],"Labels":{"a":"b","com.buildkite.sockguard.owner":"team-a"},"OnBuild":["RUN make"],` +
		`"Volumes":{"/data":{},"/data/":{},"rel":{}},"WorkingDir":"/src"}`
	removeLine = `DELETE /v1.51/containers/NAME?force=1&v=1 `
)

const (
	tagOfTwin = "abbccb795fe41acc4d4be052f4fb8653"
	ownLabels = `{"com.buildkite.sockguard.owner":"team-a"}`
)

func TestTwins(t *testing.T) {
	base, byID := "GET /images/base/json", "GET /images/"+baseID+"/json"
	source := answer(imageJSON(baseID, `{"a":"b"}`))
	for _, tt := range []struct {
		name    string
		answers map[string]http.HandlerFunc
		lines   []string
		from    string // what the build starts from
		reply   string
	}{
		{"made", map[string]http.HandlerFunc{base: source, byID: source, "POST /commit": answer(`{"Id":"` + twinID + `"}`)},
			[]string{createLine, commitLine, removeLine}, twinID, ""},
		{"found", map[string]http.HandlerFunc{base: source, byID: source, "GET /images/sockguard-twin:" + tagOfTwin + "/json": answer(imageJSON(twinID, ownLabels))},
			nil, twinID, ""},
		{"another image has its name", map[string]http.HandlerFunc{
			base: source, byID: source, "POST /commit": answer(`{"Id":"` + twinID + `"}`),
			"GET /images/sockguard-twin:" + tagOfTwin + "/json": answer(imageJSON(baseID, `{"com.buildkite.sockguard.owner":"team-b"}`)),
		}, []string{createLine, commitLine, removeLine}, twinID, ""},
		{"not made", map[string]http.HandlerFunc{base: source, byID: source, "POST /commit": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusInsufficientStorage)
			io.WriteString(w, `{"message":"no space"}`)
		}}, []string{createLine, commitLine, removeLine}, "", `{"message":"no space"}`},
		{"not needed", map[string]http.HandlerFunc{base: answer(imageJSON(baseID, ownLabels))}, nil, baseID, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			lines, dockerfile, reply := buildOn(t, nil, tt.answers)
			if tt.from != "" {
				tt.lines = append(tt.lines, "build")
			} else if n := len(lines) - 1; n >= 0 && lines[n] == "build" {
				lines = lines[:n] // the broken upload, which comes when it comes
			}
			if diff := cmp.Diff(tt.lines, lines); diff != "" {
				t.Error(diff)
			}
			if got, _, _ := strings.Cut(strings.TrimPrefix(dockerfile, "FROM "), "\n"); got != tt.from {
				t.Errorf("builds from %q, want %q", got, tt.from)
			}
			if strings.TrimSpace(reply) != tt.reply {
				t.Errorf("got %q, want %q", reply, tt.reply)
			}
		})
	}
}

func TestPulls(t *testing.T) {
	header := http.Header{"X-Registry-Config": {base64.URLEncoding.EncodeToString([]byte(`{"https://index.docker.io/v1/":{"username":"hub"}}`))}}
	digest := "sha256:" + strings.Repeat("d", 64)
	manifest := answer(`{"Descriptor":{"mediaType":"application/vnd.oci.image.index.v1+json","digest":"` + digest + `"},"Platforms":[]}`)
	pull := `POST /v1.51/images/create?fromImage=docker.io/library/base&tag=` + digest + " " + base64.URLEncoding.EncodeToString([]byte(`{"username":"hub"}`))
	name := "POST /v1.51/images/" + baseID + "/tag?repo=docker.io/library/base&tag=latest "
	there := false
	look := func(w http.ResponseWriter, _ *http.Request) {
		if !there {
			w.WriteHeader(http.StatusNotFound)
			io.WriteString(w, `{"message":"No such image"}`)
			return
		}
		io.WriteString(w, imageJSON(baseID, ownLabels))
	}
	lines, dockerfile, _ := buildOn(t, header, map[string]http.HandlerFunc{
		"GET /images/base/json": look, "GET /images/docker.io/library/base@" + digest + "/json": look,
		"GET /distribution/docker.io/library/base:latest/json": manifest, "POST /images/" + baseID + "/tag": answer(""),
		"POST /images/create": func(w http.ResponseWriter, _ *http.Request) {
			there = true
			io.WriteString(w, `{"status":"Pulling"}`+"\r\n"+`{"status":"x","progressDetail":{"current":1}}`+"\r\n")
		},
	})
	if diff := cmp.Diff([]string{pull, name, "build"}, lines); diff != "" {
		t.Error(diff)
	}
	if !strings.HasPrefix(dockerfile, "FROM "+baseID+"\n") {
		t.Errorf("got %q", dockerfile)
	}
	there = false
	none := "sha256:" + strings.Repeat("0", 64) // what is pulled when the registry tells no digest
	for _, failure := range []http.HandlerFunc{
		answer(`{"status":"Pulling"}` + "\n" + `{"errorDetail":{"message":"manifest for base@` + none + ` unknown"},"error":"manifest for docker.io/library/base@` + none + ` unknown"}`),
		func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNotFound)
			io.WriteString(w, `{"message":"manifest for docker.io/library/base@`+none+` unknown"}`)
		},
	} {
		_, dockerfile, reply := buildOn(t, nil, map[string]http.HandlerFunc{
			"GET /images/base/json": look, "GET /images/base:latest/json": look, "POST /images/create": failure,
		})
		if dockerfile != "" || strings.TrimSpace(reply) != `{"message":"manifest for docker.io/library/base:latest unknown"}` {
			t.Errorf("got %q and %q", dockerfile, reply)
		}
	}
}
