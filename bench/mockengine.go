package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip" // what an engine uses, unless it finds unpigz
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/klauspost/compress/zstd"

	"sockguard/policy/verdict"
)

// A mockEngine answers what the benchmarks ask, with net/http as the real
// engine does. It checks contexts instead of building them.
type mockEngine struct{ list, inspect []byte }

// containerID is the one container that the mock engine has, execID its exec.
var (
	containerID = strings.Repeat("c0ffee00", 8)
	execID      = strings.Repeat("decade00", 8)
)

const (
	containerName = "job"
	ownerLabel    = verdict.DefaultLabelKey
	ownerName     = "bench"
)

// runMockEngine serves on a unix socket until the process is killed.
func runMockEngine(socket string) error {
	l, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	m := &mockEngine{list: listAnswer(5), inspect: inspectAnswer()}
	mux := http.NewServeMux()
	mux.HandleFunc("/_ping", m.ping)
	mux.HandleFunc("/version", m.version)
	mux.HandleFunc("/containers/json", m.json(m.list))
	mux.HandleFunc("/containers/{name}/json", m.json(m.inspect))
	mux.HandleFunc("/containers/{name}/attach", m.attach)
	mux.HandleFunc("/exec/{id}/json", m.json([]byte(`{"ID":"`+execID+`","Running":false,"ContainerID":"`+containerID+`"}`)))
	mux.HandleFunc("/exec/{id}/start", m.echo)
	mux.HandleFunc("/build", m.build)
	return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v1.") {
			r.URL.Path = r.URL.Path[strings.IndexByte(r.URL.Path[1:], '/')+1:]
		}
		mux.ServeHTTP(w, r)
	}))
}

func (m *mockEngine) ping(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Api-Version", "1.51")
	h.Set("Cache-Control", "no-cache, no-store, must-revalidate")
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Docker-Experimental", "false")
	h.Set("Ostype", "linux")
	h.Set("Server", "Docker/28.5.2 (linux)")
	io.WriteString(w, "OK")
}

func (m *mockEngine) version(w http.ResponseWriter, _ *http.Request) {
	io.WriteString(w, `{"Version":"28.5.2","ApiVersion":"1.51","MinAPIVersion":"1.24"}`)
}

func (m *mockEngine) json(text []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write(text)
	}
}

// echo switches protocols and sends back what comes.
func (m *mockEngine) echo(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	c, rw := upgrade(w, r)
	defer c.Close()
	io.CopyBuffer(onlyWriter{c}, onlyReader{rw}, make([]byte, 64<<10))
}

// attach switches protocols and says nothing.
func (m *mockEngine) attach(w http.ResponseWriter, r *http.Request) {
	c, _ := upgrade(w, r)
	defer c.Close()
	c.Read(make([]byte, 1))
}

// upgrade takes the connection over, with the answer of an engine: 101 if that is
// what the request asks for, otherwise a 200 without an end.
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

type (
	onlyReader struct{ io.Reader }
	onlyWriter struct{ io.Writer }
)

// A receipt is the mock engine's answer to a build: what reached it.
type receipt struct {
	Files    int64  `json:"files"`
	Bytes    int64  `json:"bytes"`
	Labelled bool   `json:"labelled"` // the last Dockerfile carries the owner label
	Error    string `json:"error,omitempty"`
}

func (m *mockEngine) build(w http.ResponseWriter, r *http.Request) {
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
		case strings.HasPrefix(h.Name, filePrefix):
			got.Files++
			n, err := checkPayload(t, buf)
			got.Bytes += n
			if err != nil {
				return fmt.Errorf("%s: %w", h.Name, err)
			}
		}
	}
}

// checkPayload compares what r holds with the payload over and over.
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

// listAnswer is a container list of n, of the size that an engine gives.
func listAnswer(n int) []byte {
	var all []json.RawMessage
	for range n {
		all = append(all, json.RawMessage(fmt.Sprintf(
			`{"Id":%q,"Names":["/%s"],"Image":"registry.example.com/team/app:1.2.3","ImageID":"sha256:%s","Command":"/bin/server --listen :8080",`+
				`"Created":1700000000,"Ports":[{"IP":"0.0.0.0","PrivatePort":8080,"PublicPort":32768,"Type":"tcp"}],"Labels":{%q:%q,"org.opencontainers.image.source":"https://git.example.com/team/app"},`+
				`"State":"running","Status":"Up 2 hours","HostConfig":{"NetworkMode":"default"},"NetworkSettings":{"Networks":{"bridge":{"NetworkID":"%s","Gateway":"172.17.0.1","IPAddress":"172.17.0.2","IPPrefixLen":16,"MacAddress":"02:42:ac:11:00:02"}}},"Mounts":[]}`,
			containerID, containerName, containerID, ownerLabel, ownerName, containerID)))
	}
	text, err := json.Marshal(all)
	if err != nil {
		panic(err) // the constants above are JSON
	}
	return text
}

// inspectAnswer is one container, of the size that an engine gives.
func inspectAnswer() []byte {
	env, err := json.Marshal(strings.Split(strings.Repeat("SOME_VARIABLE=some-value-of-some-length ", 60), " "))
	if err != nil {
		panic(err)
	}
	return fmt.Appendf(nil, `{"Id":%q,"Created":"2026-01-01T00:00:00Z","Path":"/bin/server","Args":["--listen",":8080"],`+
		`"State":{"Status":"running","Running":true,"Pid":4711,"ExitCode":0,"StartedAt":"2026-01-01T00:00:00Z"},"Image":"sha256:%s","Name":"/%s",`+
		`"HostConfig":{"Binds":null,"NetworkMode":"default","Memory":0,"CapAdd":null,"SecurityOpt":null},"Mounts":[],`+
		`"Config":{"Hostname":"job","Env":%s,"Image":"registry.example.com/team/app:1.2.3","Labels":{%q:%q}},"NetworkSettings":{"Networks":{}}}`,
		containerID, containerID, containerName, env, ownerLabel, ownerName)
}

// mockEngineCommand is how the runner starts a mock engine.
func mockEngineCommand(socket string) []string {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return []string{self, "mock-engine", socket}
}
