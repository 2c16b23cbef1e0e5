package config

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"sockguard/proxy"
	"sockguard/proxy/upstream"
)

// Guard makes the guard that settings describe. Its errors name the setting.
func (s *Settings) Guard(log *slog.Logger) (*proxy.Guard, error) {
	p, err := s.policy()
	if err != nil {
		return nil, err
	}
	if _, err := s.listenOptions(); err != nil {
		return nil, err
	}
	// TLS is set as for the docker CLI.
	upstream, err := upstream.New(s.Upstream, upstream.TLSFiles{
		CertPath: os.Getenv("DOCKER_CERT_PATH"),
		Verify:   os.Getenv("DOCKER_TLS_VERIFY") != "",
		Enabled:  os.Getenv("DOCKER_TLS") != "",
	})
	if err != nil {
		return nil, err
	}
	if socketPath(s.Listen) == socketPath(upstream.String()) {
		return nil, fmt.Errorf("listen and upstream are both %s: the guard would ask itself; is DOCKER_HOST already the guarded socket? name the engine with --upstream", s.Listen)
	}
	if p.MaxPids != 0 && p.CgroupParent == "" {
		log.Warn("max-pids does not bound the steps of builds: the classic builder knows no such limit; set cgroup-parent to a cgroup with a pids.max", "listen", s.Listen)
	}
	return proxy.NewGuard(p, upstream, log), nil
}

// socketPath is the absolute path of a unix socket, or the address as it is.
func socketPath(address string) string {
	path := strings.TrimPrefix(address, "unix://")
	if abs, err := filepath.Abs(path); err == nil && !strings.Contains(path, "://") {
		return abs
	}
	return address
}
