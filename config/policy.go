package config

import (
	"fmt"
	"net/netip"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/docker/go-units"

	"sockguard/policy/verdict"
)

// policy turns settings into the policy of a guard. Its errors name the flag.
func (s *Settings) policy() (*verdict.Policy, error) {
	if err := CheckOwner(s.Owner, s.LabelKey); err != nil {
		return nil, err
	}
	p := &verdict.Policy{
		Owner: s.Owner, LabelKey: s.LabelKey, CgroupParent: s.CgroupParent,
		MaxContextEntries: s.MaxContextEntries, AuditOnly: s.AuditOnly, ShowLabelSteps: s.ShowLabelSteps,
		Grants: verdict.Grants{
			Readlink:    os.Readlink,
			HostNetwork: s.AllowHostNetwork, Capabilities: s.AllowCapability, Devices: s.AllowDevice,
			GPUs: s.AllowGPUs, Sysctls: s.AllowSysctl, SecurityOpts: s.AllowSecurityOpt,
			Runtimes: s.AllowRuntime, Registries: s.AllowRegistry, TagPatterns: s.AllowTag, MaxPids: s.MaxPids,
			MaxContainers: s.MaxContainers, ForceUser: s.ForceUser, JoinNetwork: s.JoinNetwork,
			JoinAlias: s.JoinAlias, Link: s.Link, GuardSocket: s.GuardSocket, Swarm: s.AllowSwarm,
			AllowKeys: s.AllowKey,
		},
	}
	for _, name := range s.ListenName {
		p.Hosts = append(p.Hosts, strings.ToLower(name))
	}
	if path, ok := strings.CutPrefix(s.Upstream, "unix://"); ok {
		p.EngineSockets = []string{path}
		p.HostRoutes = hostRoutes
	}
	for _, parse := range []func(*verdict.Policy) error{s.binds, s.ports, s.subnets, s.tags, s.remotes, s.ceilings, s.joins} {
		if err := parse(p); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (s *Settings) binds(p *verdict.Policy) error {
	for text := range strings.SplitSeq(strings.Join(s.AllowBind, ","), ",") {
		if text == "" {
			continue
		}
		path, readOnly := strings.CutSuffix(text, ":ro")
		if !filepath.IsAbs(path) || strings.Contains(path, ":") {
			return fmt.Errorf("allow-bind %s: write an absolute path, as in /srv/work or /srv/work:ro", text)
		}
		p.Binds = append(p.Binds, verdict.BindGrant{Path: filepath.Clean(path), ReadOnly: readOnly})
	}
	return nil
}

func (s *Settings) ports(p *verdict.Policy) error {
	for _, text := range s.AllowPort {
		first, last, ranged := strings.Cut(text, "-")
		if !ranged {
			last = first
		}
		a, errA := strconv.ParseUint(first, 10, 16)
		b, errB := strconv.ParseUint(last, 10, 16)
		if errA != nil || errB != nil || a == 0 || a > b {
			return fmt.Errorf("allow-port %s: write a port or a range, as in 8080 or 30000-32000", text)
		}
		p.PublishedPorts = append(p.PublishedPorts, verdict.PortRange{First: uint16(a), Last: uint16(b)})
	}
	return nil
}

func (s *Settings) subnets(p *verdict.Policy) error {
	for _, text := range s.AllowSubnet {
		subnet, err := netip.ParsePrefix(text)
		if err != nil {
			return fmt.Errorf("allow-subnet %s: write a range, as in 10.20.0.0/16", text)
		}
		p.Subnets = append(p.Subnets, subnet.Masked())
	}
	return nil
}

func (s *Settings) tags(*verdict.Policy) error {
	for _, pattern := range s.AllowTag {
		if _, err := path.Match(pattern, ""); err != nil || pattern == "" {
			return fmt.Errorf("allow-tag %q: write a repository, in which * stands for any text but a slash, as in team-a/*", pattern)
		}
	}
	return nil
}

func (s *Settings) remotes(p *verdict.Policy) (err error) {
	list := strings.FieldsFunc(strings.Join(s.AllowRemote, ","), func(r rune) bool { return r == ',' })
	p.Remotes, err = verdict.ParseRemoteGrants(list)
	return err
}

func (s *Settings) ceilings(p *verdict.Policy) (err error) {
	if p.MaxMemory, err = byteSize("max-memory", s.MaxMemory); err != nil {
		return err
	}
	if p.MaxContextBytes, err = byteSize("max-context-bytes", s.MaxContextBytes); err != nil {
		return err
	}
	if s.MaxCPUs != "" {
		cpus, err := strconv.ParseFloat(s.MaxCPUs, 64)
		if err != nil || cpus <= 0 || cpus > 1e6 {
			return fmt.Errorf("max-cpus %s: write a number of CPUs, as in 1.5", s.MaxCPUs)
		}
		p.MaxNanoCPUs = int64(cpus * 1e9)
	}
	if s.MaxPids < 0 || s.MaxContainers < 0 || s.MaxContextEntries < 0 {
		return fmt.Errorf("max-pids, max-containers and max-context-entries cannot be negative; leave them out for no bound")
	}
	return nil
}

func (s *Settings) joins(*verdict.Policy) error {
	switch {
	case s.Link != "" && s.JoinNetwork != "":
		return fmt.Errorf("link and join-network: a link joins networks already; give one of them")
	case s.JoinAlias != "" && s.JoinNetwork == "":
		return fmt.Errorf("join-alias without join-network: name the container to join")
	case strings.Count(s.Link, ":") > 1:
		return fmt.Errorf("link %s: write CONTAINER or CONTAINER:ALIAS", s.Link)
	}
	return nil
}

// byteSize reads "512m"; "" is 0, no bound.
func byteSize(name, text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	n, err := units.RAMInBytes(text)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("%s %s: write a size, as in 512m or 10g", name, text)
	}
	return n, nil
}
