package dockerfile

import (
	"math/rand/v2"
	"slices"
	"strings"
)

// Pieces of generated files. generatedBytes has the names such as <SP>; _ is a
// blank, mostly a plain one.
var (
	pieces = strings.Split(strings.TrimSpace(`
FROM_a
FROM_a_AS_b
FROM_b_AS_c
from_b
FROM_B_as_d
FROM_scratch
FROM_${X:-a}
FROM_a$X${X-y}${X:+z}
FROM_--platform=$P_a
FROM_--platform=linux/amd64_a:${X%2*}_AS_e
FROM_--_a_AS_f
RUN_x
RUN_<<CMD
RUN_<<CMD<LF>FROM q<LF>CMD
RUN_cat_<<-"CMD x" 3<<CMD<LF>FROM q \\<LF>	CMD x<LF># escape<LF>CMD
RUN_<< CMD
RUN_<< CMD<LF>LABEL owner=q<LF>CMD
CMD
RUN_["<<CMD"]
RUN_it's_<<CMD
RUN_echo_$((1<<2))
RUN_echo_$((1 << 2))
RUN_echo_$((1 << 2))<LF>2))
RUN_cat_<<CMD${X:-y}
RUN_${X:-a <<CMD}
RUN_--mount=type=cache,target=/x_y
RUN_<LF><SP><LF>#c<LF>
LABEL_a=b
LABEL_ow"n"e=evil_a='b c'
LABEL_o${X}=x
LABEL_p$X=y
LABEL_p${X}=y
LABEL_a=b\_owner=c
LABEL_x.$X=y
LABEL_a=b_c=d
RUN_echo_x
CMD_x
WORKDIR_/x
LABEL_a_owner=evil
LABEL_"a b"="c"_d=e
LABEL_ow<LF>ner=evil
ONBUILD_RUN_<<CMD<LF>LABEL owner=q<LF>CMD
ONBUILD_COPY_--from=q_x_y
ONBUILD_COPY_--from=b_x_y
ONBUILD_LABEL_b=x
ONBUILD_LABEL_ow`+"`"+`ner=x
ONBUILD_ADD_["a","b"]
COPY_--from=b_x_y
COPY_--from=0_x_y
COPY_--fr"o"m=img:1_x_y
COPY_--from=$X_x_y
COPY_--chown=a_--from='q'_["x", "y"]
COPY_<<CMD_/x<LF>FROM q<LF>CMD
ADD_http://x/y_z
ENV_owner=x
ENV_A_B
CMD_["x"]
HEALTHCHECK_CMD_x
SHELL_["x"]
# comment`), "\n")
	oddBlanks = strings.Fields("<TAB> <VT> <FF> <CR> <NBSP> <NEL> <IDSP> <EMSP> <LS> <BOM> <X85> <XA0> <NUL> <SP><SP>")
	scraps    = append(strings.Fields("\\ ` \" ' $ = << <<- <<CMD -- # , owner AS [ ] <LF> <SP> <LONGS> <DOTI> \\<SP> `<SP> \\\\ ${ } ${X:-"), oddBlanks...)
	heads     = strings.Split("||# escape=`\n|# escape=`\n|# escape=\\\n|# check=x\n# escape=`\n|#_escape_=_`_\n|#syntax=x\n|ARG X=1\n|ARG_P X=${Y:-\"b\"} Y='$X'\n|ARG X=$X`\n|<BOM>|#!x\n", "|")
	ends      = strings.Split("<LF>|<LF>|<LF>|<LF>|<LF>|<LF>|<LF>|<LF>|<LF>|<LF>|<LF>|<LF>|<CR><LF>|\\<LF>|`<LF>|<SP><LF>|<CR><CR><LF>|\\<SP><LF>|`<CR><LF>|\\<CR><CR><LF>|\\<NBSP><LF>|_<LF>", "|")

	generatedBytes = strings.NewReplacer(append(slices.Clone(goldenPairs),
		"<TAB>", "\t", "<SP>", " ", "<LF>", "\n", "<NEL>", "\u0085", "<IDSP>", "\u3000", "<LS>", "\u2028",
		"<X85>", "\x85", "<XA0>", "\xa0", "<NUL>", "\x00")...)
)

