package proxy

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sockguard/policy/verdict"
	"sockguard/proxy/upstream"
)

// What is not what was checked once it is made is removed, and the client does not
// learn of it. The refusal is one line of the log.
func TestMadeIsChecked(t *testing.T) {
	const one, two = "sha256:1111111111111111111111111111111111111111111111111111111111111111", "sha256:2222222222222222222222222222222222222222222222222222222222222222"
	for _, tt := range []struct {
		name, image, owner string // of what was made
		leaves             bool   // the client, meanwhile
		want               string
	}{
		{"as checked", one, "team-a", false, ""},
		{"another image", two, "team-a", false, "the image was exchanged"},
		{"another volume", one, "team-b", false, "volume v was exchanged"},
		{"nobody waits", two, "team-a", true, "the image was exchanged"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			creating, left := make(chan struct{}), make(chan struct{})
			rec := &recorder{answers: map[string]http.HandlerFunc{
				"GET /images/box/json":    answer(`{"Id":"` + one + `","Config":{}}`),
				"GET /volumes/" + nothing: missing("get " + nothing + ": no such volume"),
				"POST /containers/create": func(w http.ResponseWriter, r *http.Request) {
					if close(creating); tt.leaves {
						<-left
					}
					answer(`{"Id":"`+idA+`","Warnings":[]}`)(w, r)
				},
				"GET /containers/" + idA + "/json": answer(`{"Id":"` + idA + `","Image":"` + tt.image + `","Config":{"Labels":{"com.buildkite.sockguard.owner":"team-a"}},` +
					`"Mounts":[{"Type":"volume","Name":"v","Destination":"/x"},{"Type":"tmpfs","Destination":"/y"}]}`),
			}}
			rec.answers["GET /volumes/v"] = func(w http.ResponseWriter, r *http.Request) {
				select {
				case <-creating:
					answer(`{"Name":"v","Labels":{"com.buildkite.sockguard.owner":"`+tt.owner+`"}}`)(w, r)
				default:
					missing("get v: no such volume")(w, r)
				}
			}
			u, err := upstream.New("unix://"+listenTest(t, filepath.Join(t.TempDir(), "engine"), rec), upstream.TLSFiles{})
			if err != nil {
				t.Fatal(err)
			}
			var log bytes.Buffer
			g := NewGuard(&verdict.Policy{Owner: "team-a", LabelKey: verdict.DefaultLabelKey}, u, slog.New(slog.NewTextHandler(&log, nil)))
			done := make(chan struct{})
			front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				defer close(done)
				g.ServeHTTP(w, r)
			}))
			defer front.Close()
			r, err := http.NewRequest("POST", front.URL+"/containers/create", strings.NewReader(`{"Image":"box","HostConfig":{"Binds":["v:/x"]}}`))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/json")
			if tt.leaves {
				client := &http.Client{Timeout: 100 * time.Millisecond}
				if _, err := client.Do(r); err == nil {
					t.Error("the client got an answer")
				}
				time.Sleep(100 * time.Millisecond) // the guard sees it
				close(left)
			} else {
				resp, err := http.DefaultClient.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				body, err := io.ReadAll(resp.Body)
				if err != nil {
					t.Fatal(err)
				}
				text := string(body)
				switch {
				case tt.want == "" && (resp.StatusCode != 200 || !strings.Contains(text, idA)):
					t.Errorf("got %d %s", resp.StatusCode, text)
				case tt.want != "" && (resp.StatusCode != http.StatusForbidden || !strings.Contains(text, tt.want) || strings.Contains(text, idA)):
					t.Errorf("got %d %s, want %s", resp.StatusCode, text, tt.want)
				}
			}
			<-done
			removed := slices.ContainsFunc(rec.requests, func(r recorded) bool {
				return r.Line == "DELETE /v1.51/containers/"+idA+"?force=1&v=1"
			})
			if removed != (tt.want != "") {
				t.Errorf("the container is removed: %v\n%+v", removed, rec.requests)
			}
			if got := log.String(); strings.Count(got, "msg=request") != 1 || strings.Contains(got, "verdict=deny") != removed {
				t.Errorf("got the log\n%s", got)
			}
		})
	}
}

// Names in an answer that have moved meanwhile end the answer before it begins.
func TestSaveIsCheckedAgain(t *testing.T) {
	const one, two = "sha256:1111111111111111111111111111111111111111111111111111111111111111", "sha256:2222222222222222222222222222222222222222222222222222222222222222"
	for _, target := range []string{"/images/get?names=box:1", "/images/box:1/get"} {
		moved := false
		_, client := guarded(t, map[string]http.HandlerFunc{
			"GET /images/box:1/json": func(w http.ResponseWriter, r *http.Request) {
				id := one
				if moved {
					id = two
				}
				answer(`{"Id":"`+id+`","Config":{}}`)(w, r)
			},
			"GET /images/get":       func(w http.ResponseWriter, r *http.Request) { moved = true; answer("secret")(w, r) },
			"GET /images/box:1/get": func(w http.ResponseWriter, r *http.Request) { moved = true; answer("secret")(w, r) },
		})
		if status, _, text := send(t, client, "GET", target, "", ""); status != 403 || !strings.Contains(text, "was moved meanwhile") {
			t.Errorf("%s: got %d %s", target, status, text)
		}
	}
}

