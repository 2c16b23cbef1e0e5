package container

import (
	"sockguard/policy/field"
	"sockguard/policy/verdict"
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
