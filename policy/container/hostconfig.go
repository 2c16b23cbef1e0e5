package container

import "sockguard/policy/field"

// hostConfigTable holds every field of HostConfig of Engine 20.10 to 29.
var hostConfigTable = field.Table[*Draft]{
	// Files: mounts.go, hostpath.go, volumes.go, tmpfs.go.
	{Name: "Binds", Verdict: field.Checked, Why: "host paths and volumes", Grant: "--allow-bind", Check: field.Edit(checkBinds)},
	{Name: "Mounts", Verdict: field.Checked, Why: "host paths, volumes and images", Grant: "--allow-bind", Check: field.Read(checkMounts)},
	{Name: "VolumesFrom", Verdict: field.Checked, Why: "the mounts of another container", Check: field.Edit(checkVolumesFrom)},
	{Name: "VolumeDriver", Verdict: field.Checked, Why: "a volume plugin runs as root on the host", Check: field.Read(checkVolumeDriver)},
	{Name: "Tmpfs", Verdict: field.Checked, Why: "options of mount bind and share", Check: field.Edit(checkTmpfs)},
	{Name: "StorageOpt", Verdict: field.Checked, Why: "options of the host's storage driver", Check: field.Read(checkStorageOpt)},
	{Name: "ContainerIDFile", Verdict: field.Dropped, Why: "a file of the client's"},
	{Name: "ReadonlyRootfs", Verdict: field.Allowed},

	// Network: networking.go, ports.go.
	{Name: "NetworkMode", Verdict: field.Checked, Why: "the host's network, or another container's", Grant: "--allow-host-network", Check: field.Edit(checkNetworkMode)},
	{Name: "PortBindings", Verdict: field.Checked, Why: "ports of the host", Grant: "--allow-port", Check: field.Read(checkPortBindings)},
	{Name: "PublishAllPorts", Verdict: field.Allowed},
	{Name: "Links", Verdict: field.Checked, Why: "the network and environment of another container", Check: field.Edit(checkLinks)},
	{Name: "Dns", Verdict: field.Allowed},
	{Name: "DnsOptions", Verdict: field.Allowed},
	{Name: "DnsSearch", Verdict: field.Allowed},
	{Name: "ExtraHosts", Verdict: field.Allowed},

	// Namespaces: namespaces.go.
	{Name: "IpcMode", Verdict: field.Checked, Why: "the host's shared memory, or another container's", Check: field.Edit(checkIpcMode)},
	{Name: "PidMode", Verdict: field.Checked, Why: "the host's processes, or another container's", Check: field.Edit(checkPidMode)},
	{Name: "UTSMode", Verdict: field.Checked, Why: "the host's name", Check: field.Read(checkPrivate)},
	{Name: "UsernsMode", Verdict: field.Refused, Why: "it turns the remapping of users off"},
	{Name: "CgroupnsMode", Since: "1.41", Verdict: field.Checked, Why: "the host's cgroups", Check: field.Read(checkPrivate)},
	{Name: "Cgroup", Verdict: field.Refused, Why: "it joins the cgroup of another container"},
	{Name: "CgroupParent", Verdict: field.Checked, Why: "it leaves the limits of the operator", Grant: "--cgroup-parent", Check: field.Read(checkCgroupParent)},

	// Rights: security.go, devices.go.
	{Name: "Privileged", Verdict: field.Refused, Why: "a privileged container is root on the host"},
	{Name: "CapAdd", Verdict: field.Checked, Why: "capabilities reach the host", Grant: "--allow-capability", Check: CapAdd},
	{Name: "CapDrop", Verdict: field.Allowed},
	{Name: "Capabilities", Since: "1.40", Until: "1.40", Verdict: field.Refused, Why: "it replaces the capabilities of a container"},
	{Name: "SecurityOpt", Verdict: field.Checked, Why: "it takes the confinement of a container away", Grant: "--allow-security-opt", Check: field.Read(checkSecurityOpt)},
	{Name: "MaskedPaths", Since: "1.38", Verdict: field.Checked, Why: "it uncovers files of the kernel", Check: checkKernelPaths, Zero: true},
	{Name: "ReadonlyPaths", Since: "1.38", Verdict: field.Checked, Why: "it uncovers files of the kernel", Check: checkKernelPaths, Zero: true},
	{Name: "Sysctls", Verdict: field.Checked, Why: "settings of the kernel", Grant: "--allow-sysctl", Check: field.Read(Sysctls)},
	{Name: "Runtime", Verdict: field.Checked, Why: "another runtime may confine less", Grant: "--allow-runtime", Check: field.Read(checkRuntime)},
	{Name: "Annotations", Since: "1.43", Verdict: field.Refused, Why: "runtimes and their hooks act on annotations"},
	{Name: "GroupAdd", Verdict: field.Checked, Why: "groups of the host matter on its files", Check: GroupAdd},
	{Name: "Devices", Verdict: field.Checked, Why: "devices of the host", Grant: "--allow-device", Check: field.Edit(checkDevices)},
	{Name: "DeviceCgroupRules", Since: "1.28", Verdict: field.Refused, Why: "it opens any device that can be made with mknod"},
	{Name: "DeviceRequests", Since: "1.40", Verdict: field.Checked, Why: "device drivers add mounts and hooks", Grant: "--allow-gpus", Check: field.Read(checkDeviceRequests)},
	{Name: "Umask", Verdict: field.Allowed},
	{Name: "Init", Verdict: field.Allowed},
	{Name: "InitPath", Until: "1.25", Verdict: field.Refused, Why: "a program of the host's"},
	{Name: "CredentialSpec", Verdict: field.Refused, Why: "a file of the host's"},

	// Logging, restarts, terminals: logging.go.
	{Name: "LogConfig", Verdict: field.Checked, Why: "remote log drivers use the host's network, options the engine's memory", Check: field.Read(checkLogConfig)},
	{Name: "RestartPolicy", Verdict: field.Checked, Check: field.Shape[restartPolicy, *Draft]},
	{Name: "AutoRemove", Verdict: field.Allowed},
	{Name: "ConsoleSize", Verdict: field.Allowed},

	// Limits: limits.go, ulimits.go.
	{Name: "Memory", Verdict: field.Checked, Grant: "--max-memory", Check: field.Shape[int64, *Draft]},
	{Name: "MemoryReservation", Verdict: field.Allowed},
	{Name: "MemorySwap", Verdict: field.Checked, Grant: "--max-memory", Check: field.Shape[int64, *Draft]},
	{Name: "MemorySwappiness", Verdict: field.Allowed},
	{Name: "KernelMemory", Until: "1.41", Verdict: field.Allowed},
	{Name: "KernelMemoryTCP", Since: "1.40", Until: "1.51", Verdict: field.Allowed},
	{Name: "NanoCpus", Verdict: field.Checked, Grant: "--max-cpus", Check: field.Shape[int64, *Draft]},
	{Name: "CpuPeriod", Verdict: field.Checked, Grant: "--max-cpus", Check: field.Shape[int64, *Draft]},
	{Name: "CpuQuota", Verdict: field.Checked, Grant: "--max-cpus", Check: field.Shape[int64, *Draft]},
	{Name: "CpuShares", Verdict: field.Allowed},
	{Name: "CpusetCpus", Verdict: field.Allowed},
	{Name: "CpusetMems", Verdict: field.Allowed},
	{Name: "CpuRealtimePeriod", Verdict: field.Refused, Why: "real time takes the CPU away from the host"},
	{Name: "CpuRealtimeRuntime", Verdict: field.Refused, Why: "real time takes the CPU away from the host"},
	{Name: "PidsLimit", Verdict: field.Checked, Grant: "--max-pids", Check: field.Shape[int64, *Draft]},
	{Name: "ShmSize", Verdict: field.Allowed},
	{Name: "Ulimits", Verdict: field.Checked, Why: "real time takes the CPU away from the host", Check: field.Read(Ulimits)},
	{Name: "OomKillDisable", Verdict: field.Refused, Why: "the host would run out of memory instead"},
	{Name: "OomScoreAdj", Verdict: field.Checked, Why: "below 0 the host's own processes die first", Check: field.Read(OomScoreAdj)},
	{Name: "BlkioWeight", Verdict: field.Allowed},
	{Name: "BlkioWeightDevice", Verdict: field.Refused, Why: "it names devices of the host"},
	{Name: "BlkioDeviceReadBps", Verdict: field.Refused, Why: "it names devices of the host"},
	{Name: "BlkioDeviceWriteBps", Verdict: field.Refused, Why: "it names devices of the host"},
	{Name: "BlkioDeviceReadIOps", Verdict: field.Refused, Why: "it names devices of the host"},
	{Name: "BlkioDeviceWriteIOps", Verdict: field.Refused, Why: "it names devices of the host"},

	// Windows and old engines.
	{Name: "Isolation", Verdict: field.Allowed},
	{Name: "CpuCount", Verdict: field.Allowed},
	{Name: "CpuPercent", Verdict: field.Allowed},
	{Name: "IOMaximumIOps", Verdict: field.Allowed},
	{Name: "IOMaximumBandwidth", Verdict: field.Allowed},
	{Name: "DiskQuota", Verdict: field.Allowed},
	{Name: "LxcConf", Until: "1.21", Verdict: field.Dropped, Why: "no engine reads it"},
}
