package main

import (
	"bufio"
	"bytes"
	"io"
	"net/http/httputil"
	"runtime/debug"
	"slices"
	"testing"
	"time"
)

// TestRewriteCostsLittle is the gate of CI: a rewrite may take so many times as
// long as a plain copy of the same bytes in the same run. Both read HTTP chunks
// and write to a buffer, as they do between two sockets. The bounds are far from
// what is measured: they catch what makes it slow, not what makes it slower.
func TestRewriteCostsLittle(t *testing.T) {
	for _, tt := range []struct {
		context buildContext
		most    float64
	}{
		{buildContext{Shape: "large", Size: 16 * mib}, 2.5},
		{buildContext{Shape: "small", Size: 16 * mib}, 5},
		{buildContext{Shape: "small", Size: 16 * mib, Last: true}, 5},
	} {
		var wire bytes.Buffer
		if err := tt.context.writeTo(&wire); err != nil {
			t.Fatal(err)
		}
		source := func() io.Reader {
			return httputil.NewChunkedReader(bufio.NewReader(bytes.NewReader(wire.Bytes())))
		}
		copied, rewritten := time.Hour, time.Hour
		for range 7 {
			copied = min(copied, timed(func() {
				io.CopyBuffer(&copier{}, onlyReader{source()}, make([]byte, 64<<10))
			}))
			rewritten = min(rewritten, timed(func() { rewriteContext(t, &copier{}, source()) }))
		}
		ratio := rewritten.Seconds() / copied.Seconds()
		t.Logf("%s: %.2f times a copy", tt.context, ratio)
		if most := tt.most * slowdown(); ratio > most {
			t.Errorf("%s: the rewrite takes %.1f times as long as a copy, want at most %.1f", tt.context, ratio, most)
		}
	}
}

// slowdown is how much more the race detector costs a rewrite than a copy.
func slowdown() float64 {
	info, _ := debug.ReadBuildInfo()
	if info != nil && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		return 3
	}
	return 1
}

func timed(f func()) time.Duration {
	begin := time.Now()
	f()
	return time.Since(begin)
}

// A copier takes a copy of what is written, as a socket does.
type copier struct{ buf [64 << 10]byte }

func (c *copier) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		rest = rest[copy(c.buf[:], rest):]
	}
	return len(p), nil
}
