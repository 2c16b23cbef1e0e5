package container

import (
	"sockguard/policy/ps"
	"sockguard/policy/verdict"
)

// Top decides GET /containers/{name}/top. The engine runs ps on the host with the
// words of ps_args.
func Top(c *verdict.Case) error {
	if _, err := c.OwnNamed(verdict.Container); err != nil {
		return err
	}
	args := c.Query.Get("ps_args")
	known, ok := ps.Options(args)
	if !ok {
		return verdict.Deny("top", "ps_args %s: ps runs on the host, and with these options it could tell of processes of others; use a form such as aux, -ef or -eo pid,user,args", verdict.Quoted(args))
	}
	c.Out.Query.Set("ps_args", known)
	return nil
}
