package dockerfile

import "strings"

// A command is the keyword of an instruction.
type command byte

const (
	cmdUnknown command = iota
	cmdOther           // known, and of no interest here
	cmdAdd
	cmdArg
	cmdCopy
	cmdFrom
	cmdLabel
	cmdMaintainer
	cmdOnbuild
	cmdRun
)

// commandOf recognises a keyword. Case folds as Unicode has it: İ and the
// Kelvin sign are an i and a k.
func commandOf(word string) command {
	var b [len("healthcheck")]byte
	if len(word) > 2*len(b) {
		return cmdUnknown
	}
	for i := range len(word) {
		c := word[i]
		if c >= 0x80 || i == len(b) {
			return keyword(strings.ToLower(word))
		}
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		b[i] = c
	}
	return keyword(string(b[:len(word)]))
}

func keyword(lower string) command {
	switch lower {
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
