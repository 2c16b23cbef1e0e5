package container

import "sockguard/policy/logdriver"

type logConfig struct {
	Type   string
	Config map[string]string
}

func checkLogConfig(_ *Draft, path string, log logConfig) error {
	return logdriver.Check(path+".Type", log.Type, path+".Config", log.Config)
}

// restartPolicy may have any value: an owner's container may restart.
type restartPolicy struct {
	Name              string
	MaximumRetryCount int
}
