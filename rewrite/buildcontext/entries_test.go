package buildcontext

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"sockguard/rewrite"
	"sockguard/rewrite/dockerfile"
	"sockguard/rewrite/internal/tartest"
	"sockguard/rewrite/tarcopy"
)

func tarOfHeaders(t testing.TB, headers ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(make([]byte, h.Size)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return append(tartest.Part(t, fromA), b.Bytes()...)
}

// Engines see every entry as the client sent it, in every tar format.
func TestContextKeepsEntries(t *testing.T) {
	at := time.Unix(1700000000, 0)
	long := strings.Repeat("0123456789/", 40) + "x"
	v7 := tartest.Header(t, tar.Header{Name: "old", Typeflag: tar.TypeReg})
	copy(v7[257:], make([]byte, 255))
	tartest.Resum(v7)
	tests := []struct {
		name string
		in   []byte
	}{
		{"ustar", tarOfHeaders(t, tar.Header{Name: long[:200], Typeflag: tar.TypeReg, Size: 700, Mode: 0o4755, Uid: 7, Gid: 8, ModTime: at})},
		{"v7", append(append(tartest.Part(t, fromA), v7...), tartest.Part(t, tartest.Item{Name: "x"})...)},
		{"pax", tarOfHeaders(t, tar.Header{Name: long, Typeflag: tar.TypeReg, Size: 513, Uid: 1 << 40, ModTime: at.Add(time.Microsecond),
			Format: tar.FormatPAX, PAXRecords: map[string]string{"SCHILY.xattr.user.x": "\x00\xff", "comment": "c"}})},
		{"gnu", tarOfHeaders(t, tar.Header{Name: long, Typeflag: tar.TypeReg, Size: 511, Uid: 1 << 40, Mode: 1 << 30, ModTime: at, Format: tar.FormatGNU})},
		{"not UTF-8", tarOfHeaders(t, tar.Header{Name: "\xff\xfe", Typeflag: tar.TypeReg, Format: tar.FormatGNU})},
		{"not UTF-8, pax", tarOfHeaders(t, tar.Header{Name: "\xff\xfe", Typeflag: tar.TypeReg, Format: tar.FormatPAX})},
		{"before 1970", tarOfHeaders(t, tar.Header{Name: "x", Typeflag: tar.TypeReg, ModTime: time.Unix(-1, 0), Format: tar.FormatPAX})},
		{"links", tarOfHeaders(t, tar.Header{Name: "l", Typeflag: tar.TypeSymlink, Linkname: long}, tar.Header{Name: "x", Typeflag: tar.TypeReg},
			tar.Header{Name: "h", Typeflag: tar.TypeLink, Linkname: "x"})},
		{"directory", tarOfHeaders(t, tar.Header{Name: "d/", Typeflag: tar.TypeDir, Mode: 0o1777}, tar.Header{Name: "e", Typeflag: tar.TypeDir})},
		{"root", tarOfHeaders(t, tar.Header{Name: "./", Typeflag: tar.TypeDir, Mode: 0o700}, tar.Header{Name: "x", Typeflag: tar.TypeReg})},
		{"global header", tarOfHeaders(t, tar.Header{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"path": "y"}},
			tar.Header{Name: "x", Typeflag: tar.TypeReg})},
		{"sparse", tartest.ReadGzip(t, "testdata/sparse-gnu.tar.gz")},
		{"sparse, pax", tartest.ReadGzip(t, "testdata/sparse-pax.tar.gz")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, _, err := rewriteAll(tt.in, Options{})
			if err != nil {
				t.Fatal(err)
			}
			got := entriesOf(t, out)
			if diff := cmp.Diff(untouched(entriesOf(t, tt.in)), untouched(got[1:len(got)-2])); diff != "" {
				t.Errorf("entries change (-in +out):\n%s", diff)
			}
		})
	}
}

