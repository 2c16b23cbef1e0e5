package proxy

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"sockguard/policy/verdict"
	"sockguard/proxy/upstream"
)

// BenchmarkInspectOwnership is the cost of asking whose a container is, on one
// connection to an engine on a unix socket: a request of the engine itself, the
// same through a guard that knows the full ID, and through one that must look a
// name up first. The engine here answers in no time, which the overhead is
// measured against.
func BenchmarkInspectOwnership(b *testing.B) {
	id := strings.Repeat("a", 64)
	body := `{"Id":"` + id + `","Config":{"Labels":{"com.buildkite.sockguard.owner":"team-a"}},"State":"` + strings.Repeat("x", 4<<10) + `"}`
	dir := b.TempDir()
	direct := listenTest(b, filepath.Join(dir, "engine"), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/version" {
			io.WriteString(w, `{"Version":"28.5.2","ApiVersion":"1.51"}`)
			return
		}
		io.WriteString(w, body)
	}))
	upstream, err := upstream.New("unix://"+direct, upstream.TLSFiles{})
	if err != nil {
		b.Fatal(err)
	}
	p := &verdict.Policy{Owner: "team-a", LabelKey: verdict.DefaultLabelKey}
	guard := listenTest(b, filepath.Join(dir, "guard"), NewGuard(p, upstream, slog.New(slog.NewJSONHandler(io.Discard, nil))))
	for _, bb := range []struct{ name, socket, ref string }{
		{"direct", direct, id},
		{"cached", guard, id},
		{"looked-up", guard, "web"},
	} {
		b.Run(bb.name, func(b *testing.B) {
			client := &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
				return net.Dial("unix", bb.socket)
			}}}
			defer client.CloseIdleConnections()
			b.ReportAllocs()
			for b.Loop() {
				resp, err := client.Get("http://engine/v1.51/containers/" + bb.ref + "/json")
				if err != nil {
					b.Fatal(err)
				}
				if n, err := io.Copy(io.Discard, resp.Body); err != nil || int(n) != len(body) {
					b.Fatalf("got %d bytes and %v, want %d", n, err, len(body))
				}
				resp.Body.Close()
			}
		})
	}
}

// listenTest serves h on a unix socket until the test ends.
func listenTest(b testing.TB, socket string, h http.Handler) string {
	b.Helper()
	ln, err := net.Listen("unix", socket)
	if err != nil {
		b.Fatal(err)
	}
	s := &http.Server{Handler: h}
	go s.Serve(ln)
	b.Cleanup(func() { s.Close() })
	return socket
}