// The operator's container is found by its name once. While it exists, nothing else
// is taken for it; when it is gone, no owner's is. The network is joined by its ID.
func TestOperatorsContainerIsSettled(t *testing.T) {
	var containers map[string]string // inspections, by name and by ID
	unlabelled := func(id string) string { return `{"Id":"` + id + `","Config":{}}` }
	answers := map[string]http.HandlerFunc{"POST /networks/create": answer(`{"Id":"` + idB + `"}`)}
	for _, ref := range []string{"agent", idA, idB, sixtyFour[1:] + "c"} {
		answers["GET /containers/"+ref+"/json"] = func(w http.ResponseWriter, r *http.Request) {
			if text, ok := containers[ref]; ok {
				answer(text)(w, r)
				return
			}
			missing("No such container: "+ref)(w, r)
		}
	}
	rec := &recorder{answers: answers}
	url := guardOf(t, rec, verdict.Policy{Grants: verdict.Grants{JoinNetwork: "agent"}})
	third := sixtyFour[1:] + "c"
	for _, tt := range []struct {
		name       string
		containers map[string]string
		want       string // what joins
	}{
		{"found", map[string]string{"agent": unlabelled(idA), idA: unlabelled(idA)}, idA},
		{"it was renamed", map[string]string{"agent": unlabelled(idB), idA: unlabelled(idA)}, idA},
		{"its name is taken by an owner", map[string]string{"agent": ownedBy("team-b", idB), idB: ownedBy("team-b", idB)}, ""},
		{"it is nowhere", nil, ""},
		{"it is made anew", map[string]string{"agent": unlabelled(third), third: unlabelled(third)}, third},
	} {
		containers, rec.requests = tt.containers, nil
		resp, err := http.Post(url+"/networks/create", "application/json", strings.NewReader(`{"Name":"n"}`))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		joined := slices.ContainsFunc(rec.requests, func(r recorded) bool {
			return r.Line == "POST /v1.51/networks/"+idB+"/connect?" && r.Body == `{"Container":"`+tt.want+`"}`
		})
		if joined != (tt.want != "") || (resp.StatusCode == 200) != joined {
			t.Errorf("%s: got %d, joined is %v: %+v", tt.name, resp.StatusCode, joined, rec.requests)
		}
	}
}

// A container that is being made is in the engine's lists before it is checked. A
// request that names it waits, and then finds it removed.
func TestUncheckedContainerWaits(t *testing.T) {
	const one, two = "sha256:1111111111111111111111111111111111111111111111111111111111111111", "sha256:2222222222222222222222222222222222222222222222222222222222222222"
	creating, named := make(chan struct{}), make(chan struct{}, 1)
	var removed atomic.Bool
	container := func(w http.ResponseWriter, r *http.Request) {
		if removed.Load() {
			missing("No such container: evil")(w, r)
			return
		}
		answer(`{"Id":"`+idA+`","Image":"`+two+`","Config":{"Labels":{"com.buildkite.sockguard.owner":"team-a"}}}`)(w, r)
	}
	rec, client := guarded(t, map[string]http.HandlerFunc{
		"GET /images/box/json": answer(`{"Id":"` + one + `","Config":{}}`),
		"GET /containers/evil/json": func(w http.ResponseWriter, r *http.Request) {
			container(w, r)
			select {
			case named <- struct{}{}:
			default:
			}
		},
		"GET /containers/" + idA + "/json":     container,
		"GET /containers/" + nothing + "/json": missing("No such container: " + nothing),
		"POST /containers/create": func(w http.ResponseWriter, r *http.Request) {
			close(creating)
			<-named // the start has looked the name up
			answer(`{"Id":"`+idA+`"}`)(w, r)
		},
		"DELETE /containers/" + idA: func(http.ResponseWriter, *http.Request) { removed.Store(true) },
	})
	created := make(chan int, 1)
	go func() {
		status, _, _ := send(t, client, "POST", "/containers/create?name=evil", "application/json", `{"Image":"box"}`)
		created <- status
	}()
	<-creating
	if status, _, text := send(t, client, "POST", "/containers/evil/start", "", ""); status != 404 {
		t.Errorf("start got %d %s", status, text)
	}
	if status := <-created; status != 403 {
		t.Errorf("create got %d", status)
	}
	rec.mu.Lock()
	defer rec.mu.Unlock()
	for _, r := range rec.requests {
		if strings.Contains(r.Line, "/start") {
			t.Errorf("the engine gets %s", r.Line)
		}
	}
}

// An image can make the engine's answer long: a warning names its platform. The container
// cannot be checked then and is removed.
func TestMadeWithALongAnswer(t *testing.T) {
	rec, client := guarded(t, map[string]http.HandlerFunc{
		"GET /images/box/json":    answer(`{"Id":"` + baseID + `","Config":{}}`),
		"POST /containers/create": answer(`{"Id":"` + idA + `","Warnings":["` + strings.Repeat("x", 2*maxShort) + `"]}`),
	})
	if status, _, text := send(t, client, "POST", "/containers/create", "application/json", `{"Image":"box"}`); status != http.StatusBadGateway {
		t.Errorf("got %d %.200s", status, text)
	}
	if got, want := rec.last(t).Line, "DELETE /v1.51/containers/"+idA+"?force=1&v=1"; got != want {
		t.Errorf("got %s at last, want %s", got, want)
	}
}
