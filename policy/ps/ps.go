// Package ps tells which options of ps(1) the engine may run it with for a client.
//
// An engine runs ps for all processes of the host, and keeps the lines that have a
// process of the container in the first column with the title PID. So ps may print no
// other column under that title, no line without titles, and nothing before the column
// that has blanks in it.
package ps

import (
	"slices"
	"strings"
)

// Options returns the words of args between single blanks, and whether ps may get
// them. -aux, which ps takes for aux if there is no user x, becomes that.
func Options(args string) (string, bool) {
	words := strings.FieldsFunc(args, func(r rune) bool { return r == ' ' })
	if len(words) > 0 && strings.HasPrefix(words[0], "-aux") {
		words[0] = words[0][1:]
	}
	return strings.Join(words, " "), known(words)
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
	solid = strings.Fields("pid ppid pgid sid sess uid euid ruid user euser ruser uname s stat state f flag flags ni nice pri " +
		"time cputime etime etimes pcpu %cpu pmem %mem rss vsz")
	others = strings.Fields("args cmd command comm ucmd ucomm fname tty tt tname start start_time stime lstart " +
		"c rssize rsz vsize sz size psr nlwp thcount lwp tid spid tgid gid egid rgid group cls policy")
)

// known reports whether ps may get the words.
func known(words []string) bool {
	for len(words) > 0 {
		word := words[0]
		words = words[1:]
		if word == "--forest" {
			continue
		}
		if word == "--sort" {
			if len(words) == 0 || !keys(words[0]) {
				return false
			}
			words = words[1:]
			continue
		}
		letters, unix := strings.CutPrefix(word, "-")
		options := bsdOptions
		if unix {
			options = unixOptions
		}
		flags, list, format := strings.Cut(letters, "o")
		if strings.Trim(flags, options) != "" || flags == "" && !format {
			return false
		}
		if format && list == "" && len(words) > 0 {
			list, words = words[0], words[1:]
		}
		if format && !columns(list) {
			return false
		}
	}
	return true
}

// columns reports whether a list of columns has the PID, with none before it that
// may have a blank.
func columns(list string) bool {
	pid := false
	for name := range strings.SplitSeq(list, ",") {
		pid = pid || name == "pid"
		if !slices.Contains(solid, name) && !(pid && slices.Contains(others, name)) {
			return false
		}
	}
	return pid
}

// keys reports whether a list of sort keys has columns only.
func keys(list string) bool {
	for key := range strings.SplitSeq(list, ",") {
		name := strings.TrimLeft(key, "+-")
		if !slices.Contains(solid, name) && !slices.Contains(others, name) {
			return false
		}
	}
	return true
}
