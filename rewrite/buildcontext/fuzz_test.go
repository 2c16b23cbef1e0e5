package buildcontext

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"path"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/go-archive/compression"
	"github.com/ulikunitz/xz"

	"sockguard/rewrite/internal/tartest"
)

// itemsOf makes a context out of fuzz input: few names, many collisions.
func itemsOf(data []byte) (dockerfile string, items []tartest.Item) {
	names := []string{
		"Dockerfile", "dockerfile", ".dockerignore", "s", "d", "s/Dockerfile", "d/Dockerfile", "d/s", "d/s/Dockerfile",
		"Dockerfile/x", "./Dockerfile", "/d/../Dockerfile", "d/dockerfile", "x", "s/x", DockerfileName, "s/.dockerignore",
		"x.dockerfile", "d/e/f", "s/" + DockerfileName, "u", "u/v", "u/v/x", "u/Dockerfile", "d/u/w", "s/d/e", "Dockerfile/y/z", "l/3", "l/3/d", "l/4/x",
	}
	targets := []string{
		"Dockerfile", "dockerfile", ".", "..", "/", "d", "s", "x", "d/Dockerfile", "../Dockerfile", "/d", "nowhere",
		"../../d/s", "s/x", "x.dockerfile", ".dockerignore", "d/e", "u", "u/v", "d/../s", "nowhere/../d", "d/Dockerfile/x", "l/5", "l/6/d",
	}
	bodies := []string{"A", "B", "Dockerfile", ".dockerignore", "*", "*\n!Dockerfile", "d", "**/Dockerfile", "#", "["}
	asked := []string{"", "Dockerfile", "d/Dockerfile", "s/Dockerfile", "./Dockerfile", "x", DockerfileName, "../d/x"}
	if len(data) == 0 {
		return "", nil
	}
	dockerfile = asked[int(data[0])%len(asked)]
	for i := range int(data[0]) >> 5 { // of seven links, with any targets
		items = append(items, tartest.Item{Name: fmt.Sprintf("l/%d", i), Link: targets[(int(data[0])+7*i)%len(targets)]})
	}
	for data = data[1:]; len(data) >= 3 && len(items) < 20; data = data[3:] {
		it := tartest.Item{Name: names[int(data[1])%len(names)]}
		switch data[0] % 8 {
		case 0:
			it.Link = targets[int(data[2])%len(targets)]
		case 1:
			it.Hard = targets[int(data[2])%len(targets)]
		case 2:
			it.Dir = true
		default:
			it.Body = bodies[int(data[2])%len(bodies)]
		}
		items = append(items, it)
	}
	return dockerfile, items
}

// With any names and links the engine builds what it would have built and COPY
// sees the same files, or the context is refused.
func FuzzContextIsTheEngines(f *testing.F) {
	f.Add([]byte("\x00\x03\x00\x00\x00\x03\x02\x03\x05\x01"))
	f.Add([]byte("\x03\x00\x03\x02\x03\x05\x01"))
	f.Fuzz(func(t *testing.T, data []byte) {
		dockerfile, items := itemsOf(data)
		context := tartest.Of(t, items...)
		out, _, err := rewriteAll(context, Options{Dockerfile: dockerfile})
		if err != nil {
			return
		}
		want, err := unpackAsEngine(t, context, dockerfile)
		if errors.Is(err, errUnpack) {
			return // and may unpack rewritten, with what dangled no longer dangling
		}
		got, errGot := unpackAsEngine(t, out, DockerfileName)
		if err != nil || errGot != nil {
			t.Fatalf("%q %+v\nwithout sockguard: %v\nwith: %v", dockerfile, items, err, errGot)
		}
		_, got.Text, _ = strings.Cut(got.Text, ": ")
		showIgnoreAsSent(want.Files, got.Files)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%q %+v\nthe engine's build changes (-without +with):\n%s", dockerfile, items, diff)
		}
	})
}

