package policy

import (
	"strings"

	"sockguard/rewrite"
	"sockguard/rewrite/dockerfile"
)

// checkChanges checks the Dockerfile instructions of a commit or an import. The
// engine joins them with line feeds and parses them as one Dockerfile, so each
// must be one whole line, and none may set the owner label: changes beat the
// body's labels.
func (c *call) checkChanges(changes []string) ([]string, error) {
	var kept []string
	for _, change := range changes {
		line := strings.Trim(change, " \t")
		switch {
		case line == "":
			continue
		case strings.ContainsFunc(line, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
			return nil, bad("changes", "change %q: control characters and line breaks could hide another instruction; give one instruction per change", change)
		case strings.HasPrefix(line, "#"), strings.HasSuffix(line, `\`), strings.HasSuffix(line, "`"):
			return nil, bad("changes", "change %q: comments, directives and continued lines could swallow the next instruction; write it on one line", change)
		case strings.Contains(line, "<<"):
			return nil, bad("changes", "change %q: a here-document could swallow the next instruction; write it without <<", change)
		}
		kept = append(kept, line)
	}
	text := "FROM scratch\n" + strings.Join(kept, "\n") + "\n"
	if _, err := dockerfile.Rewrite("changes", []byte(text), dockerfile.Options{Guarded: []string{c.LabelKey}, Engine: c.engine}); err != nil {
		return nil, bad("changes", "%v", err)
	}
	return kept, nil
}

// labelInstruction is the LABEL that makes an image the owner's.
func (c *call) labelInstruction() (string, error) {
	return dockerfile.LabelInstruction([]rewrite.Label{{Key: c.LabelKey, Value: c.Owner}})
}
