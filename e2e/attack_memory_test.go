package e2e

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"sockguard/e2e/engine"
)

// A process is a guard whose memory and log are looked at.
type process struct {
	pid int
	log *syncBuffer
}

// newProcessGuard starts sockguard on this host, on an address of the test's.
func newProcessGuard(t *testing.T, listen string, env ...string) (*guard, *process) {
	t.Helper()
	g := &guard{owner: "e2e-" + strings.ToLower(rand.Text()[:10]), host: listen}
	t.Cleanup(func() { g.sweep(t) })
	ctx, stop := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, e2e.binary, "serve", "--listen", listen, "--upstream", e2e.host, "--owner", g.owner)
	cmd.Env = append(os.Environ(), env...)
	p := &process{log: new(syncBuffer)}
	cmd.Stderr = p.log
	if err := cmd.Start(); err != nil {
		stop()
		t.Fatal(err)
	}
	p.pid = cmd.Process.Pid
	t.Cleanup(func() {
		stop()
		cmd.Wait()
	})
	api, err := engine.Await(t.Context(), listen)
	if err != nil {
		t.Fatal(err)
	}
	api.Close()
	return g, p
}

// peak is the most memory that the process has had.
func (p *process) peak(t *testing.T) uint64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.pid))
	if err != nil {
		t.Fatalf("the guard is gone: %v\n%s", err, p.log)
	}
	kib, err := strconv.ParseUint(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(between(string(status), "VmHWM:", "\n")), "kB")), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kib << 10
}

// cpu is the time that the process has had on CPUs.
func (p *process) cpu(t *testing.T) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.pid))
	if err != nil {
		t.Fatalf("the guard is gone: %v\n%s", err, p.log)
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(after)
	user, err1 := strconv.Atoi(fields[11])
	system, err2 := strconv.Atoi(fields[12])
	if err := cmp.Or(err1, err2); err != nil {
		t.Fatal(err)
	}
	return time.Duration(user+system) * 10 * time.Millisecond
}

func unixSocket(t *testing.T) string {
	t.Helper()
	return "unix://" + t.TempDir() + "/guard.sock"
}

// An image archive is bounded by what it makes, not by its size: many
// descriptors of one manifest with many layers.
func TestAttackMemoryOfLoad(t *testing.T) {
	need(t)
	const n = 1500
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	blobs := map[string][]byte{}
	blob := func(kind string, text []byte) (descriptor string) {
		digest := fmt.Sprintf("sha256:%x", sha256.Sum256(text))
		blobs[digest] = text
		return fmt.Sprintf(`{"mediaType":"application/vnd.oci.image.%s","digest":%q,"size":%d}`, kind, digest, len(text))
	}
	layer := make([]byte, 1024)
	var layers, ids, images []string
	for i := range n {
		layers = append(layers, blob("layer.v1.tar", fmt.Appendf(nil, "%d%s", i, layer)))
		ids = append(ids, fmt.Sprintf(`"sha256:%x"`, sha256.Sum256([]byte(layers[i]))))
	}
	config := blob("config.v1+json", fmt.Appendf(nil, `{"os":"linux","architecture":"amd64","config":{},"rootfs":{"type":"layers","diff_ids":[%s]}}`, strings.Join(ids, ",")))
	manifest := blob("manifest.v1+json", fmt.Appendf(nil, `{"schemaVersion":2,"config":%s,"layers":[%s]}`, config, strings.Join(layers, ",")))
	for range n {
		images = append(images, manifest)
	}
	file := func(name string, text []byte) {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(text))}); err != nil {
			t.Fatal(err)
		}
		w.Write(text)
	}
	for digest, text := range blobs {
		file("blobs/sha256/"+strings.TrimPrefix(digest, "sha256:"), text)
	}
	file("index.json", fmt.Appendf(nil, `{"schemaVersion":2,"manifests":[%s]}`, strings.Join(images, ",")))
	file("oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`))
	w.Close()
	z.Close()
	g, p := newProcessGuard(t, unixSocket(t))
	before := p.peak(t)
	got := g.tarred(t, "/images/load", b.Bytes())
	t.Logf("an archive of %d KiB: the guard grew by %d MiB; it answers %d %.200s", b.Len()>>10, (p.peak(t)-before)>>20, got.status, got.body)
	if grown := p.peak(t) - before; grown > 64<<20 {
		t.Errorf("an archive of %d KiB made the guard grow by %d MiB, want 64 at most", b.Len()>>10, grown>>20)
	}
}

