package dockerfile

import (
	"cmp"
	"fmt"
)

// agreed parses a file in all readings of an engine and returns what they agree
// on. Readings that reject the file need not agree, as nothing is built where
// they apply; they are returned too.
func agreed(text []byte, o *Options) (first *parsed, rejecting []*reading, err *lineError) {
	var by *reading
	for _, r := range readingsOf(o.Engine) {
		p, perr := r.parse(text, o)
		switch {
		case by == nil && !perr.rejects():
			first, err, by = p, perr, r
		case perr.rejects():
			rejecting = append(rejecting, r)
			if by == nil {
				err = cmp.Or(err, perr)
			}
		case (err == nil) != (perr == nil):
			return nil, nil, disagree(cmp.Or(err, perr).line, by, r)
		case err == nil:
			if line := first.differs(p); line != 0 {
				return nil, nil, disagree(line, by, r)
			}
		}
	}
	return first, rejecting, err
}

// stillRejected makes sure that the readings that reject a file reject the
// rewritten file too. A FROM that was put on one line could make it valid.
func stillRejected(text []byte, rejecting []*reading, o *Options) *lineError {
	for _, r := range rejecting {
		if _, err := r.parse(text, &Options{BuildArgs: o.BuildArgs}); !err.rejects() {
			return &lineError{0, fmt.Errorf("engine %d.%d rejects the file, but may accept it with each FROM on one line; write each FROM on one line",
				r.engine.Major, r.engine.Minor)}
		}
	}
	return nil
}

func disagree(line int, r, s *reading) *lineError {
	return &lineError{line, fmt.Errorf("engines %d.%d and %d.%d read the file differently from here on (here-documents, parser directives, line ends or substitutions), and the version of this one is unknown",
		r.engine.Major, r.engine.Minor, s.engine.Major, s.engine.Minor)}
}

// differs returns the line of the first FROM, COPY --from or image that only one
// of two readings has, 0 if there is none.
func (p *parsed) differs(q *parsed) int {
	line := firstDifference(p.naming, q.naming, func(n naming) int { return n.line })
	return cmp.Or(line, firstDifference(p.refs, q.refs, func(r reference) int { return r.Line }))
}

func firstDifference[T comparable](a, b []T, line func(T) int) int {
	for i := range max(len(a), len(b)) {
		switch {
		case i == len(a):
			return line(b[i])
		case i == len(b) || a[i] != b[i]:
			return line(a[i])
		}
	}
	return 0
}
