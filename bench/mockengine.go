package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
)

// containerID is the one container of the mock engine, execID its exec.
var (
	containerID = strings.Repeat("c0ffee00", 8)
	execID      = strings.Repeat("decade00", 8)
)

const (
	containerName = "job"

	// The owner label that sockguard writes, and its value here.
	ownerLabel = "com.buildkite.sockguard.owner"
	ownerName  = "bench"
)

// runMockEngine serves what the benchmarks ask for, with net/http like the real
// engine. It checks contexts instead of building them. It runs until it is killed.
func runMockEngine(socket string) error {
	l, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/_ping", servePing)
	mux.HandleFunc("/version", answer([]byte(`{"Version":"28.5.2","ApiVersion":"1.51","MinAPIVersion":"1.24"}`)))
	mux.HandleFunc("/containers/json", answer(listAnswer(5)))
	mux.HandleFunc("/containers/{name}/json", answer(inspectAnswer()))
	mux.HandleFunc("/containers/{name}/attach", serveAttach)
	mux.HandleFunc("/exec/{id}/json", answer([]byte(`{"ID":"`+execID+`","Running":false,"ContainerID":"`+containerID+
		`","ProcessConfig":{"tty":true,"entrypoint":"cat","arguments":[],"privileged":false,"user":"root"}}`)))
	mux.HandleFunc("/exec/{id}/start", serveEcho)
	mux.HandleFunc("/build", serveBuild)
	return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v1.") {
			r.URL.Path = r.URL.Path[strings.IndexByte(r.URL.Path[1:], '/')+1:]
		}
		mux.ServeHTTP(w, r)
	}))
}

// servePing answers like the engine, header by header.
func servePing(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Api-Version", "1.51")
	h.Set("Cache-Control", "no-cache, no-store, must-revalidate")
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Docker-Experimental", "false")
	h.Set("Ostype", "linux")
	h.Set("Server", "Docker/28.5.2 (linux)")
	io.WriteString(w, "OK")
}

// answer answers with a JSON text.
func answer(text []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write(text)
	}
}

// serveEcho switches protocols and sends back what comes.
func serveEcho(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	c, rw := upgrade(w, r)
	defer c.Close()
	io.CopyBuffer(onlyWriter{c}, onlyReader{rw}, make([]byte, 64<<10))
}

// serveAttach switches protocols and says nothing.
func serveAttach(w http.ResponseWriter, r *http.Request) {
	c, _ := upgrade(w, r)
	defer c.Close()
	c.Read(make([]byte, 1))
}

// upgrade takes the connection over. Like an engine, it answers 101 if the request
// asks for an upgrade, otherwise 200 with no length.
func upgrade(w http.ResponseWriter, r *http.Request) (net.Conn, *bufio.ReadWriter) {
	c, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	const media = "Content-Type: application/vnd.docker.raw-stream\r\n"
	if r.Header.Get("Upgrade") == "" {
		io.WriteString(c, "HTTP/1.1 200 OK\r\n"+media+"\r\n")
	} else {
		io.WriteString(c, "HTTP/1.1 101 UPGRADED\r\n"+media+"Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
	}
	return c, rw
}

// onlyReader and onlyWriter hide the methods by which io.Copy does without its
// buffer.
type (
	onlyReader struct{ io.Reader }
	onlyWriter struct{ io.Writer }
)
