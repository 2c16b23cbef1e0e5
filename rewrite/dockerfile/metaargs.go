package dockerfile

import (
	"errors"
	"fmt"
	"maps"
	"strings"

	"sockguard/rewrite/dockerfile/shellword"
)

// metaArgs are the variables that a FROM sees: those of ARG before the first
// FROM, and the predefined proxy variables.
type metaArgs struct {
	values   map[string]*string // of ARG; nil is an ARG without a default
	given    map[string]*string // of --build-arg
	allProxy bool               // ALL_PROXY is predefined
	size     int                // bytes of all names and values, and argOverhead for each
	read     int                // bytes of the variables that were expanded
}

const (
	// maxArgs bounds the names and values of all ARGs before the first FROM, in
	// bytes. A name counts argOverhead more than it has.
	maxArgs     = 1 << 20
	argOverhead = 64

	// maxRead bounds the bytes that the variables of a file expand to, those of
	// substitutions that are dropped included.
	maxRead = 16 << 20
)

// get returns the value of a variable, and whether it is set.
func (a *metaArgs) get(name string) (string, bool) {
	value, ok := a.values[name]
	if given := a.given[name]; given != nil && (ok || a.proxy(name)) {
		value = given
	}
	if value == nil {
		return "", false
	}
	if a.read += len(*value); a.read > maxRead {
		return "", false // expand refuses the file
	}
	return *value, true
}

// proxy reports whether name is a predefined variable.
func (a *metaArgs) proxy(name string) bool {
	switch name {
	case "HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy",
		"FTP_PROXY", "ftp_proxy", "NO_PROXY", "no_proxy":
		return true
	case "ALL_PROXY", "all_proxy":
		return a.allProxy
	}
	return false
}

// metaArg reads an ARG before the first FROM. It ignores flags. Names and values
// are expanded with the ARGs of earlier instructions only.
func (p *reader) metaArg(in *instruction) error {
	_, args := p.arguments(in)
	words := shellword.Words(args, rune(p.escape))
	if len(words) == 0 {
		return errors.New("ARG needs at least one name")
	}
	values := map[string]*string{}
	for _, w := range words {
		key, value, set := strings.Cut(w, "=")
		name, err := p.expand(key)
		if err != nil {
			return err
		}
		if key == "" || strings.Contains(name, "=") {
			return fmt.Errorf("ARG %s has no plain name", w)
		}
		values[name] = nil
		if set {
			if value, err = p.expand(value); err != nil {
				return err
			}
			values[name] = &value
		}
		if p.args.size += len(name) + len(value) + argOverhead; p.args.size > maxArgs {
			return fmt.Errorf("the names and values of ARG, variables expanded, are more than %d KiB before the first FROM; use fewer or shorter ones", maxArgs>>10)
		}
	}
	maps.Copy(p.args.values, values)
	return nil
}

// expand expands the variables of a word.
func (p *reader) expand(word string) (string, error) {
	value, err := p.Expand(word, rune(p.escape), p.args.get)
	if p.args.read > maxRead {
		err = fmt.Errorf("the variables of the file expand to more than %d MiB; use fewer or shorter ones", maxRead>>20)
	}
	if err != nil {
		return "", fmt.Errorf("%.100s: %w", word, err)
	}
	return value, nil
}
