package proxy

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sockguard/policy/verdict"
	"sockguard/proxy/engine"
)

var (
	idA = strings.Repeat("a", 64)
	idB = strings.Repeat("b", 64)
)

// ownedBy is the inspection of a container, with more in it than is read.
func ownedBy(owner, id string) string {
	return fmt.Sprintf("{\"Id\": %q,\n \"State\":{\"Pid\":1}, \"Config\":{\"Labels\":{\"com.buildkite.sockguard.owner\":%q}}}\n", id, owner)
}

func missing(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		io.WriteString(w, `{"message":"`+text+`"}`)
	}
}

// lookUpAnswers are an engine with own and foreign things.
func lookUpAnswers() map[string]http.HandlerFunc {
	const labels = `"Labels":{"com.buildkite.sockguard.owner":"team-a"}`
	image := `{"Id":"sha256:` + idA + `","Config":{` + labels + `}}`
	network := `{"Id":"` + idA + `","Name":"net",` + labels + `,"Containers":{"` + idA + `":{},"` + idB + `":{}}}`
	return map[string]http.HandlerFunc{
		"GET /containers/web/json":                        answer(ownedBy("team-a", idA)),
		"GET /containers/" + idA + "/json":                answer(ownedBy("team-a", idA)),
		"GET /containers/theirs/json":                     answer(ownedBy("b", idB)),
		"GET /containers/" + idB + "/json":                answer(ownedBy("b", idB)),
		"GET /containers/none/json":                       missing("No such container: none"),
		"GET /containers/sockguard-asks-for-nothing/json": missing("No such container: sockguard-asks-for-nothing"),
		"GET /containers/broken/json":                     answer(`{"Id":"`),
		"GET /exec/e1/json":                               answer(`{"ID":"e1","ContainerID":"web","Running":true}`),
		"GET /volumes/vol":                                answer(`{"Name":"vol",` + labels + `}`),
		"GET /images/box:1/json":                          answer(image),
		"GET /images/sha256:" + idA + "/json":             answer(image),
		"GET /networks/net":                               answer(network),
		"GET /networks/" + idA:                            answer(network),
	}
}

// An inspection by name is one request to the engine, and its answer is the
// engine's, to the byte. What has parameters or is filtered is asked for again.
func TestLookUpIsTheAnswer(t *testing.T) {
	const web, nobody = "/containers/web/json?", "/containers/sockguard-asks-for-nothing/json?"
	for _, tt := range []struct {
		target  string
		status  int
		want    string // the body, or which of the engine's answers it is
		reached []string
	}{
		{"/v1.44/containers/web/json", 200, "GET /containers/web/json", []string{"/v1.44" + web}},
		{"/containers/web/json", 200, "GET /containers/web/json", []string{"/v1.51" + web}},
		{"/v1.44/containers/web/json?size=1", 200, "GET /containers/web/json", []string{web, "/v1.44/containers/" + idA + "/json?size=1"}},
		{"/v1.44/containers/" + idA + "/json", 200, "GET /containers/web/json", []string{"/v1.44/containers/" + idA + "/json?"}},
		{"/v1.44/volumes/vol", 200, "GET /volumes/vol", []string{"/v1.44/volumes/vol?"}},
		{"/v1.44/images/box:1/json", 200, "GET /images/box:1/json", []string{"/v1.44/images/box:1/json?"}},
		{
			"/v1.44/images/box:1/json?manifests=1", 200, said(lookUpAnswers()["GET /images/box:1/json"]),
			[]string{"/images/box:1/json?", "/v1.44/images/sha256:" + idA + "/json?manifests=1"},
		},
		{"/v1.44/exec/e1/json", 200, "GET /exec/e1/json", []string{"/v1.44/exec/e1/json?", web}},
		{
			"/v1.44/networks/net", 200, `{"Id":"` + idA + `","Name":"net","Labels":{"com.buildkite.sockguard.owner":"team-a"},"Containers":{"` + idA + `":{}}}`,
			[]string{"/v1.44/networks/net?", "/v1.44/networks/" + idA + "?", "/containers/" + idA + "/json?", "/containers/" + idB + "/json?", nobody},
		},
		{"/v1.44/containers/theirs/json", 404, `{"message":"No such container: theirs"}` + "\n", []string{"/v1.44/containers/theirs/json?", nobody}},
		{"/v1.44/containers/none/json", 404, `{"message":"No such container: none"}` + "\n", []string{"/v1.44/containers/none/json?", nobody}},
		{
			"/v1.44/containers/broken/json", 502,
			`{"message":"sockguard: the engine cannot be asked right now; try again or ask the operator to look at sockguard's log"}` + "\n",
			[]string{"/v1.44/containers/broken/json?"},
		},
	} {
		t.Run(tt.target, func(t *testing.T) {
			rec, client := guarded(t, lookUpAnswers())
			want := tt.want
			if h := rec.answers[want]; h != nil {
				want = said(h)
			}
			status, contentType, body := send(t, client, "GET", tt.target, "", "")
			if status != tt.status || contentType != "application/json" || body != want {
				t.Errorf("got %d %s\n%s, want %d\n%s", status, contentType, body, tt.status, want)
			}
			if diff := cmp.Diff(tt.reached, targets(rec)); diff != "" {
				t.Errorf("the engine gets: %s", diff)
			}
		})
	}
}

