package main

import (
	"bufio"
	"io"
	"net/http/httputil"
	"strings"
	"testing"

	"sockguard/policy"
	"sockguard/rewrite"
	"sockguard/rewrite/buildcontext"
	scan "sockguard/rewrite/dockerfile"
)

// ownerOptions put the owner label in, as the guard does.
var ownerOptions = scan.Options{
	Labels:  []rewrite.Label{{Key: policy.DefaultLabelKey, Value: ownerName}},
	Guarded: []string{policy.DefaultLabelKey},
	Engine:  rewrite.EngineVersion{Major: 28},
}

// BenchmarkScan is the Dockerfile scanner, on a file of the usual kind.
func BenchmarkScan(b *testing.B) {
	text := []byte("# syntax is not used\nARG BASE=alpine:3.20\nFROM ${BASE} AS build\n" +
		strings.Repeat("ENV PATH=/usr/local/bin:$PATH LANG=C.UTF-8\nRUN apk add --no-cache git \\\n    make \\\n    gcc && make -j4\nCOPY --chown=1:1 a b /src/\nLABEL org.example.title=\"app\"\n", 20) +
		"FROM scratch\nCOPY --from=build /out /\nENTRYPOINT [\"/app\"]\n")
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := scan.Rewrite("Dockerfile", text, ownerOptions); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkContext is the rewrite of 64 MiB of context, by shape.
func BenchmarkContext(b *testing.B) {
	for _, c := range []buildContext{
		{Shape: "large"}, {Shape: "small"}, {Shape: "small", Last: true},
		{Shape: "large", Codec: "gzip"}, {Shape: "large", Codec: "zstd"},
	} {
		c.Size = 64 * mib
		name := "shape=" + c.Shape
		if c.Codec != "" {
			name += "/codec=" + c.Codec
		}
		if c.Last {
			name += "/dockerfile=last"
		}
		src := c.plainBytes(b)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(c.Size)
			b.ReportAllocs()
			for b.Loop() {
				rewriteContext(b, io.Discard, src())
			}
		})
	}
}

// plainBytes returns a source of readers of the context without HTTP chunks.
func (c buildContext) plainBytes(tb testing.TB) func() io.Reader {
	var text strings.Builder
	r, w := io.Pipe()
	go func() { w.CloseWithError(c.writeTo(w)) }()
	if _, err := io.Copy(&text, httputil.NewChunkedReader(bufio.NewReader(r))); err != nil {
		tb.Fatal(err)
	}
	return func() io.Reader { return onlyReader{strings.NewReader(text.String())} }
}

func rewriteContext(tb testing.TB, dst io.Writer, src io.Reader) {
	s, err := buildcontext.Rewrite(dst, src, buildcontext.Options{Rewrite: ownerOptions})
	if err != nil {
		tb.Fatal(err)
	}
	if !strings.Contains(string(s.Text), "LABEL") {
		tb.Fatal("the Dockerfile has no label")
	}
}
