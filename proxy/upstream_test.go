package proxy

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestNewUpstream(t *testing.T) {
	tests := []struct{ host, want, err string }{
		{host: "unix:///var/run/docker.sock", want: "unix:///var/run/docker.sock"},
		{host: "tcp://127.0.0.1:2375", want: "tcp://127.0.0.1:2375"},
		{host: "tcp://[::1]:2375", want: "tcp://[::1]:2375"},
		{host: "", err: "use unix:///path or tcp://host:port"},
		{host: "/var/run/docker.sock", err: "use unix:///path or tcp://host:port"},
		{host: "unix://docker.sock", err: "absolute path"},
		{host: "unix://@docker", err: "absolute path"},
		{host: "unix:///" + strings.Repeat("x", 107), err: "108 bytes"},
		{host: "tcp://engine", err: "host and port"},
		{host: "tcp://:2375", err: "host and port"},
		{host: "tcp://engine:2375/path", err: "no path"},
		{host: "http://engine:2375", err: "write tcp://host:port"},
		{host: "https://engine:2376", err: "DOCKER_TLS_VERIFY"},
		{host: "npipe:////./pipe/docker_engine", err: "not supported"},
		{host: "ssh://user@engine", err: "not supported"},
		{host: "fd://", err: "not supported"},
	}
	for _, tt := range tests {
		u, err := NewUpstream(tt.host, TLSFiles{})
		switch {
		case tt.err != "":
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: got %v, want it to say %q", tt.host, err, tt.err)
			}
		case err != nil:
			t.Errorf("%s: %v", tt.host, err)
		case u.String() != tt.want:
			t.Errorf("%s: got %q, want %q", tt.host, u, tt.want)
		}
	}
}

func newUnixUpstream(t *testing.T, path string) *Upstream {
	t.Helper()
	u, err := NewUpstream("unix://"+path, TLSFiles{})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// TestDialWaitsForRestart: an engine that restarts is missing, then refuses,
// then answers; the caller notices nothing.
func TestDialWaitsForRestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	go func() {
		time.Sleep(100 * time.Millisecond)
		abandon(t, path)
		time.Sleep(100 * time.Millisecond)
		l, err := Listen(path, asIs)
		if err != nil {
			t.Error(err)
			return
		}
		l.Accept()
		l.Close()
	}()
	c, err := newUnixUpstream(t, path).Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

// TestDialWaitsInQueue: many jobs at once are no error.
func TestDialWaitsInQueue(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrUnix{Name: path}), unix.Listen(fd, 1)); err != nil {
		t.Fatal(err)
	}
	for err == nil {
		var c net.Conn
		if c, err = net.Dial("unix", path); err == nil {
			defer c.Close()
		}
	}
	if !errors.Is(err, unix.EAGAIN) {
		t.Fatal(err)
	}
	time.AfterFunc(2*dialPause, func() { unix.Accept4(fd, unix.SOCK_CLOEXEC) })
	c, err := newUnixUpstream(t, path).Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

func TestDialErrors(t *testing.T) {
	dir := t.TempDir()
	abandon(t, filepath.Join(dir, "stale"))
	tests := []struct {
		name string
		is   error
		want string
	}{
		{"missing", fs.ErrNotExist, "does not exist; is the engine running?"},
		{"stale", unix.ECONNREFUSED, "nobody answers"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			path := filepath.Join(dir, tt.name)
			_, err := newUnixUpstream(t, path).Dial(t.Context())
			if !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v, want %v, saying %q and %q", err, tt.is, tt.want, path)
			}
			if took := time.Since(start); took < dialPatience || took > 2*dialPatience {
				t.Errorf("gave up after %v, want about %v", took, dialPatience)
			}
		})
	}
}

// TestDialEndsWithItsContext: whoever left does not wait for a restart.
func TestDialEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := newUnixUpstream(t, filepath.Join(t.TempDir(), "s")).Dial(ctx); err == nil {
		t.Error("no error")
	}
	if took := time.Since(start); took > dialPatience/2 {
		t.Errorf("took %v", took)
	}
}

