package container

import (
	"slices"
	"strings"

	"sockguard/policy/verdict"
)

// Top decides GET /containers/{name}/top. The engine runs ps on the host with the
// words of ps_args, and keeps the lines that have a process of the container in the
// first column with the title PID. So ps may print no other column under that title,
// no line without titles, and nothing before the column that has blanks in it.
func Top(c *verdict.Case) error {
	if _, err := c.OwnNamed(verdict.Container); err != nil {
		return err
	}
	args := c.Query.Get("ps_args")
	words := strings.FieldsFunc(args, func(r rune) bool { return r == ' ' })
	if !psWords(words) {
		return verdict.Deny("top", "ps_args %s: ps runs on the host, and with these options it could tell of processes of others; use a form such as aux, -ef or -eo pid,user,args", verdict.Quoted(args))
	}
	c.Out.Query.Set("ps_args", strings.Join(words, " "))
	return nil
}

// The options of ps that choose no process by a list, rename no title and show no
// environment. ps reads words that it does not understand a second time as BSD
// options, whatever they begin with; -e is then the environment of the container's
// own processes.
const (
	unixOptions = "AefFlLjHw"
	bsdOptions  = "axuwfjl"
)

// The columns of -o: those that have no blank and may stand before the PID, and the
// others.
var (
	psSolid  = strings.Fields("pid ppid pgid sid sess uid euid ruid user euser ruser uname s stat state f flag flags ni nice pri")
	psAnyway = strings.Fields("args cmd command comm ucmd ucomm fname tty tt tname time cputime etime etimes start start_time stime lstart " +
		"pcpu %cpu pmem %mem c rss rssize rsz vsz vsize sz size psr nlwp thcount lwp tid spid tgid gid egid rgid group cls policy")
)

// psWords reports whether ps may get the words.
func psWords(words []string) bool {
	for len(words) > 0 {
		word := words[0]
		words = words[1:]
		if word == "--sort" {
			if len(words) == 0 || !psKeys(words[0]) {
				return false
			}
			words = words[1:]
			continue
		}
		letters, unix := strings.CutPrefix(word, "-")
		known := bsdOptions
		if unix {
			known = unixOptions
		}
		flags, columns, format := strings.Cut(letters, "o")
		if strings.Trim(flags, known) != "" || flags == "" && !format {
			return false
		}
		if format && columns == "" && len(words) > 0 {
			columns, words = words[0], words[1:]
		}
		if format && !psColumns(columns) {
			return false
		}
	}
	return true
}

// psColumns reports whether a list of columns has the PID, with none before it that
// may have a blank.
func psColumns(list string) bool {
	pid := false
	for name := range strings.SplitSeq(list, ",") {
		pid = pid || name == "pid"
		if !slices.Contains(psSolid, name) && !(pid && slices.Contains(psAnyway, name)) {
			return false
		}
	}
	return pid
}

// psKeys reports whether a list of sort keys has columns only.
func psKeys(list string) bool {
	for key := range strings.SplitSeq(list, ",") {
		name := strings.TrimLeft(key, "+-")
		if !slices.Contains(psSolid, name) && !slices.Contains(psAnyway, name) {
			return false
		}
	}
	return true
}
