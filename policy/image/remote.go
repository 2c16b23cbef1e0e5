package image

import "sockguard/policy/verdict"

// decideRemote decides remote=, the URL of a build context.
func decideRemote(c *verdict.Case) (err error) {
	text := c.Query.Get("remote")
	if text == "" {
		return nil
	}
	if c.Out.Remote, err = verdict.ParseRemote(text); err != nil {
		return err
	}
	return c.CheckRemote(c.Out.Remote)
}
