package rewrite

import "strings"

// LabelInstruction returns the LABEL instruction for labels, without a line
// end. Single quotes are the one quoting that means the same under both escape
// characters; an apostrophe leaves them for a moment.
func LabelInstruction(labels []Label) string {
	var b strings.Builder
	b.WriteString("LABEL")
	for _, l := range labels {
		b.WriteString(" '" + l.Key + "'='" + strings.ReplaceAll(l.Value, "'", `'"'"'`) + "'")
	}
	return b.String()
}
