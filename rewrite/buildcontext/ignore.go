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

// What matching may cost. A pattern becomes a regular expression, which is matched
// with the name of a file and of each directory above it.
const (
	maxPatterns     = 10_000
	maxPattern      = 1 << 10  // bytes of one
	maxPatternBytes = 64 << 10 // of all
	// maxMatching bounds the bytes of the patterns with wildcards times those of
	// the names.
	maxMatching = 16 << 20
)

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
	err := checkPatterns(n.text)
	if err != nil {
		return f, err
	}
	if f.patterns, err = ignorefile.ReadAll(bytes.NewReader(n.text)); err != nil {
		return f, rewrite.Refusef(dockerignoreName, 0, "this file cannot be read: %v", err)
	}
	// One bad pattern makes an engine ignore all of them, ours too.
	_, err = matches(append(f.patterns, DockerfileName), DockerfileName)
	return f, err
}

// checkPatterns refuses patterns that are too many or too long.
func checkPatterns(text []byte) error {
	line, count, sum := 0, 0, 0
	for pattern := range bytes.Lines(text) {
		line++
		comment := pattern[0] == '#'
		if pattern = bytes.TrimSpace(pattern); comment || len(pattern) == 0 {
			continue
		}
		count, sum = count+1, sum+len(pattern)
		switch {
		case len(pattern) > maxPattern:
			return rewrite.Refusef(dockerignoreName, line, "a pattern has %d bytes, and may have %d; shorten it", len(pattern), maxPattern)
		case count > maxPatterns:
			return rewrite.Refusef(dockerignoreName, line, "the file has more than %d patterns; name directories instead of files", maxPatterns)
		case sum > maxPatternBytes:
			return rewrite.Refusef(dockerignoreName, line, "the patterns have more than %d KiB; name directories instead of files", maxPatternBytes>>10)
		}
	}
	return nil
}

// hide keeps n from being sent if an engine would remove it. The engine matches the
// name that it looked up, and removes the file that the name leads to.
func (f ignoreFile) hide(name string, n *node) error {
	ok, err := matches(f.patterns, name)
	switch {
	case err != nil || !ok || n.ours:
		return err
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
	if matchingCost(patterns, name) > maxMatching {
		return false, rewrite.Refusef(dockerignoreName, 0, "matching all patterns with %.100q takes too long; use fewer patterns with wildcards, or a Dockerfile in fewer directories", name)
	}
	matched := false
	for _, p := range patterns {
		ok, err := matchesOne(p, name, matched)
		if err != nil {
			return false, rewrite.Refusef(dockerignoreName, 0, "this file has a bad pattern: %v", err)
		}
		if ok {
			matched = !matched
		}
	}
	return matched, nil
}

// matchesOne reports whether a pattern changes whether name is matched so far.
func matchesOne(pattern, name string, matched bool) (bool, error) {
	p, exclusion := strings.CutPrefix(pattern, "!")
	if exclusion && p == "" {
		return false, errors.New(`illegal exclusion pattern: "!"`)
	}
	m, err := patternmatcher.New([]string{p})
	if err != nil || exclusion != matched {
		return false, err
	}
	return m.MatchesOrParentMatches(name)
}

// matchingCost is what [maxMatching] bounds.
func matchingCost(patterns []string, name string) int {
	wild, names := 0, len(name)
	for _, p := range patterns {
		if strings.ContainsAny(p, `*?[\`) {
			wild += len(p)
		}
	}
	for i := range len(name) {
		if name[i] == '/' {
			names += i
		}
	}
	return wild * names
}
