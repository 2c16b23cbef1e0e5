package dockerfile

import (
	"errors"
	"fmt"
	"strings"
)

// metaArgs are the arguments that FROM sees: those of ARG before the first FROM,
// and the proxy arguments.
type metaArgs struct {
	values   map[string]*string // of ARG; nil is an ARG without a default
	given    map[string]*string // of --build-arg
	allProxy bool
	size     int // of all values
}

// maxArgs bounds the values of ARG before the first FROM, all together.
const maxArgs = 1 << 20

// get returns the value of a variable, as the classic builder has it.
func (a *metaArgs) get(name string) (string, bool) {
	value, ok := a.values[name]
	if !ok && !a.proxy(name) {
		return "", false
	}
	if v := a.given[name]; v != nil {
		return *v, true
	}
	if value == nil {
		return "", false
	}
	return *value, true
}

// proxy reports whether name is an argument without an ARG.
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

// metaArg reads an ARG before the first FROM. Its flags are ignored; its names
// and values see the arguments of earlier instructions only.
func (p *pass) metaArg(in *instruction) error {
	_, args := p.arguments(in)
	words := splitWords(args, rune(p.escape))
	if len(words) == 0 {
		return errors.New("ARG needs at least one name")
	}
	type pair struct {
		name  string
		value *string
	}
	pairs := make([]pair, len(words))
	for i, w := range words {
		key, value, set := strings.Cut(w, "=")
		name, err := p.expand(key)
		if err != nil {
			return err
		}
		if key == "" || strings.Contains(name, "=") {
			return fmt.Errorf("ARG %s has no plain name", w)
		}
		pairs[i].name = name
		if !set {
			continue
		}
		if value, err = p.expand(value); err != nil {
			return err
		}
		pairs[i].value = &value
		if p.args.size += len(value); p.args.size > maxArgs {
			return errors.New("the values of ARG are too long")
		}
	}
	for _, a := range pairs {
		p.args.values[a.name] = a.value
	}
	return nil
}

// expand expands the variables of a word.
func (p *pass) expand(word string) (string, error) {
	l := &lexer{reading: p.reading, escape: rune(p.escape), env: p.args.get}
	if err := l.lex(word); err != nil {
		return "", fmt.Errorf("%s: %w", word, err)
	}
	if l.odd {
		return "", fmt.Errorf("%s: engine versions disagree on this substitution", word)
	}
	return string(l.out), nil
}
