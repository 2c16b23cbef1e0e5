package policy

import (
	"fmt"
	"net/http"
)

// Denied is the answer to a request that is not forwarded.
type Denied struct {
	Status  int    // HTTP status for the client
	Rule    string // short name of the rule, for the log and for explain
	Message string // what the client reads, without the "sockguard: " prefix
	// Truth is what the operator's log says instead, when the client must not
	// learn why: a foreign object answers exactly like a missing one.
	Truth string
}

func (d *Denied) Error() string {
	if d.Truth != "" {
		return d.Truth
	}
	return d.Message
}

// Public returns the message for the client. Answers in the engine's stead
// (404) carry the engine's own words, all others name sockguard.
func (d *Denied) Public() string {
	if d.Status == http.StatusNotFound {
		return d.Message
	}
	return "sockguard: " + d.Message
}

// deny refuses with 403. The message says what is refused, why, and what to do.
func deny(rule, format string, args ...any) error {
	return &Denied{Status: http.StatusForbidden, Rule: rule, Message: fmt.Sprintf(format, args...)}
}

// bad refuses with 400: the request is malformed, whoever sent it.
func bad(rule, format string, args ...any) error {
	return &Denied{Status: http.StatusBadRequest, Rule: rule, Message: fmt.Sprintf(format, args...)}
}

// unopened refuses with 501 what sockguard does not open.
func unopened(rule, format string, args ...any) error {
	return &Denied{Status: http.StatusNotImplemented, Rule: rule, Message: fmt.Sprintf(format, args...)}
}
