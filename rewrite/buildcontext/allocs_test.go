package buildcontext

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"testing"

	"sockguard/rewrite/internal/tartest"
)

// namedFiles is a context of 10,000 files whose names are made by format.
func namedFiles(t testing.TB, format string, f tar.Format) []byte {
	context := tartest.Part(t, fromA)
	for i := range 10_000 {
		h := tar.Header{Name: fmt.Sprintf(format, i), Typeflag: tar.TypeReg, Mode: 0o644, Format: f}
		context = append(context, tartest.Header(t, h)...)
	}
	return context
}

var nameShapes = []struct {
	name, format string
	tar          tar.Format
	most         float64 // allocations for an entry
}{
	{"plain", "src/lib/file%d.js", tar.FormatUSTAR, 0.01},
	{"tar c .", "./src/lib/file%d.js", tar.FormatGNU, 0.01},
	{"capitals", "src/Lib/README%d.MD", tar.FormatUSTAR, 0.01},
	{"dots", "src/.config/.file%d", tar.FormatUSTAR, 0.01},
	{"long", "node_modules/a-package-with-a-long-name/node_modules/another-package-with-a-long-name/dist/lib/esm/file%d.js", tar.FormatUSTAR, 0.01},
	{"not ASCII", "src/größe/datei%d.js", tar.FormatGNU, 0.01},
	{"not ASCII, PAX", "src/größe/datei%d.js", tar.FormatPAX, 0.01},
}

// The allocations for an entry do not depend on harmless differences of its name.
func TestContextAllocations(t *testing.T) {
	for _, tt := range nameShapes {
		context := namedFiles(t, tt.format, tt.tar)
		got := testing.AllocsPerRun(1, func() {
			if _, err := rewriteWith(io.Discard, bytes.NewReader(context), Options{}, marked); err != nil {
				t.Error(err)
			}
		}) / 10_000
		if got > tt.most {
			t.Errorf("%s: got %.2f allocations an entry, want at most %.2f", tt.name, got, tt.most)
		}
	}
}

func BenchmarkContextNames(b *testing.B) {
	for _, bm := range nameShapes {
		b.Run(bm.name, func(b *testing.B) {
			context := namedFiles(b, bm.format, bm.tar)
			b.SetBytes(int64(len(context)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := rewriteWith(io.Discard, bytes.NewReader(context), Options{}, marked); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
