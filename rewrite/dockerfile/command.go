package dockerfile

import "strings"

// A command is the keyword of an instruction.
type command byte

const (
	cmdUnknown command = iota
	cmdOther           // known, and not looked into
	cmdAdd
	cmdArg
	cmdCopy
	cmdFrom
	cmdLabel
	cmdMaintainer
	cmdOnbuild
	cmdRun
)

// commandOf returns the command of a keyword. As in the engine, case folds by
// Unicode: İ is an i and the Kelvin sign is a k.
func commandOf(word string) command {
	switch strings.ToLower(word) {
	case "add":
		return cmdAdd
	case "arg":
		return cmdArg
	case "copy":
		return cmdCopy
	case "from":
		return cmdFrom
	case "label":
		return cmdLabel
	case "maintainer":
		return cmdMaintainer
	case "onbuild":
		return cmdOnbuild
	case "run":
		return cmdRun
	case "cmd", "entrypoint", "env", "expose", "healthcheck", "shell",
		"stopsignal", "user", "volume", "workdir":
		return cmdOther
	}
	return cmdUnknown
}
