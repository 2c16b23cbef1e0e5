package dockerfile

import (
	"errors"
	"fmt"

	"sockguard/rewrite/dockerfile/shellword"
)

// onbuild reads an ONBUILD. The engine stores the text after the keyword. A build
// that starts from the image parses that text by itself: with \ as the escape,
// without a byte order mark, and expanding with the escape of its own file. Text
// that could mean something else then is refused.
func (p *reader) onbuild(in *instruction) error {
	_, args := shellword.Cut(string(in.text))
	flags, rest := shellword.Flags(args, p.escapeOfFlags())
	if len(flags) > 0 || rest != args {
		return errors.New("ONBUILD has no flags")
	}
	if _, more := continued(in.text, '\\'); more {
		return errors.New("an ONBUILD that ends in \\ is continued when it is read again; remove it")
	}
	word, args := shellword.Cut(rest)
	flags, rest = shellword.Flags(args, '\\')
	cmd, ok := command(word)
	if !ok || cmd == "from" || cmd == "onbuild" || cmd == "maintainer" {
		return fmt.Errorf("ONBUILD cannot hold %.40q", word)
	}
	switch cmd {
	case "label":
		if err := p.label(flags, rest, '\\', "\\`"); err != nil {
			return fmt.Errorf("ONBUILD %w", err)
		}
		return nil
	case "copy":
		from, err := p.fromFlag(in, args, '\\')
		if err != nil {
			return fmt.Errorf("ONBUILD %w", err)
		}
		if from != "" {
			s := &p.list[len(p.list)-1]
			s.triggers = append(s.triggers, trigger{len(p.naming) - 1, from})
		}
	case "add", "run":
	default:
		return nil
	}
	if p.mayHeredoc(in.text) {
		_, rest = shellword.Flags(args, p.escapeOfFlags())
		return p.skipHeredocs(in, rest)
	}
	return nil
}
