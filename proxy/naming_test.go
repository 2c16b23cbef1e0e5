package proxy

import (
	"context"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sockguard/proxy/internal/testtar"
)

// Names are given after the work, by the ID of what was made, and only to an image of
// the owner's. The engine is not told them before.
func TestNamesAreGivenAfterwards(t *testing.T) {
	const made, theirs = twinID, baseID
	context := testtar.Make(t, "Dockerfile", "FROM scratch\nCOPY . /\n")
	aux := func(id string) string { return `{"id":"moby.image.id","aux":{"ID":"` + id + `"}}` + "\r\n" }
	printed := func(text string) string { return `{"stream":"` + text + `\n"}` + "\r\n" }
	gives := func(names ...string) (lines []string) {
		for _, name := range names {
			repo, tag, _ := strings.Cut(name, ":")
			lines = append(lines, "POST /v1.51/images/"+made+"/tag?repo=docker.io%2Flibrary%2F"+repo+"&tag="+tag)
		}
		return lines
	}
	for _, tt := range []struct {
		name, target, body string
		answer             string
		status             int
		reply              string // its end
		given              []string
	}{
		{"build", "/build?t=a&t=a:latest&t=b:1", context, aux(theirs) + aux(made) + printed("Successfully built 777777777777"), 200,
			printed("Successfully tagged a:latest") + printed("Successfully tagged b:1"), gives("a:latest", "b:1")},
		{"quiet build", "/build?q=1&t=a", context, printed(made), 200, printed(made), gives("a:latest")},
		{"an ID that a step prints", "/build?t=a", context, printed(made), 200, "ask the operator to look at sockguard's log\"}\r\n", nil},
		{"a build that fails after its image", "/build?t=a", context, aux(made) + `{"errorDetail":{"message":"m"},"error":"m"}`, 200, `"error":"m"}`, nil},
		{"a build that fails with a long error", "/build?t=a", context, aux(made) + `{"errorDetail":{"message":"` + strings.Repeat("m", 2<<20) + `"},"error":"m"}`, 200, `"error":"m"}`, nil},
		{"a build with a long step", "/build?t=a", context, printed("Step 1/2 : RUN "+strings.Repeat("m", 2<<20)) + aux(made), 200, printed("Successfully tagged a:latest"), gives("a:latest")},
		{"an image of another", "/build?t=a", context, aux(theirs), 200, "is not yours: others would take it for a shared image; build an image FROM it and name that\"}\r\n", nil},
		{"the name is taken", "/build?t=a&t=taken&t=b", context, aux(made), 403, "", nil},
		{"import", "/images/create?fromSrc=-&repo=a&tag=2", "", `{"status":"` + made + `"}` + "\r\n", 200, made + `"}` + "\r\n", gives("a:2")},
		{"commit", "/commit?container=web&repo=a", "", `{"Id":"` + made + `"}`, 200, `{"Id":"` + made + `"}`, gives("a:latest")},
		{"tag", "/images/own/tag?repo=a", "", "", 201, "", gives("a:latest")},
		{"tag of a shared image", "/images/shared/tag?repo=a", "", `{"Id":"` + made + `"}`, 201, "", gives("a:latest")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rec, client := guarded(t, map[string]http.HandlerFunc{
				"POST /build": answer(tt.answer), "POST /images/create": answer(tt.answer), "POST /commit": answer(tt.answer),
				"GET /containers/web/json":        answer(ownedBy("team-a", idA)),
				"GET /images/own/json":            answer(imageJSON(made, ownLabels)),
				"GET /images/shared/json":         answer(imageJSON(baseID, "null")),
				"GET /images/" + baseID + "/json": answer(imageJSON(baseID, "null")),
				"GET /images/" + made + "/json":   answer(imageJSON(made, ownLabels)),
				"GET /images/taken:latest/json":   answer(imageJSON(baseID, "null")),
				"POST /images/" + made + "/tag":   answer(""),
			})
			status, _, text := send(t, client, "POST", tt.target, "", tt.body)
			if status != tt.status || !strings.HasSuffix(text, tt.reply) {
				t.Errorf("got %d %q, want %d and %q", status, text, tt.status, tt.reply)
			}
			var given []string
			for _, r := range rec.requests {
				if strings.Contains(r.Line, "/tag?") {
					given = append(given, r.Line)
				} else if strings.Contains(r.Line, "t=a") || strings.Contains(r.Line, "repo=a") {
					t.Errorf("the engine is told a name: %s", r.Line)
				}
			}
			if diff := cmp.Diff(tt.given, given); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A loaded image has a name that nobody can guess until it gets its own. A name that
// was taken meanwhile ends the answer with the reason.
func TestLoadedImagesAreNamed(t *testing.T) {
	var rec *recorder
	taken := false
	made := answer(imageJSON(twinID, ownLabels))
	interim := regexp.MustCompile(`sockguard-load:[A-Z0-9]+`)
	answers := map[string]http.HandlerFunc{
		"GET /images/" + twinID + "/json": made,
		"GET /images/late:1/json": func(w http.ResponseWriter, _ *http.Request) {
			if !taken {
				w.WriteHeader(http.StatusNotFound)
			}
			io.WriteString(w, imageJSON(baseID, "null"))
		},
		"POST /images/" + twinID + "/tag": answer(""),
	}
	answers["POST /images/load"] = func(w http.ResponseWriter, _ *http.Request) {
		taken = true
		for _, name := range interim.FindAllString(testtar.Text(t, rec.last(t).Body, "manifest.json"), -1) {
			answers["GET /images/"+name+"/json"] = made
			io.WriteString(w, `{"stream":"Unpacking docker.io/library/`+name+`\n"}`+"\r\n"+`{"stream":"Loaded image: `+name+`\n"}`+"\r\n")
		}
		io.WriteString(w, `{"stream":"Loaded image: sockguard-load:X\n"}`+"\r\n")
	}
	rec, client := guarded(t, answers)
	body := testtar.Make(t, "c", "{}", "manifest.json", `[{"Config":"c","RepoTags":["a:1","late:1"],"Layers":[]}]`)
	_, _, text := send(t, client, "POST", "/images/load", "", body)
	unpacking := func(name string) string { return `{"stream":"Unpacking ` + name + `\n"}` + "\r\n" }
	if want := unpacking("a:1") + `{"stream":"Loaded image: a:1\n"}` + "\r\n" + unpacking("late:1") + `{"errorDetail":{"message":"sockguard: image name late:1 is taken`; !strings.HasPrefix(text, want) {
		t.Errorf("got %s, want %s", text, want)
	}
	var lines []string
	for _, r := range rec.requests {
		if strings.HasPrefix(r.Line, "GET ") {
			continue
		}
		lines = append(lines, interim.ReplaceAllString(strings.TrimPrefix(r.Line, "POST "), "INTERIM"))
	}
	remove := "DELETE /v1.51/images/INTERIM?force=1&noprune=1"
	want := []string{"/v1.51/images/load?", "/v1.51/images/" + twinID + "/tag?repo=docker.io%2Flibrary%2Fa&tag=1", remove, remove}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
}

// A client that leaves while its images are loaded leaves no interim name behind.
func TestInterimNamesOfALoadThatIsCut(t *testing.T) {
	ctx, leave := context.WithCancel(t.Context())
	rec, client := guarded(t, map[string]http.HandlerFunc{
		"POST /images/load": func(_ http.ResponseWriter, r *http.Request) {
			leave()
			<-r.Context().Done()
		},
	})
	body := testtar.Make(t, "c", "{}", "manifest.json", `[{"Config":"c","RepoTags":["a:1"],"Layers":[]}]`)
	r, err := http.NewRequestWithContext(ctx, "POST", "http://docker/images/load", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := client.Do(r); err == nil {
		resp.Body.Close()
		t.Fatal("the load was answered")
	}
	for range 1000 {
		rec.mu.Lock()
		last := rec.requests[len(rec.requests)-1].Line
		rec.mu.Unlock()
		if strings.HasPrefix(last, "DELETE ") && strings.Contains(last, "/images/sockguard-load:") {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("the interim name is still there")
}
