// Package rewrite has what the packages below it share. Those turn the bytes that
// a client sends into the bytes that an engine may get: package dockerfile the text of
// a Dockerfile, buildcontext the tar of a build, load an image archive,
// rawjson JSON bodies and lists.
//
// They work on streams, use no temporary files and do no network I/O. A decision
// that needs more than the input, such as whether a base image may be used, is
// left to a func field. What a client can make large has a limit, and going over
// it is a [Refusal].
package rewrite

import "fmt"

// A Refusal is an error that the client can mend: the input is not allowed, or
// its meaning is not certain.
type Refusal struct {
	File   string // path in the build context or archive, "" for the whole input
	Line   int    // 1-based physical line of File, 0 for the whole file
	Reason string // what is refused, why, and what to do
}

func (r *Refusal) Error() string {
	switch {
	case r.File == "":
		return r.Reason
	case r.Line == 0:
		return fmt.Sprintf("%s: %s", r.File, r.Reason)
	}
	return fmt.Sprintf("%s line %d: %s", r.File, r.Line, r.Reason)
}

// Refusef returns a [*Refusal] with a formatted reason.
func Refusef(file string, line int, format string, args ...any) error {
	return &Refusal{File: file, Line: line, Reason: fmt.Sprintf(format, args...)}
}
