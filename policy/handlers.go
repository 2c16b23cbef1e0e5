package policy

import (
	"fmt"

	"sockguard/policy/verdict"
)

// pass lets a request through that concerns no object of any owner.
func pass(*verdict.Case) error { return nil }

// own makes the decision of routes on one object: it must be the owner's, and its
// full ID goes upstream.
func own(kind verdict.Kind) func(*verdict.Case) error {
	return func(c *verdict.Case) error {
		_, err := c.OwnNamed(kind)
		return err
	}
}

// filterByOwner decides lists and prunes that the engine itself can narrow to the
// owner's objects.
func filterByOwner(c *verdict.Case) error { return c.FilterByOwner() }

// missPlugin answers as if there were no plugin. docker inspect asks for one when
// nothing else has the name, and shows any other answer to its user.
func missPlugin(c *verdict.Case) error {
	return &verdict.Denied{
		Status: verdict.StatusNotFound, Rule: "plugin", Message: fmt.Sprintf("plugin %q not found", c.Name),
		Truth: fmt.Sprintf("plugin %q, if there is one, is the host's", c.Name),
	}
}
