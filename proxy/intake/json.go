package intake

import (
	"bytes"
	"fmt"
	"io"
	"net/http"

	"sockguard/policy/verdict"
	"sockguard/rewrite/rawjson"
)

const (
	// maxBody is the ceiling of JSON request bodies.
	maxBody = 4 << 20
	// maxValues is the ceiling of their names and values.
	maxValues = 50_000
	// smallBody is the ceiling of bodies that take of the budget for small ones.
	smallBody = 64 << 10
)

// JSON reads the body of a JSON route, nil when there is none. It takes memory before it
// reads, and keeps as much as the body has bytes until s is released. With a
// refusal it returns what it has read, for an audit-only policy.
func (s *Share) JSON(r *http.Request) (body []byte, err error) {
	switch n := r.ContentLength; {
	case n > maxBody:
		return nil, tooLarge("more than %d MiB", maxBody>>20)
	case n >= 0:
		body, err = s.readKnown(r, int(n))
	default:
		body, err = s.readUnknown(r)
	}
	switch {
	case err != nil:
		return body, err
	case len(body) > maxBody:
		return body, tooLarge("more than %d MiB", maxBody>>20)
	case rawjson.TooMany(body, maxValues):
		return body, tooLarge("more than %d names and values", maxValues)
	case len(bytes.TrimSpace(body)) == 0:
		r.Body, r.ContentLength = http.NoBody, 0 // so that an audit-only policy sends none either
		return nil, nil
	}
	return body, nil
}

// readKnown reads a body of n bytes.
func (s *Share) readKnown(r *http.Request, n int) ([]byte, error) {
	from := small
	if n > smallBody {
		from = large
	}
	if err := s.take(r.Context(), from, n); err != nil {
		return nil, err
	}
	body := make([]byte, n)
	_, err := io.ReadFull(r.Body, body)
	return body, readError(err)
}

// readUnknown reads a body whose length is not known.
func (s *Share) readUnknown(r *http.Request) ([]byte, error) {
	if err := s.take(r.Context(), small, smallBody); err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, smallBody))
	if err != nil || len(body) < smallBody {
		s.keep(small, len(body))
		return body, readError(err)
	}
	if err := s.take(r.Context(), large, maxBody); err != nil {
		return body, err
	}
	s.keep(small, 0)
	rest, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1-smallBody))
	s.keep(large, min(len(body)+len(rest), maxBody))
	return append(body, rest...), readError(err)
}

func readError(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("read request: %w", err)
}

func tooLarge(format string, limit int) error {
	return &verdict.Denied{
		Status: http.StatusRequestEntityTooLarge, Rule: "size",
		Message: fmt.Sprintf("JSON body of "+format+": no request of a client needs that; send less", limit),
	}
}
