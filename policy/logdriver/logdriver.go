// Package logdriver decides where and how an engine may log for a container.
package logdriver

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/docker/go-units"

	"sockguard/policy/field"
	"sockguard/policy/verdict"
)

const (
	maxBuffer = 16 << 20 // of the engine's memory, for each container
	maxFiles  = 100      // the engine renames all of them when one is full
	minSize   = 1000     // of a file
)

// Check permits the drivers that write files of the engine's own, and their
// options. All other drivers send from the host's network, or write to the host's
// log.
func Check(driverPath, driver, optionsPath string, options map[string]string) error {
	switch driver {
	case "", "json-file", "local", "none":
	default:
		return field.Deny(driverPath, verdict.Quoted(driver), "this driver writes to the host's log or network; use json-file, local or none", "")
	}
	for option, value := range options {
		check, found := known[option]
		if !found {
			return field.Deny(optionsPath, verdict.Quoted(option), "it is no option of json-file or local, and the engine's default driver may be another", "")
		}
		if want := check(value); want != "" {
			return verdict.Deny("log", "%s: %s %s: the engine would do more than log; %s", optionsPath, option, verdict.Quoted(value), want)
		}
	}
	return nil
}

// known are the options of the drivers that write files of the engine's own, with the
// check of a value, which returns what to write in its place or "". Without a Type,
// the engine's default driver gets them. So none of them may be an address for a
// remote driver. The engine itself checks values that have no check here.
var known = map[string]func(value string) string{
	"max-size":        size,
	"max-file":        files,
	"max-buffer-size": buffer,
	"tag":             tag,
	"labels-regex":    pattern,
	"env-regex":       pattern,
	"labels":          anyValue,
	"env":             anyValue,
	"compress":        anyValue,
	"mode":            anyValue,
}

func anyValue(string) string { return "" }

func size(value string) string {
	if n, err := units.FromHumanSize(value); err == nil && n >= minSize {
		return ""
	}
	return "write a size of at least 1k, as in 10m"
}

func files(value string) string {
	if n, err := strconv.Atoi(value); err == nil && n <= maxFiles {
		return ""
	}
	return "write a number up to " + strconv.Itoa(maxFiles)
}

func buffer(value string) string {
	if n, err := units.RAMInBytes(value); err == nil && n <= maxBuffer {
		return ""
	}
	return "write a size up to 16m"
}

// tagField matches what a tag may have of the template language: a name or an ID of
// the container, which the engine writes to every line.
var tagField = regexp.MustCompile(`\{\{ ?\.(ID|FullID|Name|ImageID|ImageFullID|ImageName|DaemonName) ?\}\}`)

func tag(value string) string {
	fields := tagField.FindAllString(value, -1)
	if len(value) <= 256 && len(fields) <= 4 && !strings.Contains(tagField.ReplaceAllString(value, ""), "{{") {
		return ""
	}
	return "write plain text with up to four of {{.ID}}, {{.FullID}}, {{.Name}}, {{.ImageID}}, {{.ImageFullID}}, {{.ImageName}} and {{.DaemonName}}"
}

// pattern permits regular expressions that stay as small as they are written.
func pattern(value string) string {
	if len(value) <= 256 && !strings.Contains(value, "{") {
		return ""
	}
	return "write a pattern of up to 256 characters without {, or name the labels or variables"
}
