package dockerfile

import (
	"sockguard/rewrite"
	"sockguard/rewrite/dockerfile/shellword"
)

// A reading is how one release of the engine reads Dockerfiles. The parser is
// BuildKit's, for the classic builder too; each release has its own copy.
type reading struct {
	engine rewrite.EngineVersion
	shellword.Dialect

	oneCR      bool // a line end is LF or CR LF; otherwise any run of CR and LF
	check      bool // "check" is a parser directive
	heredocs   bool // ADD, COPY and RUN take here-documents
	flagEscape bool // the escape directive applies to flags; otherwise \ always
	allProxy   bool // ALL_PROXY is an argument without an ARG
}

// changes are the releases that read Dockerfiles differently from the release
// before, newest first.
var changes = [...]string{"28.2", "28.1", "27.0", "26.0", "25.0", "23.0", "20.10"}

func readingOf(v rewrite.EngineVersion) *reading {
	since := func(major, minor int) bool { return !v.Before(major, minor) }
	return &reading{
		engine:     v,
		Dialect:    shellword.Dialect{Bare: since(25, 0), Patterns: since(26, 0), Glued: since(28, 2)},
		oneCR:      !since(23, 0),
		check:      since(27, 0),
		heredocs:   since(23, 0),
		flagEscape: since(28, 1),
		allProxy:   since(23, 0),
	}
}

// readingsOf returns the possible readings of an engine, newest first: one for a
// known version, all for one that is unknown or older than 20.10.
func readingsOf(v rewrite.EngineVersion) (all []*reading) {
	if v.Known() && !v.Before(20, 10) {
		return []*reading{readingOf(v)}
	}
	for _, release := range changes {
		all = append(all, readingOf(rewrite.ParseEngineVersion(release)))
	}
	return all
}
