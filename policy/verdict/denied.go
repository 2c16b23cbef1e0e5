package verdict

import (
	"cmp"
	"errors"
	"fmt"

	"sockguard/rewrite"
)

// The HTTP statuses of denials. They keep net/http out of the policy packages.
const (
	StatusBadRequest     = 400
	StatusForbidden      = 403
	StatusNotFound       = 404
	StatusNotImplemented = 501
)

// Denied is the answer to a request that is not forwarded.
type Denied struct {
	Status  int    // HTTP status for the client
	Rule    string // short name of the rule, for the log and for explain
	Message string // what the client reads, without the "sockguard: " prefix
	// Truth is the reason for the operator's log, where Message does not tell it:
	// another owner's object is answered like a missing one.
	Truth string
	// Plain says that Message is in the engine's own words, as that of a 404 always is.
	Plain bool
}

func (d *Denied) Error() string {
	return rewrite.Clip(cmp.Or(d.Truth, d.Message))
}

// Public returns the message for the client. It names sockguard, except in the
// engine's own words.
func (d *Denied) Public() string {
	if d.Status == StatusNotFound || d.Plain {
		return d.Message
	}
	return rewrite.Clip("sockguard: " + d.Message)
}

// MissingInBody makes a 404 for an object that a body names a 400, as engines answer.
// To a 404 of a create, the docker CLI pulls the image.
func MissingInBody(err error) error {
	if !IsMissing(err) {
		return err
	}
	d, _ := errors.AsType[*Denied](err)
	bad := *d
	bad.Status, bad.Plain = StatusBadRequest, true
	return &bad
}

// Deny refuses with 403. The message says what is refused, why, and what to do.
func Deny(rule, format string, args ...any) error {
	return &Denied{Status: StatusForbidden, Rule: rule, Message: fmt.Sprintf(format, args...)}
}

// Bad refuses with 400 a request that is malformed, whoever sent it.
func Bad(rule, format string, args ...any) error {
	return &Denied{Status: StatusBadRequest, Rule: rule, Message: fmt.Sprintf(format, args...)}
}

// Unopened refuses with 501 a route that sockguard does not know.
func Unopened(rule, format string, args ...any) error {
	return &Denied{Status: StatusNotImplemented, Rule: rule, Message: fmt.Sprintf(format, args...)}
}

// maxList bounds the lists whose elements the engine looks up one by one: they are
// the time between a check and its use.
const maxList = 128

// CheckList refuses a list that is too long. Name is the member or parameter.
func CheckList(name string, size int) error {
	if size <= maxList {
		return nil
	}
	return Bad("length", "%s has %d elements, more than %d; send fewer", name, size, maxList)
}

// NoName refuses a request that leaves out the name of an object.
func NoName(kind Kind) error {
	return Bad("name", "empty %s name: nothing is named; give a name or an ID", kind)
}

// IsMissing reports whether err is the answer for a missing object.
func IsMissing(err error) bool {
	d, ok := errors.AsType[*Denied](err)
	return ok && d.Status == StatusNotFound
}

// IsForbidden reports whether err is a refusal with 403.
func IsForbidden(err error) bool {
	d, ok := errors.AsType[*Denied](err)
	return ok && d.Status == StatusForbidden
}

// Quoted quotes a value for a message and cuts it to a readable length.
func Quoted(s string) string {
	if len(s) > 100 {
		s = s[:100] + "..."
	}
	return fmt.Sprintf("%q", s)
}
