package container

import (
	"slices"

	"sockguard/policy/field"
	"sockguard/policy/verdict"
)

// logOptions are the options of the drivers that write files of the engine's own.
// Without a Type, the engine's default driver gets them. So none of them may be
// an address for a remote driver.
var logOptions = []string{
	"max-size", "max-file", "compress", "mode", "max-buffer-size", "labels", "labels-regex", "env", "env-regex", "tag",
}

type logConfig struct {
	Type   string
	Config map[string]string
}

func checkLogConfig(_ *Draft, path string, log logConfig) error {
	return CheckLog(path+".Type", log.Type, path+".Config", log.Config)
}

// CheckLog permits the drivers that write files of the engine's own, and their
// options. All other drivers send from the host's network, or write to the host's
// log.
func CheckLog(driverPath, driver, optionsPath string, options map[string]string) error {
	switch driver {
	case "", "json-file", "local", "none":
	default:
		return field.Deny(driverPath, verdict.Quoted(driver), "this driver writes to the host's log or network; use json-file, local or none", "")
	}
	for option := range options {
		if !slices.Contains(logOptions, option) {
			return field.Deny(optionsPath, verdict.Quoted(option), "it is no option of json-file or local, and the engine's default driver may be another", "")
		}
	}
	return nil
}

// restartPolicy may have any value: an owner's container may restart.
type restartPolicy struct {
	Name              string
	MaximumRetryCount int
}