// A context of few bytes costs little memory and time, whatever it says.
func TestAttackCostOfContext(t *testing.T) {
	need(t)
	const refused = "LABEL " + engine.OwnerLabel + "=evil\n" // so that no engine builds it
	const fails = "FROM scratch\nCOPY absent /\n"
	question := strings.Repeat("?", 32000)
	manyQuestions, manyStars := new(strings.Builder), new(strings.Builder)
	for i := range 16 {
		fmt.Fprintf(manyQuestions, "%s%d\n", question, i)
		fmt.Fprintf(manyStars, "%s%d\n", strings.Repeat("*/", 16000), i)
	}
	argNames, argValues := new(strings.Builder), new(strings.Builder)
	fmt.Fprintf(argNames, "ARG L=%s\n", strings.Repeat("x", 50000))
	for i := range 5000 {
		fmt.Fprintf(argNames, "ARG ${L}%d\n", i)
	}
	fmt.Fprint(argNames, "FROM scratch\n"+refused)
	fmt.Fprintf(argValues, "ARG L0=%s\n", strings.Repeat("x", 50000))
	for i := range 3000 {
		fmt.Fprintf(argValues, "ARG L%d=$L0$L0\n", i+1)
	}
	fmt.Fprint(argValues, "FROM scratch\n"+refused)
	for _, tt := range []struct{ name, dockerfile, ignore string }{
		{"ARG names that expand", argNames.String(), ""},
		{"ARG values that expand", argValues.String(), ""},
		{"one long pattern", fails, question + "\n"},
		{"long patterns", fails, manyQuestions.String()},
		{"patterns of many parts", fails, manyStars.String()},
		{"one pattern of many stars", fails, strings.Repeat("*a", 16000) + "\n"},
		{"many patterns", fails, strings.Repeat("a*b?c\n", 150000)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b bytes.Buffer
			w := tar.NewWriter(&b)
			for name, text := range map[string]string{"Dockerfile": tt.dockerfile, ".dockerignore": tt.ignore} {
				if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(text))}); err != nil {
					t.Fatal(err)
				}
				io.WriteString(w, text)
			}
			w.Close()
			size := b.Len()
			g, p := newProcessGuard(t, unixSocket(t))
			peak, cpu := p.peak(t), p.cpu(t)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			got, _ := g.try(ctx, "POST", "/build", b.String(), http.Header{"Content-Type": {"application/x-tar"}})
			grown, took := (p.peak(t)-peak)>>20, p.cpu(t)-cpu
			t.Logf("a context of %d KiB: %v of CPU, %d MiB; the guard says %.200s", size>>10, took, grown, got.body)
			if took > time.Second || grown > 32 {
				t.Errorf("a context of %d KiB took %v of CPU and %d MiB, want 1 s and 32 MiB at most", size>>10, took, grown)
			}
			time.Sleep(time.Second)
			cpu = p.cpu(t)
			time.Sleep(time.Second)
			if on := p.cpu(t) - cpu; on > 500*time.Millisecond {
				t.Errorf("after the client has left, %v of a second's CPU go on", on)
			}
		})
	}
}

// However many bodies are on their way, the process has room for a fixed number.
func TestAttackMemoryOfBodies(t *testing.T) {
	need(t)
	g, p := newProcessGuard(t, unixSocket(t))
	before := p.peak(t)
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			body := io.MultiReader(strings.NewReader(`{"Image":"x","Env":["`), io.LimitReader(endless{}, 4<<20-1000), untilDone{ctx})
			r, err := http.NewRequestWithContext(ctx, "POST", "http://guard/containers/create", body)
			if err != nil {
				t.Error(err)
				return
			}
			r.Header.Set("Content-Type", "application/json")
			transport := unixTransport(strings.TrimPrefix(g.host, "unix://"))
			defer transport.CloseIdleConnections()
			if resp, err := transport.RoundTrip(r); err == nil {
				resp.Body.Close()
			}
		})
	}
	time.Sleep(5 * time.Second)
	grown := p.peak(t) - before
	t.Logf("a hundred bodies of 4 MiB: the guard grew by %d MiB", grown>>20)
	if grown > 128<<20 {
		t.Errorf("a hundred bodies of 4 MiB made the guard grow by %d MiB, want 128 at most", grown>>20)
	}
	for range 3 { // small requests pass all the while
		if got := g.http(t, "POST", "/containers/create", `{"Image":"none-`+g.owner+`"}`); got.status != 404 {
			t.Errorf("a small body beside them: got %+v", got)
		}
	}
	cancel()
	all.Wait()
}

// endless reads as letters without end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

// untilDone blocks until its context ends.
type untilDone struct{ ctx context.Context }

func (u untilDone) Read([]byte) (int, error) {
	<-u.ctx.Done()
	return 0, u.ctx.Err()
}

// An upload does not force a collection of the whole heap.
func TestAttackForcedCollections(t *testing.T) {
	need(t)
	g, p := newProcessGuard(t, unixSocket(t), "GODEBUG=gctrace=1")
	var plain, packed bytes.Buffer
	w := tar.NewWriter(&plain)
	text := "FROM scratch\nLABEL " + engine.OwnerLabel + "=evil\n"
	if err := w.WriteHeader(&tar.Header{Name: "Dockerfile", Mode: 0o644, Size: int64(len(text))}); err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, text)
	w.Close()
	z, err := zstd.NewWriter(&packed)
	if err != nil {
		t.Fatal(err)
	}
	z.Write(plain.Bytes())
	z.Close()
	const uploads = 40
	for range uploads {
		if got := g.tarred(t, "/build", packed.Bytes()); !strings.Contains(got.body, "sockguard") {
			t.Fatalf("got %+v", got)
		}
	}
	if forced := strings.Count(p.log.String(), "(forced)"); forced > uploads/10 {
		t.Errorf("%d zstd uploads forced %d collections", uploads, forced)
	}
}
