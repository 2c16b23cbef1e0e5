package upstream

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

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
			u, err := New("tcp://"+tt.addr, tt.files)
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
	c := NewTransport(u.Dial)
	defer c.Close()
	resp, err := (&http.Client{Transport: c}).Get("http://docker/")
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
	os.WriteFile(filepath.Join(garbage, "ca.pem"), []byte("x"), 0o600)
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
		_, err := New("tcp://engine:2376", tt.files)
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
	if _, err := New("unix:///s", TLSFiles{CertPath: garbage, Verify: true}); err != nil {
		t.Errorf("a unix socket needs no certificates: %v", err)
	}
}