// showIgnoreAsSent removes the documented difference: a .dockerignore that does
// not exclude itself is a plain file with one more line.
func showIgnoreAsSent(want, got map[string]string) {
	if text, ok := strings.CutSuffix(got[".dockerignore"], DockerfileName+`\n"`); ok {
		got[".dockerignore"] = strings.TrimSuffix(text, `\n`) + `"`
	}
	if strings.HasPrefix(want[".dockerignore"], "L") {
		delete(want, ".dockerignore")
		delete(got, ".dockerignore")
	}
	maps.DeleteFunc(want, func(name, _ string) bool { return isReserved(name) })
}

// A rewritten context is the client's entries as a plain tar, between those of
// sockguard. It does not depend on the size of reads or on the fast path. The
// output for a refused context is not a tar.
func FuzzContext(f *testing.F) {
	plain := tartest.Of(f, tartest.Item{Name: "d", Dir: true}, tartest.Item{Name: "d/x", Body: "y"}, fromA, tartest.Item{Name: "l", Link: "d"}, ignoreAll)
	f.Add(plain)
	f.Add(plain[:len(plain)-1024])
	f.Add(tartest.Gzip(f, plain))
	f.Add(tartest.Zstd(f, plain))
	f.Add(tartest.XZ(f, plain, xz.WriterConfig{DictCap: 4096}))
	f.Fuzz(func(t *testing.T, data []byte) {
		o := Options{MaxBytes: 1 << 22, MaxEntries: 1000}
		out, _, err := rewriteAll(data, o)
		var slow bytes.Buffer
		_, errSlow := rewriteWith(&slow, iotest.OneByteReader(bytes.NewReader(data)), o, marked)
		if fmt.Sprint(err) != fmt.Sprint(errSlow) {
			t.Fatalf("got error %v; %v reading byte by byte", err, errSlow)
		}
		if err != nil {
			tartest.CheckCut(t, out)
			return
		}
		if !bytes.Equal(out, slow.Bytes()) {
			t.Fatal("the result depends on the size of reads")
		}
		got := entriesOf(t, out)
		n := len(got)
		if n < 3 || got[0].Name != "./" || got[n-2].Name != DockerfileName || got[n-1].Name != dockerignoreName {
			t.Fatalf("got entries %+v", got)
		}
		if compression.Detect(data) != compression.None {
			return
		}
		if diff := cmp.Diff(untouched(entriesOf(t, data)), untouched(got[1:n-2])); diff != "" {
			t.Errorf("entries change (-in +out):\n%s", diff)
		}
	})
}

// A passed is what an engine sees of an entry.
type passed struct {
	Name, Link        string
	Type              byte
	Mode, Size, Nanos int64
	UID, GID          int
	PAX               map[string]string
	Sum               uint32
}

func entriesOf(t testing.TB, archive []byte) (all []passed) {
	t.Helper()
	for tr := tar.NewReader(bytes.NewReader(archive)); ; {
		h, err := tr.Next()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		sum := crc32.NewIEEE()
		if _, err := io.Copy(sum, tr); err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeReg && h.Typeflag != tar.TypeGNUSparse {
			h.Size = 0
		}
		p := passed{h.Name, h.Linkname, h.Typeflag, h.Mode, h.Size, h.ModTime.UnixNano(), h.Uid, h.Gid, nil, sum.Sum32()}
		for k, v := range h.PAXRecords {
			if strings.HasPrefix(k, "SCHILY.xattr.") {
				if p.PAX == nil {
					p.PAX = map[string]string{}
				}
				p.PAX[k] = v
			}
		}
		all = append(all, p)
	}
}

// untouched leaves out what is held back, reserved or of no effect.
func untouched(all []passed) (kept []passed) {
	for _, p := range all {
		if p.Type == tar.TypeGNUSparse {
			p.Type = tar.TypeReg
		}
		name, _ := entryName(p.Name)
		base := path.Base(name)
		if p.Type == tar.TypeXGlobalHeader || name == "." || isReserved(name) ||
			base == dockerignoreName || strings.EqualFold(base, "dockerfile") {
			continue
		}
		kept = append(kept, p)
	}
	return kept
}
