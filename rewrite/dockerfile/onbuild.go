package dockerfile

import (
	"errors"
	"fmt"
)

// onbuild reads an ONBUILD. The engine stores the text behind the keyword and
// parses it again when a build starts from the image: alone, so with \ as the
// escape, less a byte order mark, and expanding with the escape of that build.
// Whatever the second reading could make something else of is refused.
func (p *pass) onbuild(in *instruction) error {
	_, args := cutWord(string(in.text))
	flags, rest := cutFlags(args, p.escapeOfFlags())
	if len(flags) > 0 || rest != args {
		return errors.New("ONBUILD has no flags")
	}
	if _, more := continued(in.text, '\\'); more {
		return errors.New("an ONBUILD that ends in \\ is continued when it is read again; remove it")
	}
	word, args := cutWord(rest)
	cmd := commandOf(word)
	flags, rest = cutFlags(args, '\\')
	switch cmd {
	case cmdUnknown, cmdFrom, cmdOnbuild, cmdMaintainer:
		return fmt.Errorf("ONBUILD cannot hold %.40q", word)
	case cmdLabel:
		if len(flags) > 0 {
			return fmt.Errorf("ONBUILD LABEL has no flag %s", flags[0])
		}
		if err := p.guardLabel(rest, '\\', "\\`"); err != nil {
			return fmt.Errorf("ONBUILD %w", err)
		}
		return nil
	case cmdCopy:
		from, ok := flagValue(flags, "from")
		if !ok {
			return fmt.Errorf("ONBUILD %w", errCopyFrom)
		}
		s := &p.list[len(p.list)-1]
		s.triggers = append(s.triggers, trigger{in.line, from})
	case cmdAdd, cmdRun:
	default:
		return nil
	}
	if p.mayHeredoc(in.text) {
		_, rest = cutFlags(args, p.escapeOfFlags())
		return p.skipHeredocs(in, rest)
	}
	return nil
}
