package main

import (
	"bytes"
	"testing"
)

// TestContexts has the mock engine read contexts.
func TestContexts(t *testing.T) {
	all := []buildContext{
		{Shape: large, Size: 5 * mib}, {Shape: large, Size: 3 * mib, Last: true},
		{Shape: large, Size: 2 * mib, Codec: "gzip"}, {Shape: small, Size: mib, Codec: "zstd"},
	}
	for _, n := range nameStyles() {
		all = append(all, buildContext{Shape: small, Size: 1234 * smallSize, Names: n.style})
	}
	for _, c := range all {
		var got receipt
		if err := got.read(bytes.NewReader(c.made(t))); err != nil {
			t.Errorf("%s: %v", c, err)
		}
		if want := (receipt{Files: c.files(), Bytes: c.files() * c.fileSize()}); got != want {
			t.Errorf("%s: got %+v, want %+v", c, got, want)
		}
	}
}
