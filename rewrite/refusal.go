package rewrite

import "fmt"

// A Refusal says that the input is well understood and not acceptable, or
// cannot be understood with certainty. It is the client's to mend.
type Refusal struct {
	File   string // path inside the context, "" when the whole input is meant
	Line   int    // 1-based physical line of File, 0 when no line is meant
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

func Refusef(file string, line int, format string, args ...any) error {
	return &Refusal{File: file, Line: line, Reason: fmt.Sprintf(format, args...)}
}