func TestContextRefusesEntries(t *testing.T) {
	raw := func(h tar.Header, typ byte, name string) []byte {
		block := tartest.Header(t, h)
		block[156] = typ
		copy(block[:100], name)
		tartest.Resum(block)
		return append(tartest.Part(t, fromA), block...)
	}
	tests := []struct {
		name string
		in   []byte
		o    Options
		want string
	}{
		{name: "fifo", in: tarOfHeaders(t, tar.Header{Name: "x", Typeflag: tar.TypeFifo}), want: "x: this is a FIFO"},
		{name: "device", in: tarOfHeaders(t, tar.Header{Name: "x", Typeflag: tar.TypeChar}), want: "x: this is a device"},
		{name: "contiguous file", in: raw(tar.Header{Name: "x"}, '7', "x"), want: "x: this has the tar type 7"},
		{name: "file with a slash", in: raw(tar.Header{Name: "xx"}, '0', "x/"), want: "x/: this entry cannot be written"},
		{name: "long name", in: tarOfHeaders(t, tar.Header{Name: strings.Repeat("x", tarcopy.MaxName+1), Typeflag: tar.TypeReg}), want: "4096 bytes"},
		{name: "long target", in: tarOfHeaders(t, tar.Header{Name: "x", Typeflag: tar.TypeSymlink, Linkname: strings.Repeat("x", tarcopy.MaxName+1)}), want: "4096 bytes"},
		{name: "extended headers", in: tarOfHeaders(t, tar.Header{Name: "x", Typeflag: tar.TypeReg,
			PAXRecords: map[string]string{"SCHILY.xattr.user.x": strings.Repeat("x", 128<<10)}}), want: "extended headers of more than 65536 bytes"},
		{name: "bytes", in: tartest.Of(t, fromA, tartest.Item{Name: "x", Body: tartest.Noise(5000)}), o: Options{MaxBytes: 4000}, want: "larger than 4000 bytes"},
		{name: "bytes, compressed", in: tartest.Gzip(t, tartest.Of(t, fromA, tartest.Item{Name: "x", Body: strings.Repeat("x", 1<<20)})), o: Options{MaxBytes: 1 << 18},
			want: "larger than 262144 bytes"},
		{name: "bytes, sparse", in: tartest.ReadFile(t, "testdata/sparse-pax.tar.gz"), o: Options{MaxBytes: 100000}, want: "larger than 100000 bytes"},
		{name: "entries", in: tartest.Of(t, fromA, tartest.Item{Name: "x"}, tartest.Item{Name: "y"}), o: Options{MaxEntries: 2}, want: "more than 2 entries"},
		{name: "entries of links", in: tartest.Of(t, fromA, tartest.Item{Name: "x", Link: "y"}), o: Options{MaxEntries: 1}, want: "more than 1 entries"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, _, err := rewriteAll(tt.in, tt.o)
			if _, ok := errors.AsType[*rewrite.Refusal](err); !ok || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want a refusal with %q", err, tt.want)
			}
			tartest.CheckCut(t, out)
		})
	}
}

// A broken source or destination is not reported as a refusal, and the output is
// not a complete archive, wherever the break is.
func TestContextBrokenTransport(t *testing.T) {
	errBroken := errors.New("broken")
	context := tartest.Of(t, fromA, tartest.Item{Name: "d", Dir: true}, tartest.Item{Name: "d/x", Body: tartest.Noise(1000)}, tartest.Item{Name: "l", Link: "d"})
	for n := 0; n < len(context); n += 256 {
		src := io.MultiReader(bytes.NewReader(context[:n]), iotest.ErrReader(errBroken))
		var out bytes.Buffer
		_, err := rewriteWith(&out, src, Options{}, marked)
		if _, ok := errors.AsType[*rewrite.Refusal](err); ok || !errors.Is(err, errBroken) {
			t.Errorf("source broken after %d bytes: got error %v", n, err)
		}
		tartest.CheckCut(t, out.Bytes())

		out.Reset()
		_, err = rewriteWith(&brokenWriter{&out, n, errBroken}, bytes.NewReader(context), Options{}, marked)
		if _, ok := errors.AsType[*rewrite.Refusal](err); ok || !errors.Is(err, errBroken) {
			t.Errorf("destination broken after %d bytes: got error %v", n, err)
		}
	}
}

// A brokenWriter takes n bytes.
type brokenWriter struct {
	w   io.Writer
	n   int
	err error
}

func (b *brokenWriter) Write(p []byte) (int, error) {
	if len(p) > b.n {
		return 0, b.err
	}
	b.n -= len(p)
	return b.w.Write(p)
}

// A Dockerfile that is refused ends the upload, however much would follow.
func TestContextRefusesEarly(t *testing.T) {
	refused := rewrite.Refusef("Dockerfile", 1, "no")
	scan := func(string, []byte, dockerfile.Options) (*dockerfile.Scanned, error) { return nil, refused }
	rest := &tartest.Filler{N: 1 << 30}
	_, err := rewriteWith(io.Discard, io.MultiReader(bytes.NewReader(tartest.Part(t, fromA)), rest), Options{}, scan)
	if err != refused || rest.N == 0 {
		t.Errorf("got error %v with %d bytes unread", err, rest.N)
	}
}

