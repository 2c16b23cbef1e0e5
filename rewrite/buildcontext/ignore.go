package buildcontext

import (
	"archive/tar"
	"bytes"
	"errors"
	"path"
	"strings"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"

	"sockguard/rewrite"
)

// maxPatterns bounds what matching may cost.
const maxPatterns = 10_000

// An ignoreFile is the .dockerignore of a context. The classic builder uses it for
// one thing: it removes .dockerignore and the Dockerfile from the context if the
// patterns match them. The zero value is that of a context without the file.
type ignoreFile struct {
	found    bool
	original []byte
	held     *tar.Header // of the client's entry, if that was a plain file
	patterns []string
}

func newIgnoreFile(n *node) (ignoreFile, error) {
	f := ignoreFile{found: true, original: n.text, held: n.held}
	if bytes.Count(n.text, []byte{'\n'}) > maxPatterns {
		return f, rewrite.Refusef(dockerignoreName, 0, "this file has more than %d lines", maxPatterns)
	}
	var err error
	if f.patterns, err = ignorefile.ReadAll(bytes.NewReader(n.text)); err != nil {
		return f, rewrite.Refusef(dockerignoreName, 0, "this file cannot be read: %v", err)
	}
	// One bad pattern makes an engine ignore all of them, ours too.
	if ok, err := matches(append(f.patterns, DockerfileName), DockerfileName); !ok {
		return f, rewrite.Refusef(dockerignoreName, 0, "this file has a bad pattern: %v", err)
	}
	return f, nil
}

// hide keeps n from being sent if an engine would remove it. The engine matches the
// name that it looked up, and removes the file that the name leads to.
func (f ignoreFile) hide(name string, n *node) error {
	ok, err := matches(f.patterns, name)
	if err != nil {
		return rewrite.Refusef(dockerignoreName, 0, "this file has a bad pattern: %v", err)
	}
	switch {
	case !ok || n.ours:
		return nil
	case n.passed:
		return rewrite.Refusef(name, 0, ".dockerignore excludes this file, and a link leads to it; do not exclude it, or name no link")
	}
	n.held = nil
	return nil
}

// text returns a .dockerignore that also hides the rewritten Dockerfile. It is
// appended, as the last pattern that matches wins.
func (f ignoreFile) text() []byte {
	if !f.found {
		return []byte(dockerignoreName + "\n" + DockerfileName + "\n")
	}
	text := bytes.Clone(f.original)
	if len(text) > 0 && text[len(text)-1] != '\n' {
		text = append(text, '\n')
	}
	return append(text, DockerfileName+"\n"...)
}

// header returns the header of the .dockerignore to write.
func (f ignoreFile) header() *tar.Header {
	if f.held != nil {
		h := *f.held
		h.Name, h.Linkname = dockerignoreName, ""
		return &h
	}
	return &tar.Header{Name: dockerignoreName, Mode: 0o644}
}

// matches is patternmatcher's MatchesOrParentMatches. It compiles one pattern at a
// time, so that the programs of all are never held at once.
func matches(patterns []string, name string) (bool, error) {
	name = path.Clean(name)
	matched := false
	for _, p := range patterns {
		p, exclusion := strings.CutPrefix(p, "!")
		if exclusion && p == "" {
			return false, errors.New(`illegal exclusion pattern: "!"`)
		}
		m, err := patternmatcher.New([]string{p})
		if err != nil {
			return false, err
		}
		if exclusion != matched {
			continue
		}
		ok, err := m.MatchesOrParentMatches(name)
		if err != nil {
			return false, err
		}
		if ok {
			matched = !exclusion
		}
	}
	return matched, nil
}