// said is what an engine's answer says.
func said(h http.HandlerFunc) string {
	w := httptest.NewRecorder()
	h(w, nil)
	return w.Body.String()
}

// targets are the requests that reached the engine, all of them GETs.
func targets(rec *recorder) (all []string) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	for _, r := range rec.requests {
		all = append(all, strings.TrimPrefix(r.Line, "GET "))
	}
	return all
}

// A HEAD is no inspection, and is refused without asking.
func TestLookUpOfHead(t *testing.T) {
	rec, client := guarded(t, lookUpAnswers())
	if status, _, body := send(t, client, "HEAD", "/containers/web/json", "", ""); status != http.StatusNotImplemented || body != "" {
		t.Errorf("got %d %q", status, body)
	}
	if diff := cmp.Diff([]string(nil), targets(rec)); diff != "" {
		t.Errorf("the engine gets: %s", diff)
	}
}

// A name that goes from the owner's container to another one between two
// requests never shows the other one.
func TestLookUpOfAMovingName(t *testing.T) {
	for _, query := range []string{"", "?size=1"} {
		answers := lookUpAnswers()
		var asked atomic.Int32
		answers["GET /containers/web/json"] = func(w http.ResponseWriter, _ *http.Request) {
			if asked.Add(1) == 1 {
				io.WriteString(w, ownedBy("team-a", idA))
			} else {
				io.WriteString(w, ownedBy("b", idB))
			}
		}
		_, client := guarded(t, answers)
		if status, _, body := send(t, client, "GET", "/containers/web/json"+query, "", ""); status != 200 || body != ownedBy("team-a", idA) {
			t.Errorf("first got %d %s", status, body)
		}
		if status, _, body := send(t, client, "GET", "/containers/web/json"+query, "", ""); status != 404 || strings.Contains(body, idB) {
			t.Errorf("then got %d %s", status, body)
		}
	}
}

// Each of many clients at once gets the answer to its own question.
func TestLookUpsAtOnce(t *testing.T) {
	answers := map[string]http.HandlerFunc{"GET /containers/sockguard-asks-for-nothing/json": missing("No such container: sockguard-asks-for-nothing")}
	want := make([]string, 16)
	for i := range want {
		owner, id := "team-a", fmt.Sprintf("%064x", i)
		want[i] = ownedBy(owner, id)
		if i%4 == 3 {
			owner, want[i] = "b", fmt.Sprintf("{\"message\":\"No such container: c%d\"}\n", i)
		}
		answers[fmt.Sprintf("GET /containers/c%d/json", i)] = answer(ownedBy(owner, id))
	}
	_, client := guarded(t, answers)
	var wg sync.WaitGroup
	for i := range want {
		wg.Go(func() {
			for range 20 {
				resp, err := client.Get(fmt.Sprintf("http://guard/containers/c%d/json", i))
				if err != nil {
					t.Error(err)
					return
				}
				body, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if err != nil || string(body) != want[i] {
					t.Errorf("c%d: got %s, %v", i, body, err)
				}
			}
		})
	}
	wg.Wait()
}

