package upstream

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// TLSFiles are the TLS settings of the docker CLI.
type TLSFiles struct {
	// CertPath is the directory of ca.pem, cert.pem and key.pem
	// (DOCKER_CERT_PATH); "" means ~/.docker.
	CertPath string

	// Verify turns TLS on and checks the engine's certificate against ca.pem only
	// (DOCKER_TLS_VERIFY, --tlsverify).
	Verify bool

	// Enabled without Verify turns TLS on and does not check the engine's
	// certificate (DOCKER_TLS, --tls). CertPath alone does not turn TLS on.
	Enabled bool
}

// config returns the client configuration for an engine called serverName, nil
// for plain TCP.
func (t TLSFiles) config(serverName string) (*tls.Config, error) {
	if !t.Enabled && !t.Verify {
		return nil, nil
	}
	dir := t.CertPath
	if dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, fmt.Errorf("no directory of TLS certificates: %w", err)
		}
		dir = filepath.Join(home, ".docker")
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: serverName, InsecureSkipVerify: !t.Verify}
	if t.Verify {
		pool, err := readPool(filepath.Join(dir, "ca.pem"))
		if err != nil {
			return nil, err
		}
		c.RootCAs = pool
	}
	pair, err := readPair(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
	if err != nil {
		return nil, err
	}
	c.Certificates = pair
	return c, nil
}

func readPool(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the engine's certificate authority: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("no certificate in %s", file)
	}
	return pool, nil
}

// readPair reads the client certificate. Both files may be missing, for an engine
// that wants none, but not one of them.
func readPair(certFile, keyFile string) ([]tls.Certificate, error) {
	if fileMissing(certFile) && fileMissing(keyFile) {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("read the client certificate: %w", err)
	}
	return []tls.Certificate{pair}, nil
}

func fileMissing(file string) bool {
	_, err := os.Stat(file)
	return errors.Is(err, fs.ErrNotExist)
}
