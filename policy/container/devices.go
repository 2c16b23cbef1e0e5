package container

import (
	"path"
	"slices"

	"sockguard/policy/field"
	"sockguard/policy/verdict"
)

type device struct{ PathOnHost, PathInContainer, CgroupPermissions string }

// checkDevices permits the paths that the operator named, and nothing below them.
// For a directory, an engine opens every device in it.
func checkDevices(d *Draft, name string, devices []device) ([]device, error) {
	for i := range devices {
		host := path.Clean(devices[i].PathOnHost)
		if !slices.Contains(d.Devices, host) {
			return nil, field.Deny(name, verdict.Quoted(devices[i].PathOnHost), "it is a device of the host", "--allow-device "+host)
		}
		devices[i].PathOnHost = host
	}
	return devices, nil
}

type deviceRequest struct {
	Driver       string
	Count        int
	DeviceIDs    []string
	Capabilities [][]string
	Options      map[string]string
}

// checkDeviceRequests permits GPUs where the operator does. Requests by CDI name
// are refused: a CDI device may bring mounts and hooks.
func checkDeviceRequests(d *Draft, name string, requests []deviceRequest) error {
	for _, r := range requests {
		gpu := len(r.Options) == 0 && (r.Driver == "" || r.Driver == "nvidia") && len(r.Capabilities) > 0
		for _, set := range r.Capabilities {
			gpu = gpu && slices.Contains(set, "gpu")
		}
		if !gpu {
			return field.Deny(name, verdict.Quoted(r.Driver), "device drivers other than for GPUs may add mounts and hooks", "")
		}
		if !d.GPUs {
			return field.Deny(name, verdict.Quoted("gpu"), "it is a device of the host", "--allow-gpus")
		}
	}
	return nil
}
