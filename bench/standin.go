package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"regexp"
)

// allowed matches the paths that a stand-in lets through, written as for a socket
// proxy in Go.
var allowed = regexp.MustCompile(`^(/v1\.[0-9]+)?/(_ping|version|build|containers/.*|exec/.*)$`)

// The contenders that hold a whole context before they send it on.
const (
	holdName  = "buffer in memory"
	spoolName = "spool to disk"
)

// runStandIn serves a plain proxy: httputil.ReverseProxy behind one regular
// expression, as most socket proxies in Go are. Keep is what it does with a body
// before it sends it on: "stream" does nothing, "memory" and "disk" hold all of it
// there, as a proxy must that needs the whole body at once.
func runStandIn(keep, socket, engine string) error {
	l, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	p := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: "docker"})
	p.FlushInterval = -1
	p.Transport = &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", engine)
		},
		DisableCompression:  true,
		MaxIdleConnsPerHost: 256,
	}
	return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !allowed.MatchString(r.URL.Path) {
			http.Error(w, "forbidden", http.StatusForbidden)
			return
		}
		if keep != "stream" && r.ContentLength != 0 {
			release, err := hold(r, keep)
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadGateway)
				return
			}
			defer release()
		}
		p.ServeHTTP(w, r)
	}))
}

// hold reads the whole body and puts a copy in its place.
func hold(r *http.Request, keep string) (release func(), err error) {
	if keep == "memory" {
		text, err := io.ReadAll(r.Body)
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
		return func() {}, err
	}
	f, err := os.CreateTemp("", "spool-*")
	if err != nil {
		return nil, err
	}
	release = func() { f.Close() }
	if err = os.Remove(f.Name()); err == nil {
		r.ContentLength, err = io.Copy(f, r.Body)
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		release()
		return nil, fmt.Errorf("spool: %w", err)
	}
	r.Body = io.NopCloser(f)
	return release, nil
}
