package container

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/docker/go-units"

	"sockguard/policy/field"
	"sockguard/policy/verdict"
)

const (
	maxLogBuffer = 16 << 20 // of the engine's memory, for each container
	maxLogFiles  = 100      // the engine renames all of them when one is full
	minLogSize   = 1000     // of a file
)

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
	for option, value := range options {
		check, known := logOptions[option]
		if !known {
			return field.Deny(optionsPath, verdict.Quoted(option), "it is no option of json-file or local, and the engine's default driver may be another", "")
		}
		if want := check(value); want != "" {
			return verdict.Deny("log", "%s: %s %s: the engine would do more than log; %s", optionsPath, option, verdict.Quoted(value), want)
		}
	}
	return nil
}

// logOptions are the options of the drivers that write files of the engine's own,
// with the check of a value, which returns what to write in its place or "". Without
// a Type, the engine's default driver gets them. So none of them may be an address
// for a remote driver. The engine checks the others itself.
var logOptions = map[string]func(value string) string{
	"max-size":        logSize,
	"max-file":        logFiles,
	"max-buffer-size": logBuffer,
	"tag":             logTag,
	"labels-regex":    logPattern,
	"env-regex":       logPattern,
	"labels":          anyLogOption,
	"env":             anyLogOption,
	"compress":        anyLogOption,
	"mode":            anyLogOption,
}

func anyLogOption(string) string { return "" }

func logSize(value string) string {
	if n, err := units.FromHumanSize(value); err == nil && n >= minLogSize {
		return ""
	}
	return "write a size of at least 1k, as in 10m"
}

func logFiles(value string) string {
	if n, err := strconv.Atoi(value); err == nil && n <= maxLogFiles {
		return ""
	}
	return "write a number up to " + strconv.Itoa(maxLogFiles)
}

func logBuffer(value string) string {
	if n, err := units.RAMInBytes(value); err == nil && n <= maxLogBuffer {
		return ""
	}
	return "write a size up to 16m"
}

// logField matches what a tag may have of the template language: a name or an ID of
// the container, which the engine writes to every line.
var logField = regexp.MustCompile(`\{\{ ?\.(ID|FullID|Name|ImageID|ImageFullID|ImageName|DaemonName) ?\}\}`)

func logTag(value string) string {
	fields := logField.FindAllString(value, -1)
	if len(value) <= 256 && len(fields) <= 4 && !strings.Contains(logField.ReplaceAllString(value, ""), "{{") {
		return ""
	}
	return "write plain text with up to four of {{.ID}}, {{.FullID}}, {{.Name}}, {{.ImageID}}, {{.ImageFullID}}, {{.ImageName}} and {{.DaemonName}}"
}

// logPattern permits regular expressions that stay as small as they are written.
func logPattern(value string) string {
	if len(value) <= 256 && !strings.Contains(value, "{") {
		return ""
	}
	return "write a pattern of up to 256 characters without {, or name the labels or variables"
}

// restartPolicy may have any value: an owner's container may restart.
type restartPolicy struct {
	Name              string
	MaximumRetryCount int
}
