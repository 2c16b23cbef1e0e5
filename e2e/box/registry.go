package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"mvdan.cc/sh/v3/interp"
)

// registry serves as much of the OCI distribution API as docker push and
// docker pull use, from memory, on the address args[0].
func registry(_ context.Context, c interp.HandlerContext, args []string) error {
	if len(args) != 1 {
		return errors.New("usage: registry ADDRESS")
	}
	l, err := net.Listen("tcp", args[0])
	if err != nil {
		return err
	}
	fmt.Fprintln(c.Stdout, "registry: serving")
	return http.Serve(l, &store{blobs: map[string][]byte{}, manifests: map[string]manifest{}})
}

type manifest struct {
	mediaType string
	content   []byte
}

// A store holds blobs by digest and manifests by "name@digest" and "name:tag".
type store struct {
	mu        sync.Mutex
	uploads   int
	blobs     map[string][]byte // unfinished uploads too, by their path
	manifests map[string]manifest
}

func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Docker-Distribution-API-Version", "registry/2.0")
	path := strings.TrimPrefix(r.URL.Path, "/v2/")
	if name, reference, ok := strings.Cut(path, "/manifests/"); ok {
		s.serveManifest(w, r, name, reference)
		return
	}
	if name, rest, ok := strings.Cut(path, "/blobs/"); ok {
		s.serveBlob(w, r, name, rest)
		return
	}
	if path != "" {
		absent(w)
	}
}

func (s *store) serveManifest(w http.ResponseWriter, r *http.Request, name, reference string) {
	if r.Method == http.MethodPut {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		m := manifest{r.Header.Get("Content-Type"), b}
		s.manifests[name+"@"+digest(b)] = m
		if !strings.HasPrefix(reference, "sha256:") {
			s.manifests[name+":"+reference] = m
		}
		w.Header().Set("Docker-Content-Digest", digest(b))
		w.WriteHeader(http.StatusCreated)
		return
	}
	separator := ":"
	if strings.HasPrefix(reference, "sha256:") {
		separator = "@"
	}
	m, ok := s.manifests[name+separator+reference]
	if !ok {
		absent(w)
		return
	}
	send(w, m.mediaType, m.content)
}

func (s *store) serveBlob(w http.ResponseWriter, r *http.Request, name, rest string) {
	switch r.Method {
	case http.MethodPost:
		s.uploads++
		w.Header().Set("Location", fmt.Sprintf("/v2/%s/blobs/uploads/%d", name, s.uploads))
		w.Header().Set("Docker-Upload-UUID", strconv.Itoa(s.uploads))
		w.WriteHeader(http.StatusAccepted)
	case http.MethodPatch, http.MethodPut:
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		b = append(s.blobs[rest], b...)
		w.Header().Set("Location", r.URL.Path)
		if r.Method == http.MethodPatch {
			s.blobs[rest] = b
			w.Header().Set("Range", fmt.Sprintf("0-%d", len(b)-1))
			w.WriteHeader(http.StatusAccepted)
			return
		}
		delete(s.blobs, rest)
		if digest(b) != r.URL.Query().Get("digest") {
			http.Error(w, `{"errors":[{"code":"DIGEST_INVALID"}]}`, http.StatusBadRequest)
			return
		}
		s.blobs[digest(b)] = b
		w.Header().Set("Docker-Content-Digest", digest(b))
		w.WriteHeader(http.StatusCreated)
	default:
		b, ok := s.blobs[rest]
		if !ok {
			absent(w)
			return
		}
		send(w, "application/octet-stream", b)
	}
}

// send answers GET and, as net/http drops the body then, HEAD.
func send(w http.ResponseWriter, mediaType string, b []byte) {
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.Header().Set("Docker-Content-Digest", digest(b))
	w.Write(b)
}

func absent(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusNotFound)
	json.NewEncoder(w).Encode(map[string]any{"errors": []map[string]string{{"code": "NOT_FOUND", "message": "not found"}}})
}

func digest(b []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(b)) }