// The Dockerfile is scanned once, and once more if it was replaced.
func TestContextScansOnce(t *testing.T) {
	for want, items := range map[string][]tartest.Item{
		"FROM a":        {fromA, {Name: "x", Body: "y"}, {Name: "dockerfile", Body: "FROM b"}},
		"FROM a FROM b": {fromA, {Name: "Dockerfile", Body: "FROM b"}},
		"FROM b":        {{Name: "dockerfile", Body: "FROM b"}},
	} {
		var got []string
		scan := func(_ string, text []byte, _ dockerfile.Options) (*dockerfile.Scanned, error) {
			got = append(got, string(text))
			return &dockerfile.Scanned{Text: text}, nil
		}
		if _, err := rewriteWith(io.Discard, bytes.NewReader(tartest.Of(t, items...)), Options{}, scan); err != nil {
			t.Error(err)
		}
		if got := strings.Join(got, " "); got != want {
			t.Errorf("got scans of %q, want %q", got, want)
		}
	}
}

// The same context gives the same bytes, so that engines find it in their cache.
func TestContextAppends(t *testing.T) {
	out, s, err := rewriteAll(tartest.Of(t, fromA, tartest.Item{Name: "x"}), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range []struct {
		h    tar.Header
		body string
	}{
		{tar.Header{Name: "./", Typeflag: tar.TypeDir, Mode: 0o755}, ""},
		{tar.Header{Name: "x", Mode: 0o644, ModTime: time.Unix(1700000000, 0)}, ""},
		{tar.Header{Name: "Dockerfile", Mode: 0o644, ModTime: time.Unix(1700000000, 0)}, "FROM a"},
		{tar.Header{Name: DockerfileName, Mode: 0o644}, string(s.Text)},
		{tar.Header{Name: ".dockerignore", Mode: 0o644}, ".dockerignore\n.sockguard.Dockerfile\n"},
	} {
		e.h.Size = int64(len(e.body))
		if err := w.WriteHeader(&e.h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, e.body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	want := b.Bytes()
	if !bytes.Equal(out, want) {
		t.Errorf("got entries %+v, want %+v", entriesOf(t, out), entriesOf(t, want))
	}
}

// Rewrite works with the real Dockerfile rewrite.
func TestContext(t *testing.T) {
	o := Options{Rewrite: dockerfile.Options{Labels: []rewrite.Label{{Key: "owner", Value: "me"}}, Guarded: []string{"owner"}}}
	var out bytes.Buffer
	s, err := Rewrite(&out, bytes.NewReader(tartest.Of(t, tartest.Item{Name: "Dockerfile", Body: "FROM a\nRUN x\n"})), o)
	if err != nil {
		t.Fatal(err)
	}
	build, err := unpackAsEngine(t, out.Bytes(), DockerfileName)
	if err != nil {
		t.Fatal(err)
	}
	if build.Text != string(s.Text) || !strings.HasPrefix(build.Text, "FROM a\nLABEL ") {
		t.Errorf("the engine builds %q; the result says %q", build.Text, s.Text)
	}
	_, err = Rewrite(io.Discard, bytes.NewReader(tartest.Of(t, tartest.Item{Name: "Dockerfile", Body: "FROM a\nLABEL owner=you\n"})), o)
	if r, ok := errors.AsType[*rewrite.Refusal](err); !ok || r.File != "Dockerfile" || r.Line != 2 {
		t.Errorf("got error %v, want a refusal of line 2 of the Dockerfile", err)
	}
}

// cleanName agrees with entryName.
func TestCleanName(t *testing.T) {
	parts := []string{"", "a", ".", "..", ".a", "a.", "/", "//"}
	seen := 0
	for i := range len(parts) * len(parts) * len(parts) * len(parts) {
		raw := ""
		for ; i > 0; i /= len(parts) {
			raw += parts[i%len(parts)]
		}
		got, ok := cleanName([]byte(raw))
		if !ok {
			continue
		}
		seen++
		if want, err := entryName(raw); string(got) != want || err != nil {
			t.Errorf("%q: got %q, want %q (%v)", raw, got, want, err)
		}
	}
	if seen == 0 {
		t.Error("no name is cleaned in place")
	}
}
