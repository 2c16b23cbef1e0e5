package network

import (
	"cmp"
	"regexp"

	"sockguard/policy/field"
	"sockguard/policy/verdict"
)

// swarmID is the form of the IDs of a swarm's networks.
var swarmID = regexp.MustCompile(`^[0-9a-z]{25}$`)

// checkName refuses the name of a new network that could be another one's ID: engines
// look up by name, and by ID first, where a container that does not run is connected.
func checkName(d *draft, path, name string) error {
	if d.Swarm && swarmID.MatchString(name) {
		return verdict.Bad("network", "%s %s: it may be the ID of another network; choose another name", path, name)
	}
	return cmp.Or(verdict.CheckName(verdict.Network, path, name), verdict.CheckNotID(verdict.Network, name))
}

func checkDriver(d *draft, path, driver string) error {
	d.overlay = driver == "overlay"
	if driver == "bridge" || driver == "default" || d.overlay && d.Swarm {
		return nil
	}
	return field.Deny(path, verdict.Quoted(driver), "it reaches the host's network or other hosts; use bridge", "")
}

// bridgeOption reports whether an option changes nothing outside the network.
func bridgeOption(key, value string) bool {
	switch key {
	case "com.docker.network.bridge.enable_icc", "com.docker.network.bridge.enable_ip_masquerade",
		"com.docker.network.driver.mtu", "com.docker.network.container_iface_prefix", "com.docker.network.enable_ipv6":
		return true
	case "com.docker.network.bridge.gateway_mode_ipv4", "com.docker.network.bridge.gateway_mode_ipv6":
		return value == "nat" || value == "isolated"
	case "encrypted": // of overlay networks
		return true
	}
	return false
}

func checkOptions(_ *draft, path string, options map[string]string) error {
	for key, value := range options {
		if !bridgeOption(key, value) {
			return field.Deny(path, verdict.Quoted(key+"="+value), "it sets up the host's network", "")
		}
	}
	return nil
}

func checkScope(d *draft, path, scope string) error {
	if scope == "local" || scope == "swarm" && d.Swarm {
		return nil
	}
	return field.Deny(path, verdict.Quoted(scope), "it makes a network of the swarm's; use local", "")
}

func checkConfigFrom(_ *draft, path string, from struct{ Network string }) error {
	if from.Network == "" {
		return nil
	}
	return field.Deny(path, verdict.Quoted(from.Network), "it takes options over from another network", "")
}
