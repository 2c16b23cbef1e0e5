package dockerfile

import (
	"sockguard/rewrite"
)

// A reading is the way a range of engine versions reads Dockerfiles. The parser
// is BuildKit's, also for the classic builder; each engine carries its copy.
type reading struct {
	since rewrite.EngineVersion // the first engine that reads so

	oneCR      bool // a line end is LF or CR LF; otherwise any run of CR and LF
	check      bool // "check" is a parser directive
	heredocs   bool // ADD, COPY and RUN take here-documents
	glued      bool // blanks between << and the name belong to the here-document
	flagEscape bool // the escape directive applies to flags; otherwise \ always
	bare       bool // ${x-w} and ${x+w} expand
	patterns   bool // ${x#p}, ${x%p} and ${x/p/r} expand
	allProxy   bool // ALL_PROXY is an argument without an ARG
}

// readings are all known readings, oldest first.
var readings = [...]reading{
	{since: rewrite.EngineVersion{Major: 20, Minor: 10}, oneCR: true},
	{since: rewrite.EngineVersion{Major: 23, Minor: 0}, heredocs: true, allProxy: true},
	{since: rewrite.EngineVersion{Major: 25, Minor: 0}, heredocs: true, allProxy: true, bare: true},
	{since: rewrite.EngineVersion{Major: 26, Minor: 0}, heredocs: true, allProxy: true, bare: true, patterns: true},
	{since: rewrite.EngineVersion{Major: 27, Minor: 0}, heredocs: true, allProxy: true, bare: true, patterns: true, check: true},
	{since: rewrite.EngineVersion{Major: 28, Minor: 2}, heredocs: true, allProxy: true, bare: true, patterns: true, check: true, glued: true, flagEscape: true},
}

// readingsOf returns the possible readings of an engine, newest first: one, or
// all of them when the version is unknown or older than the first.
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