// TestExplainDenied: the error says whose the socket is and how to be let in.
func TestExplainDenied(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := Listen(path, asIs)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	refused := &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.EACCES)}
	got := newUnixUpstream(t, path).explain(refused)
	whose := fmt.Sprintf("%s (%s:%s 0600)", path, userName(uint32(os.Getuid())), groupName(uint32(os.Getgid())))
	if !strings.Contains(got.Error(), whose) || !errors.Is(got, fs.ErrPermission) {
		t.Errorf("got %q, want it to say %q", got, whose)
	}

	tests := []struct {
		mode fs.FileMode
		gid  uint32
		want string
	}{
		{0o660, 4712, "add the user to group 4712 (in a container: --group-add 4712)"},
		{0o600, 4712, "run sockguard as its owner or give the engine's socket a group of its own"},
		{0o660, 0, "run sockguard as its owner or give the engine's socket a group of its own"},
	}
	for _, tt := range tests {
		if got := howToJoin(socketInfo{mode: tt.mode, stat: syscall.Stat_t{Gid: tt.gid}}); got != tt.want {
			t.Errorf("%v of %d: got %q, want %q", tt.mode, tt.gid, got, tt.want)
		}
	}
}

// A socketInfo is a socket file with the mode and group of a test.
type socketInfo struct {
	fs.FileInfo
	mode fs.FileMode
	stat syscall.Stat_t
}

func (s socketInfo) Mode() fs.FileMode { return fs.ModeSocket | s.mode }
func (s socketInfo) Sys() any          { return &s.stat }

// TestTransport: no compression is asked for, no proxy is looked for, and the
// request's address does not matter.
func TestTransport(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	path := filepath.Join(t.TempDir(), "s")
	l, err := Listen(path, asIs)
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan *http.Request, 1)
	serveHTTP(t, l, func(_ http.ResponseWriter, r *http.Request) { got <- r })
	tr := newUnixUpstream(t, path).Transport()
	defer tr.CloseIdleConnections()
	resp, err := (&http.Client{Transport: tr}).Get("http://anything.example/_ping")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	r := <-got
	if r.ProtoMajor != 1 || r.Header.Get("Accept-Encoding") != "" {
		t.Errorf("got %s with Accept-Encoding %q", r.Proto, r.Header.Get("Accept-Encoding"))
	}
}

// certs writes a certificate authority, an engine's and a client's certificate
// into the layout of DOCKER_CERT_PATH and returns the engine's configuration.
func certs(t *testing.T, dir string) *tls.Config {
	t.Helper()
	ca, caKey, caPEM, _ := certificate(t, "ca", nil, nil)
	_, _, enginePEM, engineKey := certificate(t, "engine", ca, caKey)
	_, _, clientPEM, clientKey := certificate(t, "client", ca, caKey)
	for name, pem := range map[string][]byte{"ca.pem": caPEM, "cert.pem": clientPEM, "key.pem": clientKey} {
		if err := os.WriteFile(filepath.Join(dir, name), pem, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pair, err := tls.X509KeyPair(enginePEM, engineKey)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(ca)
	return &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert}
}

func certificate(t *testing.T, name string, ca *x509.Certificate, caKey *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey, []byte, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber:          big.NewInt(time.Now().UnixNano()),
		Subject:               pkix.Name{CommonName: name},
		NotAfter:              time.Now().Add(time.Hour),
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		BasicConstraintsValid: true,
		IsCA:                  ca == nil,
	}
	if ca == nil {
		ca, caKey = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, ca, &key.PublicKey, caKey)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return c, key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
}

