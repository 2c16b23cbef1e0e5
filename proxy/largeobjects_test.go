package proxy

import (
	"context"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"sockguard/policy/verdict"
)

// An owner's object with 8 MiB of labels, asked for a hundred times at once, takes the
// memory of a few answers, also while the clients do not read or the engine does not
// end. Other exchanges go on.
func TestLargeObjects(t *testing.T) {
	object := `{"Id":"` + idA + `","Config":{"Labels":{"com.buildkite.sockguard.owner":"team-a","x":"`
	large := strings.Repeat("a", 8<<20)
	endless, end := context.WithCancel(context.Background())
	send := func(w http.ResponseWriter, open string) {
		io.WriteString(w, open)
		io.WriteString(w, large)
		w.(http.Flusher).Flush()
		<-endless.Done()
	}
	rec := &recorder{answers: map[string]http.HandlerFunc{
		"GET /containers/json":       func(w http.ResponseWriter, _ *http.Request) { send(w, `[{"Id":"x","Labels":{"x":"`) },
		"GET /events":                func(w http.ResponseWriter, _ *http.Request) { send(w, `{"Actor":{"ID":"`) },
		"GET /containers/large/json": func(w http.ResponseWriter, _ *http.Request) { send(w, object) },
		"GET /containers/small/json": answer(object + `"}}}`),
	}}
	url := guardOf(t, rec, verdict.Policy{})
	for _, target := range []string{"/containers/json", "/events", "/containers/large/json"} {
		t.Run(target, func(t *testing.T) {
			heap := func() uint64 {
				runtime.GC()
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				return m.HeapAlloc
			}
			before := heap()
			ctx, leave := context.WithCancel(t.Context())
			var all sync.WaitGroup
			for range 100 {
				r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+target, nil)
				if err != nil {
					t.Fatal(err)
				}
				all.Go(func() {
					if resp, err := http.DefaultTransport.RoundTrip(r); err == nil {
						io.Copy(io.Discard, resp.Body)
						resp.Body.Close()
					}
				})
			}
			time.Sleep(2 * time.Second)
			grown := int64(heap()) - int64(before)
			t.Logf("the heap grew by %d MiB", grown>>20)
			if grown > 256<<20 { // without bounds 800 and more
				t.Errorf("the heap grew by %d MiB", grown>>20)
			}
			resp, err := http.Get(url + "/containers/small/json")
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				t.Errorf("beside them a small answer has the status %d", resp.StatusCode)
			}
			leave()
			all.Wait()
			time.Sleep(time.Second) // until the guard has seen it
		})
	}
	end()
}
