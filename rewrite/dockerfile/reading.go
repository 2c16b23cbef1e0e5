package dockerfile

import (
	"sockguard/rewrite"
	"sockguard/rewrite/dockerfile/shellword"
)

// A reading is how a range of engine releases reads Dockerfiles. The parser is
// BuildKit's, for the classic builder too; each release has its own copy.
type reading struct {
	since rewrite.EngineVersion // the first release that reads so
	shellword.Dialect

	oneCR      bool // a line end is LF or CR LF; otherwise any run of CR and LF
	check      bool // "check" is a parser directive
	heredocs   bool // ADD, COPY and RUN take here-documents
	flagEscape bool // the escape directive applies to flags; otherwise \ always
	allProxy   bool // ALL_PROXY is an argument without an ARG
}

// readings are all known readings, oldest first.
var readings = [...]reading{
	{since: version(20, 10), oneCR: true},
	{since: version(23, 0), heredocs: true, allProxy: true},
	{since: version(25, 0), heredocs: true, allProxy: true, Dialect: shellword.Dialect{Bare: true}},
	{since: version(26, 0), heredocs: true, allProxy: true, Dialect: shellword.Dialect{Bare: true, Patterns: true}},
	{since: version(27, 0), heredocs: true, allProxy: true, check: true,
		Dialect: shellword.Dialect{Bare: true, Patterns: true}},
	{since: version(28, 1), heredocs: true, allProxy: true, check: true, flagEscape: true,
		Dialect: shellword.Dialect{Bare: true, Patterns: true}},
	{since: version(28, 2), heredocs: true, allProxy: true, check: true, flagEscape: true,
		Dialect: shellword.Dialect{Bare: true, Patterns: true, Glued: true}},
}

func version(major, minor int) rewrite.EngineVersion {
	return rewrite.EngineVersion{Major: major, Minor: minor}
}

// readingsOf returns the possible readings of an engine, newest first: one for a
// known version, all for one that is unknown or older than the oldest reading.
func readingsOf(v rewrite.EngineVersion) []*reading {
	var all []*reading
	for i := len(readings) - 1; i >= 0; i-- {
		r := &readings[i]
		if v.Known() && !v.Before(r.since.Major, r.since.Minor) {
			return []*reading{r}
		}
		all = append(all, r)
	}
	return all
}