// TestTLS: who is believed, under which settings.
func TestTLS(t *testing.T) {
	ours, others, bare := t.TempDir(), t.TempDir(), t.TempDir()
	engineTLS := certs(t, ours)
	certs(t, others)
	pem, err := os.ReadFile(filepath.Join(ours, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	os.WriteFile(filepath.Join(bare, "ca.pem"), pem, 0o600)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.TLS.PeerCertificates[0].Subject.CommonName)
	}))
	srv.TLS = engineTLS
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	defer srv.Close()
	addr := srv.Listener.Addr().String()
	_, port, _ := net.SplitHostPort(addr)

	tests := []struct {
		name, addr string
		files      TLSFiles
		want, err  string
	}{
		{"verified", addr, TLSFiles{CertPath: ours, Verify: true}, "client", ""},
		{"other authority", addr, TLSFiles{CertPath: others, Verify: true}, "", "unknown authority"},
		{"other name", "localhost:" + port, TLSFiles{CertPath: ours, Verify: true}, "", "wanted to match localhost"},
		{"no client certificate", addr, TLSFiles{CertPath: bare, Verify: true}, "", "certificate required"},
		{"not verified on request", "localhost:" + port, TLSFiles{CertPath: ours, Enabled: true}, "client", ""},
		{"certificates alone turn nothing on", addr, TLSFiles{CertPath: ours}, "", "HTTP request to an HTTPS server"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			u, err := NewUpstream("tcp://"+tt.addr, tt.files)
			if err != nil {
				t.Fatal(err)
			}
			got, err := get(u)
			switch {
			case tt.err == "" && (err != nil || got != tt.want):
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)):
				t.Errorf("got %q, %v, want an error that says %q", got, err, tt.err)
			}
		})
	}
}

// get returns the body of a response; one that is not a 200 is an error.
func get(u *Upstream) (string, error) {
	tr := u.Transport()
	defer tr.CloseIdleConnections()
	resp, err := (&http.Client{Transport: tr}).Get("http://docker/")
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = errors.New(string(body))
	}
	return string(body), err
}

func TestTLSFiles(t *testing.T) {
	whole := t.TempDir()
	certs(t, whole)
	without := func(name string) string {
		dir := t.TempDir()
		certs(t, dir)
		os.Remove(filepath.Join(dir, name))
		return dir
	}
	garbage := without("ca.pem")
	writeFile(t, filepath.Join(garbage, "ca.pem"))
	t.Setenv("HOME", t.TempDir())
	tests := []struct {
		name  string
		files TLSFiles
		err   string // "" when it is fine
	}{
		{"whole", TLSFiles{CertPath: whole, Verify: true}, ""},
		{"no authority to verify with", TLSFiles{CertPath: without("ca.pem"), Verify: true}, "certificate authority"},
		{"authority not needed", TLSFiles{CertPath: without("ca.pem"), Enabled: true}, ""},
		{"garbage for an authority", TLSFiles{CertPath: garbage, Verify: true}, "no certificate in"},
		{"key without certificate", TLSFiles{CertPath: without("cert.pem"), Verify: true}, "client certificate"},
		{"certificate without key", TLSFiles{CertPath: without("key.pem"), Verify: true}, "client certificate"},
		{"default directory is empty", TLSFiles{Verify: true}, ".docker/ca.pem"},
	}
	for _, tt := range tests {
		_, err := NewUpstream("tcp://engine:2376", tt.files)
		if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.err)
		}
	}
	c, err := TLSFiles{CertPath: whole, Verify: true}.config("engine")
	if err != nil {
		t.Fatal(err)
	}
	if c.MinVersion != tls.VersionTLS12 || c.InsecureSkipVerify || c.ServerName != "engine" {
		t.Errorf("got version %x, skip %v, name %q", c.MinVersion, c.InsecureSkipVerify, c.ServerName)
	}
	if _, err := NewUpstream("unix:///s", TLSFiles{CertPath: garbage, Verify: true}); err != nil {
		t.Errorf("a unix socket needs no certificates: %v", err)
	}
}

// TestTunnelTLS: a stream to an engine over TLS ends in each direction by itself.
func TestTunnelTLS(t *testing.T) {
	dir := t.TempDir()
	config := certs(t, dir)
	l, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	u, err := NewUpstream("tcp://"+l.Addr().String(), TLSFiles{CertPath: dir, Verify: true})
	if err != nil {
		t.Fatal(err)
	}
	n := unixNet(t)
	n.engine, n.dialEngine = l, u.Dial
	ended := serveTunnels(t, n)
	client, err := n.dialProxy()
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	engine := switchProtocols(t, n, client)
	io.WriteString(client, "in")
	closeWrite(client)
	expectEnd(t, "engine", engine, "in")
	io.WriteString(engine, "out")
	engine.Close()
	expectEnd(t, "client", client, "out")
	if err := wait(t, ended); err != nil {
		t.Error(err)
	}
}
