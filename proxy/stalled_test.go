package proxy

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"sockguard/policy/verdict"
)

// Uploads that never end hold the windows of a few decoders, however many there are.
// The others are refused.
func TestStalledUploads(t *testing.T) {
	var packed bytes.Buffer
	z, err := zstd.NewWriter(&packed, zstd.WithWindowSize(8<<20), zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(z)
	if err := w.WriteHeader(&tar.Header{Name: "zeros", Mode: 0o644, Size: 32 << 20}); err != nil {
		t.Fatal(err)
	}
	w.Write(make([]byte, 16<<20))
	z.Flush()

	url := guardOf(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/version" {
			io.WriteString(w, `{"Version":"28.5.2","ApiVersion":"1.51"}`)
			return
		}
		io.Copy(io.Discard, r.Body)
	}), verdict.Policy{})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	var all sync.WaitGroup
	var busy atomic.Int64
	const uploads = 60
	for range uploads {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/build", io.MultiReader(bytes.NewReader(packed.Bytes()), untilDone{ctx}))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-tar")
		all.Go(func() {
			resp, err := (&http.Transport{}).RoundTrip(r)
			if err != nil {
				return
			}
			if resp.StatusCode == http.StatusServiceUnavailable {
				busy.Add(1)
			}
			resp.Body.Close()
		})
	}
	for end := time.Now().Add(30 * time.Second); busy.Load() < uploads/2 && time.Now().Before(end); {
		time.Sleep(100 * time.Millisecond)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	grown := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	t.Logf("%d uploads: the heap grew by %d MiB; %d were refused", uploads, grown>>20, busy.Load())
	if grown > 256<<20 || busy.Load() < uploads/2 {
		t.Errorf("%d uploads made the heap grow by %d MiB; %d were refused", uploads, grown>>20, busy.Load())
	}
	leave()
	all.Wait()
}

// untilDone blocks until its context ends.
type untilDone struct{ ctx context.Context }

func (u untilDone) Read([]byte) (int, error) {
	<-u.ctx.Done()
	return 0, u.ctx.Err()
}