// A policy that only watches passes on what it would refuse, and an inspection
// that it would not refuse is still one request.
func TestLookUpThatIsOnlyWatched(t *testing.T) {
	rec := &recorder{answers: lookUpAnswers()}
	base := guardOf(t, rec, verdict.Policy{AuditOnly: true})
	for _, name := range []string{"web", "theirs"} {
		resp, err := http.Get(base + "/v1.44/containers/" + name + "/json")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if want := said(rec.answers["GET /containers/"+name+"/json"]); err != nil || string(body) != want {
			t.Errorf("%s: got %s, %v", name, body, err)
		}
	}
	if diff := cmp.Diff([]string{
		"/v1.44/containers/web/json?",
		"/v1.44/containers/theirs/json?", "/containers/sockguard-asks-for-nothing/json?", "/v1.44/containers/theirs/json?",
	}, targets(rec)); diff != "" {
		t.Errorf("the engine gets: %s", diff)
	}
}

// What was seen is the answer only if nothing else was decided than to show it.
func TestAnswered(t *testing.T) {
	pass := func(io.Writer, io.Reader) error { return nil }
	for name, tt := range map[string]struct {
		decision verdict.Decision
		seen     *engine.Inspection
		want     bool
	}{
		"the object":      {verdict.Decision{Name: "a"}, &engine.Inspection{ID: "a"}, true},
		"nothing seen":    {verdict.Decision{Name: "a"}, nil, false},
		"another object":  {verdict.Decision{Name: "a"}, &engine.Inspection{ID: "b"}, false},
		"a query":         {verdict.Decision{Name: "a", Query: url.Values{"size": {"1"}}}, &engine.Inspection{ID: "a"}, false},
		"a filter":        {verdict.Decision{Name: "a", Response: pass}, &engine.Inspection{ID: "a"}, false},
		"a judgement":     {verdict.Decision{Name: "a", Verify: func([]byte) error { return nil }}, &engine.Inspection{ID: "a"}, false},
		"something first": {verdict.Decision{Name: "a", Before: []verdict.EngineCall{{}}}, &engine.Inspection{ID: "a"}, false},
		"something after": {verdict.Decision{Name: "a", After: []verdict.EngineCall{{}}}, &engine.Inspection{ID: "a"}, false},
		"only watched":    {verdict.Decision{}, &engine.Inspection{ID: "a"}, false},
	} {
		if got := (&exchange{decision: &tt.decision, caller: engine.Caller{Inspection: tt.seen}}).answered(); got != tt.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
	if (&exchange{caller: engine.Caller{Inspection: &engine.Inspection{}}}).answered() {
		t.Error("answered without a decision")
	}
}

// What is remembered of a container belongs to its ID: a name that changes hands
// is decided anew each time, however the engine writes.
func TestLookUpFollowsTheName(t *testing.T) {
	var now atomic.Value
	url := guardOf(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/version") {
			io.WriteString(w, `{"Version":"28.5.2","ApiVersion":"1.51"}`)
			return
		}
		io.WriteString(w, now.Load().(string))
	}), verdict.Policy{})
	for _, format := range []string{
		`{"Id":"%s","Config":{"Labels":{"com.buildkite.sockguard.owner":"%s"}}}`,
		`{ "Config":{"Labels":{"com.buildkite.sockguard.owner":"%[2]s"}},"Id":"%[1]s"}`,
	} {
		for range 3 {
			for owner, id := range map[string]string{"team-a": idA, "team-b": idB} {
				text := fmt.Sprintf(format, id, owner)
				now.Store(text)
				resp, err := http.Get(url + "/v1.44/containers/web/json")
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if err != nil || (string(body) == text) != (owner == "team-a") {
					t.Errorf("the container of %s: got %d %q, %v", owner, resp.StatusCode, body, err)
				}
			}
		}
	}
}
