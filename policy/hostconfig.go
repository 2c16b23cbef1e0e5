package policy

import (
	"iter"
	"slices"
)

// HostConfigTable yields every field of HostConfig of Engine 20.10 to 29, with
// the verdict on it.
func HostConfigTable() iter.Seq[Field] { return slices.Values(hostConfigTable) }

var hostConfigTable = []Field{
	// Files: mounts.go, hostpath.go, volume.go, links.go.
	{Name: "Binds", Verdict: Checked, Why: "host paths and volumes", Grant: "--allow-bind", check: checkBinds},
	{Name: "Mounts", Verdict: Checked, Why: "host paths, volumes and images", Grant: "--allow-bind", check: checkMounts},
	{Name: "VolumesFrom", Verdict: Checked, Why: "the mounts of another container", check: checkVolumesFrom},
	{Name: "VolumeDriver", Verdict: Checked, Why: "a volume plugin runs as root on the host", check: checkVolumeDriver},
	{Name: "Tmpfs", Verdict: Checked, check: checkTmpfs},
	{Name: "StorageOpt", Verdict: Checked, Why: "options of the host's storage driver", check: checkStorageOpt},
	{Name: "ContainerIDFile", Verdict: Dropped, Why: "a file of the client's"},
	{Name: "ReadonlyRootfs", Verdict: Allowed},

	// Network: networkmode.go, endpoint.go, ports.go, links.go.
	{Name: "NetworkMode", Verdict: Checked, Why: "the host's network, or another container's", Grant: "--allow-host-network", check: checkNetworkMode},
	{Name: "PortBindings", Verdict: Checked, Why: "ports of the host", Grant: "--allow-port", check: checkPortBindings},
	{Name: "PublishAllPorts", Verdict: Allowed},
	{Name: "Links", Verdict: Checked, Why: "the network and environment of another container", check: checkLinks},
	{Name: "Dns", Verdict: Allowed},
	{Name: "DnsOptions", Verdict: Allowed},
	{Name: "DnsSearch", Verdict: Allowed},
	{Name: "ExtraHosts", Verdict: Allowed},

	// Namespaces: namespaces.go.
	{Name: "IpcMode", Verdict: Checked, Why: "the host's shared memory, or another container's", check: checkIpcMode},
	{Name: "PidMode", Verdict: Checked, Why: "the host's processes, or another container's", check: checkPidMode},
	{Name: "UTSMode", Verdict: Checked, Why: "the host's name", check: checkPrivate},
	{Name: "UsernsMode", Verdict: Refused, Why: "it turns the remapping of users off"},
	{Name: "CgroupnsMode", Since: "1.41", Verdict: Checked, Why: "the host's cgroups", check: checkPrivate},
	{Name: "Cgroup", Verdict: Refused, Why: "it joins the cgroup of another container"},
	{Name: "CgroupParent", Verdict: Checked, Why: "it leaves the limits of the operator", Grant: "--cgroup-parent", check: checkCgroupParent},

	// Rights: security.go, devices.go.
	{Name: "Privileged", Verdict: Refused, Why: "a privileged container is root on the host"},
	{Name: "CapAdd", Verdict: Checked, Why: "capabilities reach the host", Grant: "--allow-capability", check: checkCapAdd},
	{Name: "CapDrop", Verdict: Allowed},
	{Name: "Capabilities", Since: "1.40", Until: "1.40", Verdict: Refused, Why: "it replaces the capabilities of a container"},
	{Name: "SecurityOpt", Verdict: Checked, Why: "it takes the confinement of a container away", Grant: "--allow-security-opt", check: checkSecurityOpt},
	{Name: "MaskedPaths", Since: "1.38", Verdict: Checked, Why: "it uncovers files of the kernel", check: checkKernelPaths, zero: true},
	{Name: "ReadonlyPaths", Since: "1.38", Verdict: Checked, Why: "it uncovers files of the kernel", check: checkKernelPaths, zero: true},
	{Name: "Sysctls", Verdict: Checked, Why: "settings of the kernel", Grant: "--allow-sysctl", check: checkSysctls},
	{Name: "Runtime", Verdict: Checked, Why: "another runtime may confine less", Grant: "--allow-runtime", check: checkRuntime},
	{Name: "Annotations", Since: "1.43", Verdict: Refused, Why: "runtimes and their hooks act on annotations"},
	{Name: "GroupAdd", Verdict: Checked, Why: "groups of the host matter on its files", check: checkGroupAdd},
	{Name: "Devices", Verdict: Checked, Why: "devices of the host", Grant: "--allow-device", check: checkDevices},
	{Name: "DeviceCgroupRules", Since: "1.28", Verdict: Refused, Why: "it opens any device that can be made with mknod"},
	{Name: "DeviceRequests", Since: "1.40", Verdict: Checked, Why: "device drivers add mounts and hooks", Grant: "--allow-gpus", check: checkDeviceRequests},
	{Name: "Umask", Verdict: Allowed},
	{Name: "Init", Verdict: Allowed},
	{Name: "InitPath", Until: "1.25", Verdict: Refused, Why: "a program of the host's"},
	{Name: "CredentialSpec", Verdict: Refused, Why: "a file of the host's"},

	// Life: logging.go.
	{Name: "LogConfig", Verdict: Checked, Why: "remote log drivers use the host's network", check: checkLogConfig},
	{Name: "RestartPolicy", Verdict: Checked, check: checkRestartPolicy},
	{Name: "AutoRemove", Verdict: Allowed},
	{Name: "ConsoleSize", Verdict: Allowed},

	// Limits: resources.go.
	{Name: "Memory", Verdict: Checked, Grant: "--max-memory", check: checkNumber},
	{Name: "MemoryReservation", Verdict: Allowed},
	{Name: "MemorySwap", Verdict: Checked, Grant: "--max-memory", check: checkNumber},
	{Name: "MemorySwappiness", Verdict: Allowed},
	{Name: "KernelMemory", Until: "1.41", Verdict: Allowed},
	{Name: "KernelMemoryTCP", Since: "1.40", Until: "1.51", Verdict: Allowed},
	{Name: "NanoCpus", Verdict: Checked, Grant: "--max-cpus", check: checkNumber},
	{Name: "CpuPeriod", Verdict: Checked, Grant: "--max-cpus", check: checkNumber},
	{Name: "CpuQuota", Verdict: Checked, Grant: "--max-cpus", check: checkNumber},
	{Name: "CpuShares", Verdict: Allowed},
	{Name: "CpusetCpus", Verdict: Allowed},
	{Name: "CpusetMems", Verdict: Allowed},
	{Name: "CpuRealtimePeriod", Verdict: Refused, Why: "real time takes the CPU away from the host"},
	{Name: "CpuRealtimeRuntime", Verdict: Refused, Why: "real time takes the CPU away from the host"},
	{Name: "PidsLimit", Verdict: Checked, Grant: "--max-pids", check: checkNumber},
	{Name: "ShmSize", Verdict: Allowed},
	{Name: "Ulimits", Verdict: Allowed},
	{Name: "OomKillDisable", Verdict: Refused, Why: "the host would run out of memory instead"},
	{Name: "OomScoreAdj", Verdict: Checked, Why: "below 0 the host's own processes die first", check: checkOomScoreAdj},
	{Name: "BlkioWeight", Verdict: Allowed},
	{Name: "BlkioWeightDevice", Verdict: Refused, Why: "it names devices of the host"},
	{Name: "BlkioDeviceReadBps", Verdict: Refused, Why: "it names devices of the host"},
	{Name: "BlkioDeviceWriteBps", Verdict: Refused, Why: "it names devices of the host"},
	{Name: "BlkioDeviceReadIOps", Verdict: Refused, Why: "it names devices of the host"},
	{Name: "BlkioDeviceWriteIOps", Verdict: Refused, Why: "it names devices of the host"},

	// Windows, and what engines of old read.
	{Name: "Isolation", Verdict: Allowed},
	{Name: "CpuCount", Verdict: Allowed},
	{Name: "CpuPercent", Verdict: Allowed},
	{Name: "IOMaximumIOps", Verdict: Allowed},
	{Name: "IOMaximumBandwidth", Verdict: Allowed},
	{Name: "DiskQuota", Verdict: Allowed},
	{Name: "LxcConf", Until: "1.21", Verdict: Dropped, Why: "no engine reads it"},
}
