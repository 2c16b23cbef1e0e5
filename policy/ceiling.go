package policy

import "errors"

// errEnough ends a count.
var errEnough = errors.New("enough")

// roomForContainer refuses one container more than the operator's ceiling. The
// count and the create are two requests: as many containers as are asked for at
// the same instant may exceed it.
func (c *call) roomForContainer() error {
	if c.MaxContainers == 0 {
		return nil
	}
	n := 0
	err := c.eachOwn(Container, func([]byte) error {
		if n++; n >= c.MaxContainers {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		return deny("limit", "one container more: the ceiling of this socket is %d containers, stopped ones too; remove some, or ask the operator for a higher --max-containers", c.MaxContainers)
	}
	return err
}
