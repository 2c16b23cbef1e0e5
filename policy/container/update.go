package container

import (
	"sockguard/policy/field"
	"sockguard/policy/verdict"
	"sockguard/rewrite/rawjson"
)

// updateTable is the body of POST /containers/{name}/update: the limits of
// HostConfig and the restart policy. No engine before API 1.55 reads the devices
// in it.
var updateTable = hostConfigFields(
	"RestartPolicy", "CgroupParent", "Devices", "DeviceCgroupRules", "DeviceRequests",
	"Memory", "MemoryReservation", "MemorySwap", "MemorySwappiness", "KernelMemory", "KernelMemoryTCP",
	"NanoCpus", "CpuPeriod", "CpuQuota", "CpuShares", "CpusetCpus", "CpusetMems", "CpuRealtimePeriod", "CpuRealtimeRuntime",
	"PidsLimit", "Ulimits", "OomKillDisable",
	"BlkioWeight", "BlkioWeightDevice", "BlkioDeviceReadBps", "BlkioDeviceWriteBps", "BlkioDeviceReadIOps", "BlkioDeviceWriteIOps",
	"CpuCount", "CpuPercent", "IOMaximumIOps", "IOMaximumBandwidth",
)

func hostConfigFields(names ...string) (t field.Table[*Draft]) {
	for _, name := range names {
		t = append(t, *hostConfigTable.Find(name))
	}
	return t
}

// Update decides POST /containers/{name}/update.
func Update(c *verdict.Case) error {
	if _, err := c.OwnNamed(verdict.Container); err != nil {
		return err
	}
	body, err := updateTable.Body(&Draft{Case: c})
	if err != nil {
		return err
	}
	c.Out.Body = body.Marshal()
	return limitUpdate(c, &body)
}

// limitUpdate holds the update of a container to the operator's ceilings. A limit
// that the update does not name does not change.
func limitUpdate(c *verdict.Case, body *rawjson.Object) error {
	quota, period := field.Int(body, "CpuQuota"), field.Int(body, "CpuPeriod")
	if c.MaxNanoCPUs != 0 && (quota != 0) != (period != 0) {
		return verdict.Bad("limit", "CpuQuota and CpuPeriod: one without the other changes the share of CPUs; set both")
	}
	pids := field.Int(body, "PidsLimit")
	if value, set := body.Get("PidsLimit"); set && value.Kind() != 'n' && pids <= 0 {
		pids = -1 // 0 takes the limit away
	}
	return limitsOf(c, "", body, pids).check()
}
