package main

import (
	"bytes"
	"io"
	"runtime/debug"
	"slices"
	"testing"
	"time"
)

// TestRewriteCostsLittle is the benchmark of CI. It compares the time of a rewrite
// with that of a plain copy of the same bytes in the same run. The limits are far above what is measured, so that only a
// gross loss of speed fails.
func TestRewriteCostsLittle(t *testing.T) {
	for _, tt := range []struct {
		context buildContext
		most    float64
	}{
		{buildContext{Shape: large, Size: 16 * mib}, 2.5},
		{buildContext{Shape: small, Size: 16 * mib}, 5},
		{buildContext{Shape: small, Size: 16 * mib, Last: true}, 5},
	} {
		text := tt.context.made(t)
		copied, rewritten := time.Hour, time.Hour
		for range 7 {
			copied = min(copied, timed(func() {
				io.CopyBuffer(&copier{}, onlyReader{bytes.NewReader(text)}, make([]byte, 64<<10))
			}))
			rewritten = min(rewritten, timed(func() { rewriteContext(t, &copier{}, onlyReader{bytes.NewReader(text)}) }))
		}
		ratio := rewritten.Seconds() / copied.Seconds()
		t.Logf("%s: %.2f times a copy", tt.context, ratio)
		if most := tt.most * slowdown(); ratio > most {
			t.Errorf("%s: the rewrite takes %.1f times as long as a copy, want at most %.1f", tt.context, ratio, most)
		}
	}
}

// slowdown is how much more the race detector slows a rewrite than a copy.
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

// A copier copies what is written, as a socket does.
type copier struct{ buf [64 << 10]byte }

func (c *copier) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		rest = rest[copy(c.buf[:], rest):]
	}
	return len(p), nil
}
