package main

import (
	"bufio"
	"io"
	"net"
	"net/http/httputil"
	"path/filepath"
	"testing"
)

// BenchmarkBetweenSockets sends a context from one unix socket to another, in
// turn copied and rewritten. The metric "of-copy" is the speed of the rewrite as
// a share of the copy's, in the same run.
func BenchmarkBetweenSockets(b *testing.B) {
	for _, c := range []buildContext{
		{Shape: "large", Size: 4 << 30},
		{Shape: "small", Size: 100_000 * 4 << 10},
		{Shape: "large", Size: 512 * mib, Codec: "gzip"},
		{Shape: "large", Size: 512 * mib, Codec: "zstd"},
	} {
		if testing.Short() {
			c.Size /= 32
		}
		name := "shape=" + c.Shape
		if c.Codec != "" {
			name += "/codec=" + c.Codec
		}
		b.Run(name, func(b *testing.B) {
			b.SetBytes(2 * c.Size)
			var copied, rewritten float64
			for b.Loop() {
				copied += timed(func() {
					between(b, c, func(dst io.Writer, src io.Reader) {
						if _, err := io.CopyBuffer(onlyWriter{dst}, onlyReader{src}, make([]byte, 128<<10)); err != nil {
							b.Fatal(err)
						}
					})
				}).Seconds()
				rewritten += timed(func() {
					between(b, c, func(dst io.Writer, src io.Reader) { rewriteContext(b, dst, src) })
				}).Seconds()
			}
			b.ReportMetric(copied/rewritten, "of-copy")
		})
	}
}

// between runs f from a socket on which the context arrives, as the chunks of an
// HTTP body, to a socket that is read to its end.
func between(b *testing.B, c buildContext, f func(dst io.Writer, src io.Reader)) {
	client, arrives := socketPair(b)
	leaves, engine := socketPair(b)
	sent := make(chan error, 2)
	go func() {
		err := c.writeTo(client)
		client.Close()
		sent <- err
	}()
	go func() {
		plain, err := decompressed(engine)
		if err == nil {
			_, err = io.CopyBuffer(onlyWriter{io.Discard}, onlyReader{plain}, make([]byte, 128<<10))
		}
		sent <- err
	}()
	f(leaves, httputil.NewChunkedReader(bufio.NewReaderSize(arrives, 128<<10)))
	leaves.Close()
	for range 2 {
		if err := <-sent; err != nil {
			b.Fatal(err)
		}
	}
	arrives.Close()
	engine.Close()
}

func socketPair(b *testing.B) (dialled, accepted net.Conn) {
	ln, err := net.Listen("unix", filepath.Join(b.TempDir(), "s"))
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	if dialled, err = net.Dial("unix", ln.Addr().String()); err != nil {
		b.Fatal(err)
	}
	if accepted, err = ln.Accept(); err != nil {
		b.Fatal(err)
	}
	return dialled, accepted
}
