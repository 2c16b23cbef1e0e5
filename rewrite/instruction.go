package rewrite

// LabelInstruction returns the LABEL instruction that sets labels, without a
// line end, for the changes of a commit or an import.
func LabelInstruction(labels []Label) (string, error) {
	line, err := labelLine(labels)
	return string(line[:max(0, len(line)-1)]), err
}
