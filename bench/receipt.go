package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip" // what an engine without unpigz uses
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// A receipt is the mock engine's answer to a build: what reached it.
type receipt struct {
	Files    int64  `json:"files"`
	Bytes    int64  `json:"bytes"`
	Labelled bool   `json:"labelled"` // the last Dockerfile carries the owner label
	Error    string `json:"error,omitempty"`
}

// serveBuild answers a build with its receipt.
func serveBuild(w http.ResponseWriter, r *http.Request) {
	got := receipt{}
	if err := got.read(r.Body); err != nil {
		got.Error = err.Error()
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(got)
}

// read unpacks a context and compares every byte of it.
func (got *receipt) read(body io.Reader) error {
	plain, err := decompressed(body)
	if err != nil {
		return err
	}
	if z, ok := plain.(*zstd.Decoder); ok {
		defer z.Close()
	}
	t := tar.NewReader(plain)
	buf := make([]byte, 256<<10)
	for {
		h, err := t.Next()
		if err == io.EOF {
			_, err = io.Copy(io.Discard, plain)
			return err
		}
		if err != nil {
			return err
		}
		switch {
		case strings.HasSuffix(h.Name, "ockerfile"):
			text, err := io.ReadAll(t)
			if err != nil {
				return err
			}
			got.Labelled = bytes.Contains(text, []byte("LABEL '"+ownerLabel+"'='"+ownerName+"'"))
		case strings.HasPrefix(strings.TrimPrefix(h.Name, "./"), "src/"):
			got.Files++
			n, err := checkPayload(t, buf)
			got.Bytes += n
			if err != nil {
				return fmt.Errorf("%s: %w", h.Name, err)
			}
		}
	}
}

// checkPayload compares r with the payload, repeated.
func checkPayload(r io.Reader, buf []byte) (total int64, err error) {
	for {
		n, err := io.ReadFull(r, buf)
		at := int(total) % len(payload)
		if !bytes.Equal(buf[:n], payload[at:at+n]) {
			return total, fmt.Errorf("damaged after byte %d", total)
		}
		total += int64(n)
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}

// decompressed returns the plain archive of a context.
func decompressed(body io.Reader) (io.Reader, error) {
	in := bufio.NewReaderSize(body, 64<<10)
	switch magic, _ := in.Peek(4); {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		return gzip.NewReader(in)
	case bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return zstd.NewReader(in)
	}
	return in, nil
}
