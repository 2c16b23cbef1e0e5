package image

import (
	"strings"

	"sockguard/policy/container"
	"sockguard/policy/verdict"
	"sockguard/rewrite"
	"sockguard/rewrite/dockerfile"
)

// Commit decides POST /commit. The image inherits the labels of the container, with
// the owner's. The body and the changes, which could overrule it, are checked.
func Commit(c *verdict.Case) error {
	o, err := c.Own(verdict.Container, c.Query.Get("container"))
	if err != nil {
		return err
	}
	c.Out.Query.Set("container", o.ID)
	if err := labelChanges(c); err != nil {
		return err
	}
	if err := takeName(c); err != nil {
		return err
	}
	config, err := container.CommitConfig(c)
	if err != nil || config.Len() == 0 {
		return err // without a body, the image has the container's own config
	}
	return c.SendLabelled(&config)
}

// labelChanges checks the Dockerfile instructions of a commit or an import, and
// puts the owner's LABEL in front of them.
func labelChanges(c *verdict.Case) error {
	changes, err := checkChanges(c, c.Query["changes"])
	if err != nil {
		return err
	}
	label, err := dockerfile.LabelInstruction([]rewrite.Label{{Key: c.LabelKey, Value: c.Owner}})
	c.Out.Query["changes"] = append([]string{label}, changes...)
	return err
}

// checkChanges checks instructions, which the engine joins with line feeds and
// parses as one Dockerfile. Each must be one whole line, and none may set the
// owner label.
func checkChanges(c *verdict.Case, changes []string) ([]string, error) {
	var kept []string
	for _, change := range changes {
		line := strings.Trim(change, " \t")
		switch {
		case line == "":
			continue
		case strings.ContainsFunc(line, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
			return nil, verdict.Bad("changes", "change %q: control characters and line breaks could hide another instruction; give one instruction per change", change)
		case strings.HasPrefix(line, "#"), strings.HasSuffix(line, `\`), strings.HasSuffix(line, "`"):
			return nil, verdict.Bad("changes", "change %q: comments, directives and continued lines could swallow the next instruction; write it on one line", change)
		case strings.Contains(line, "<<"):
			return nil, verdict.Bad("changes", "change %q: a here-document could swallow the next instruction; write it without <<", change)
		}
		kept = append(kept, line)
	}
	text := "FROM scratch\n" + strings.Join(kept, "\n") + "\n"
	if _, err := dockerfile.Rewrite("changes", []byte(text), dockerfile.Options{Guarded: []string{c.LabelKey}, Engine: c.Engine}); err != nil {
		return nil, verdict.Bad("changes", "%v", err)
	}
	return kept, nil
}
