package policy

// updateTable is the body of POST /containers/{name}/update: the limits of
// HostConfig and the restart policy. The devices in it are read by no engine
// before API 1.55.
var updateTable = func() []Field {
	var t []Field
	for _, name := range []string{
		"RestartPolicy", "CgroupParent", "Devices", "DeviceCgroupRules", "DeviceRequests",
		"Memory", "MemoryReservation", "MemorySwap", "MemorySwappiness", "KernelMemory", "KernelMemoryTCP",
		"NanoCpus", "CpuPeriod", "CpuQuota", "CpuShares", "CpusetCpus", "CpusetMems", "CpuRealtimePeriod", "CpuRealtimeRuntime",
		"PidsLimit", "Ulimits", "OomKillDisable",
		"BlkioWeight", "BlkioWeightDevice", "BlkioDeviceReadBps", "BlkioDeviceWriteBps", "BlkioDeviceReadIOps", "BlkioDeviceWriteIOps",
		"CpuCount", "CpuPercent", "IOMaximumIOps", "IOMaximumBandwidth",
	} {
		t = append(t, *field(hostConfigTable, name))
	}
	return t
}()
