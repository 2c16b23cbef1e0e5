package main

import (
	"bytes"
	"io"
	"runtime"
	"strings"
	"testing"

	"sockguard/rewrite"
	"sockguard/rewrite/buildcontext"
	"sockguard/rewrite/dockerfile"
)

// ownerOptions put the owner label in, as the guard does.
var ownerOptions = dockerfile.Options{
	Labels:  []rewrite.Label{{Key: ownerLabel, Value: ownerName}},
	Guarded: []string{ownerLabel},
	Engine:  rewrite.EngineVersion{Major: 28},
}

// BenchmarkScan is the Dockerfile scanner on an ordinary file.
func BenchmarkScan(b *testing.B) {
	text := []byte("# syntax is not used\nARG BASE=alpine:3.20\nFROM ${BASE} AS build\n" +
		strings.Repeat("ENV PATH=/usr/local/bin:$PATH LANG=C.UTF-8\nRUN apk add --no-cache git \\\n    make \\\n    gcc && make -j4\nCOPY --chown=1:1 a b /src/\nLABEL org.example.title=\"app\"\n", 20) +
		"FROM scratch\nCOPY --from=build /out /\nENTRYPOINT [\"/app\"]\n")
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := dockerfile.Rewrite("Dockerfile", text, ownerOptions); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkContext is the rewrite of a build context in memory. The metric
// allocs/entry is of the rewrite of each file.
func BenchmarkContext(b *testing.B) {
	all := []buildContext{
		{Shape: large, Size: 64 * mib}, {Shape: small, Size: 64 * mib, Last: true},
		{Shape: large, Size: 64 * mib, Codec: "gzip"}, {Shape: large, Size: 64 * mib, Codec: "zstd"},
	}
	for _, n := range nameStyles() {
		all = append(all, buildContext{Shape: small, Size: 64 * mib, Names: n.style})
	}
	for _, c := range all {
		text := c.made(b)
		b.Run(c.String(), func(b *testing.B) {
			b.SetBytes(c.Size)
			b.ReportAllocs()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for b.Loop() {
				rewriteContext(b, io.Discard, onlyReader{bytes.NewReader(text)})
			}
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(after.Mallocs-before.Mallocs)/float64(b.N)/float64(c.files()), "allocs/entry")
		})
	}
}

// made returns the context.
func (c buildContext) made(tb testing.TB) []byte {
	var b bytes.Buffer
	if err := c.writeTo(&b); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// rewriteContext is the rewrite that the guard does.
func rewriteContext(tb testing.TB, dst io.Writer, src io.Reader) {
	s, err := buildcontext.Rewrite(dst, src, buildcontext.Options{Rewrite: ownerOptions})
	if err != nil {
		tb.Fatal(err)
	}
	if !strings.Contains(string(s.Text), "LABEL") {
		tb.Fatal("the Dockerfile has no label")
	}
}
