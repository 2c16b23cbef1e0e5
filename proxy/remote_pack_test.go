package proxy

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
)

// A packWriter writes packs, sound ones and others.
type packWriter struct {
	bytes.Buffer
	at []int // where each object begins
}

func newPack(count int) *packWriter {
	w := &packWriter{}
	w.WriteString("PACK\x00\x00\x00\x02")
	binary.Write(w, binary.BigEndian, uint32(count))
	return w
}

func (w *packWriter) object(kind plumbing.ObjectType, size int, between, data string) {
	w.at = append(w.at, w.Len())
	b := byte(kind)<<4 | byte(size&15)
	for size >>= 4; size > 0; size >>= 7 {
		w.WriteByte(b | 0x80)
		b = byte(size & 0x7f)
	}
	w.WriteByte(b)
	w.WriteString(between)
	z := zlib.NewWriter(w)
	z.Write([]byte(data))
	z.Close()
}

func (w *packWriter) blob(text string) { w.object(plumbing.BlobObject, len(text), "", text) }

// difference writes one to an object some bytes back.
func (w *packWriter) difference(back int, delta string) {
	offset := []byte{byte(back & 0x7f)}
	for back >>= 7; back > 0; back >>= 7 {
		back--
		offset = append([]byte{0x80 | byte(back&0x7f)}, offset...)
	}
	w.object(plumbing.OFSDeltaObject, len(delta), string(offset), delta)
}

func uvarint(n uint64) string { return string(binary.AppendUvarint(nil, n)) }

// copies is a difference that copies the first size bytes of from some times.
func copies(from, size, times int) string {
	one := "\xb0" + string([]byte{byte(size), byte(size >> 8)})
	return uvarint(uint64(from)) + uvarint(uint64(size*times)) + strings.Repeat(one, times)
}

func indexed(t *testing.T, pack []byte, b *budget) (*gitPack, error) {
	t.Helper()
	p := &gitPack{budget: b}
	if err := p.receive(bytes.NewReader(pack)); err != nil {
		return p, err
	}
	return p, p.index(t.Context())
}

func TestPackObjects(t *testing.T) {
	big := strings.Repeat("0123456789abcdef", 4096)
	w := newPack(4)
	w.blob(big[:60000])
	w.difference(w.Len()-w.at[0], copies(60000, 60000, 3))
	w.object(plumbing.REFDeltaObject, len(copies(180000, 5, 1)), hashOf(strings.Repeat(big[:60000], 3)), copies(180000, 5, 1))
	w.blob("")
	p, err := indexed(t, w.Bytes(), &budget{maxPack, maxInflated})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{big[:60000], strings.Repeat(big[:60000], 3), "01234", ""} {
		i, ok := p.byHash[plumbing.ComputeHash(plumbing.BlobObject, []byte(want))]
		if !ok {
			t.Errorf("an object of %d bytes is missing", len(want))
			continue
		}
		if got, err := p.whole(i); err != nil || string(got) != want {
			t.Errorf("got %.20q, %v, want %.20q", got, err, want)
		}
	}
}

func hashOf(text string) string {
	h := plumbing.ComputeHash(plumbing.BlobObject, []byte(text))
	return string(h[:])
}

// A small pack that claims or makes much is refused before it is believed.
func TestPackRefuses(t *testing.T) {
	for _, tt := range []struct {
		name string
		make func(*packWriter)
		want error
	}{
		{"truncated", func(w *packWriter) { w.WriteByte(0x30) }, errDamaged},
		{"no object", func(*packWriter) {}, errDamaged},
		{"more than declared", func(w *packWriter) { w.object(plumbing.BlobObject, 3, "", "four") }, errDamaged},
		{"less than declared", func(w *packWriter) { w.object(plumbing.BlobObject, 5, "", "four") }, errDamaged},
		{"size without end", func(w *packWriter) { w.WriteString("\xbf" + strings.Repeat("\xff", 20)) }, errDamaged},
		{"unknown kind", func(w *packWriter) { w.object(5, 0, "", "") }, errDamaged},
		{"declared gigabytes", func(w *packWriter) { w.object(plumbing.BlobObject, 9<<30, "", "x") }, errInflated},
		{"base of its own", func(w *packWriter) { w.difference(0, copies(1, 1, 1)) }, errDamaged},
		{"base before the pack", func(w *packWriter) { w.difference(1<<20, copies(1, 1, 1)) }, errDamaged},
		{"base elsewhere", func(w *packWriter) {
			w.object(plumbing.REFDeltaObject, 4, strings.Repeat("x", 20), copies(1, 1, 1))
		}, errDamaged},
		{"difference of gigabytes", func(w *packWriter) {
			w.blob("x")
			w.difference(w.Len()-w.at[0], uvarint(1)+uvarint(9<<30)+"\x90\x01")
		}, errWhole},
		{"difference to other sizes", func(w *packWriter) {
			w.blob("x")
			w.difference(w.Len()-w.at[0], copies(2, 1, 1))
		}, errDamaged},
		{"empty difference", func(w *packWriter) {
			w.blob("x")
			w.difference(w.Len()-w.at[0], "")
		}, errDamaged},
		{"large difference", func(w *packWriter) {
			w.blob("x")
			w.object(plumbing.OFSDeltaObject, maxWhole+1, string([]byte{byte(w.Len() - w.at[0])}), "")
		}, errWhole},
	} {
		w := newPack(2)
		tt.make(w)
		if _, err := indexed(t, w.Bytes(), &budget{maxPack, maxInflated}); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
		}
	}
	if _, err := indexed(t, newPack(maxObjects+1).Bytes(), &budget{maxPack, maxInflated}); !errors.Is(err, errObjects) {
		t.Errorf("objects: got %v", err)
	}
}

// Many differences of a few bytes stand for any number of bytes. The work that
// they make is bounded, and so is what is held.
func TestPackBombs(t *testing.T) {
	w := newPack(300)
	w.blob(strings.Repeat("x", 60000))
	for i := range 299 {
		w.difference(w.Len()-w.at[i], copies(60000, 60000, 1))
	}
	_, err := indexed(t, w.Bytes(), &budget{maxPack, 10 << 20})
	if !errors.Is(err, errInflated) {
		t.Errorf("got %v", err)
	}
	w = newPack(401)
	w.blob(strings.Repeat("x", 60000))
	for range 400 {
		w.difference(w.Len()-w.at[0], copies(60000, 60000, 2))
	}
	p, err := indexed(t, w.Bytes(), &budget{maxPack, maxInflated})
	if err != nil {
		t.Fatal(err)
	}
	held := 0
	for _, text := range p.recent {
		held += len(text)
	}
	if held > maxRecent {
		t.Errorf("%d bytes are held", held)
	}
}

func FuzzPack(f *testing.F) {
	w := newPack(2)
	w.blob("some text to differ from")
	w.difference(w.Len()-w.at[0], copies(24, 10, 2))
	f.Add(w.Bytes())
	f.Fuzz(func(t *testing.T, pack []byte) {
		p, err := indexed(t, pack, &budget{maxPack, 1 << 20})
		if err != nil {
			return
		}
		for hash, i := range p.byHash {
			text, err := p.whole(i)
			if err == nil && plumbing.ComputeHash(p.objects[i].kind, text) != hash {
				t.Errorf("object %d is not what its name says", i)
			}
		}
	})
}
