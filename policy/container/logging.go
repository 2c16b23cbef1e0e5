package container

import (
	"slices"

	"sockguard/policy/field"
	"sockguard/policy/verdict"

	"github.com/go-json-experiment/json/jsontext"
)

// logOptions are the options of the drivers that write files of the engine's
// own. Without a Type they go to the engine's default driver, whichever that is,
// so none of them may tell a remote driver where to send.
var logOptions = []string{
	"max-size", "max-file", "compress", "mode", "max-buffer-size", "labels", "labels-regex", "env", "env-regex", "tag",
}

// checkLogConfig permits the drivers that write files of the engine's own. All
// others send from the host's network, or write to the host's log.
func checkLogConfig(_ *Draft, path string, v jsontext.Value) (jsontext.Value, error) {
	log, err := verdict.Decode[struct {
		Type   string
		Config map[string]string
	}](path, v)
	if err != nil {
		return nil, err
	}
	return v, CheckLog(path+".Type", log.Type, path+".Config", log.Config)
}

// CheckLog permits a log driver and its options.
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

// checkRestartPolicy checks the shape only: an owner's container may restart.
func checkRestartPolicy(_ *Draft, path string, v jsontext.Value) (jsontext.Value, error) {
	_, err := verdict.Decode[struct {
		Name              string
		MaximumRetryCount int
	}](path, v)
	return v, err
}