// A generator makes Dockerfiles. Most lines that end a here-document are also
// instructions, which a reading that misses the here-document would see.
type generator struct{ *rand.Rand }

func (g generator) of(list []string) string { return list[g.IntN(len(list))] }

func (g generator) oneIn(n int) bool { return g.IntN(n) == 0 }

// file returns a file of about n lines.
func (g generator) file(n int) string {
	var b strings.Builder
	b.WriteString(g.blanks(g.of(heads)))
	b.WriteString("FROM a AS b\n")
	for range n {
		if g.oneIn(3) {
			b.WriteString(g.hereDocument())
			continue
		}
		b.WriteString(g.spoil(g.blanks(g.of(pieces))))
		b.WriteString(g.blanks(g.of(ends)))
	}
	return generatedBytes.Replace(b.String())
}

// blanks writes the blanks of a piece.
func (g generator) blanks(s string) string {
	for strings.Contains(s, "_") {
		blank := " "
		if g.oneIn(12) {
			blank = g.of(oddBlanks)
		}
		s = strings.Replace(s, "_", blank, 1)
	}
	return s
}

// spoil puts scraps and line breaks into a piece.
func (g generator) spoil(s string) string {
	for g.oneIn(5) {
		i := g.IntN(len(s) + 1)
		if g.oneIn(4) {
			i = len(s)
		}
		s = s[:i] + g.of(scraps) + s[i:]
	}
	if g.oneIn(8) {
		i := g.IntN(len(s) + 1)
		s = s[:i] + g.of([]string{"\\", "`"}) + g.of([]string{"", "", " ", "<CR>"}) + "\n" + s[i:]
	}
	return s
}

// hereDocument returns an instruction with here-documents, and lines that may
// end them.
func (g generator) hereDocument() string {
	var b strings.Builder
	b.WriteString(g.blanks(g.of(strings.Fields("RUN_ RUN_ COPY_ ADD_ ONBUILD_RUN_ ONBUILD_COPY_ run_ "))))
	b.WriteString(g.blanks(g.of(strings.Split("|||:_|--mount=type=x_|--chown=x_|--from=q_|[\"x\"]_|[|it's_|\"a_|${X:-_|$X_|--\\_|\\_|`_", "|"))))
	var names []string
	for range 1 + g.IntN(4)/3 {
		name := g.spoil(g.of([]string{"CMD", "CMD", "X", "'CMD'", "\"CMD x\"", "\"RUN :\"", "'FROM b'", "CMD${Y}", "CMD\\_", "CMD`_"}))
		name = g.blanks(name)
		names = append(names, name)
		b.WriteString(g.of([]string{"", "", "", "3", "x", "0"}) + g.of([]string{"<<", "<<", "<<", "<<-", "<<_", "<<<", "<\\<"}) + name + g.blanks(g.of([]string{"", "_", "_x"})))
	}
	line := g.blanks(b.String())
	b.Reset()
	b.WriteString(line + g.blanks(g.of([]string{"", "", "", "_", "\\_", "`_", "\\", "`"})) + "\n")
	for range g.IntN(4) {
		b.WriteString(g.blanks(g.of([]string{"FROM q", "LABEL owner=evil", "CMD", "# c", "", "_", "COPY --from=q x y", "RUN x", "RUN : <<\"RUN :\""})) + "\n")
	}
	for _, name := range names {
		if g.oneIn(12) {
			continue
		}
		switch g.IntN(6) {
		case 0:
			name = strings.Trim(name, "'\"")
		case 1:
			name = strings.TrimRight(name, "`\\ ")
		case 2:
			name = strings.NewReplacer("\\", "", "`", "", "'", "", "\"", "").Replace(name)
		}
		b.WriteString(g.of([]string{"", "", "", "\t", " "}) + strings.ReplaceAll(name, "\n", "") + g.blanks(g.of([]string{"", "", "", "", "_"})) + "\n")
	}
	return b.String()
}
