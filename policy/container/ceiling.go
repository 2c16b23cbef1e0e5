package container

import (
	"errors"

	"sockguard/policy/verdict"
)

// errEnough ends a count.
var errEnough = errors.New("enough")

// checkRoom refuses one container more than the operator's ceiling. The count and
// the create are two requests, so containers created at the same instant may
// exceed it.
func checkRoom(c *verdict.Case) error {
	if c.MaxContainers == 0 {
		return nil
	}
	n := 0
	err := c.EachOwn(verdict.Container, func([]byte) error {
		if n++; n >= c.MaxContainers {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		return verdict.Deny("limit", "one container more: the ceiling of this socket is %d containers, stopped ones too; remove some, or ask the operator for a higher --max-containers", c.MaxContainers)
	}
	return err
}
