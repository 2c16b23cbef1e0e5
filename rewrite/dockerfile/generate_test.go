package dockerfile

import (
	"math/rand/v2"
	"slices"
	"strings"
)

// Pieces of generated files. _ is a blank, mostly a plain one; <SP> and its
// like are in generatedBytes.
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
FROM_--platform=linux/amd64_a:$X_AS_e
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
RUN_echo_$((1 << 2))<LF>2))
RUN_cat_<<CMD${X:-y}
RUN_${X:-a <<CMD}
RUN_--mount=type=cache,target=/x_y
RUN_<LF><SP><LF>#c<LF>
LABEL_a=b
LABEL_ow"n"e=evil_a='b c'
LABEL_p$X=y_q${X}=y
LABEL_a=b\_owner=c
LABEL_a=b_c=d
LABEL_a_owner=evil
LABEL_"a b"="c"_d=e
LABEL_ow\<LF>ner=evil
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
COPY_--fr\om=q_x_y
COPY_--fr`+"`"+`om=q_x_y
COPY_--chown=a_--from='q'_["x", "y"]
COPY_<<CMD_/x<LF>FROM q<LF>CMD
ADD_http://x/y_z
ENV_owner=x
ENV_A_B
CMD_["x"]
HEALTHCHECK_CMD_x
SHELL_["x"]
WORKDIR_/x
# comment`), "\n")
	oddBlanks = strings.Fields("<TAB> <VT> <FF> <CR> <NBSP> <NEL> <IDSP> <EMSP> <LS> <BOM> <X85> <XA0> <NUL> <SP><SP>")
	scraps    = append(strings.Fields("\\ ` \" ' $ = << <<- <<CMD -- # , owner AS [ ] <LF> <SP> <LONGS> <DOTI> \\<SP> `<SP> \\\\ ${ } ${X:-"), oddBlanks...)
	ends      = strings.Split("<LF>|<LF>|<LF>|<LF>|<LF>|<LF>|<LF>|<LF>|<LF>|<LF>|<LF>|<LF>|<CR><LF>|\\<LF>|`<LF>|<SP><LF>|<CR><CR><LF>|\\<SP><LF>|`<CR><LF>|\\<CR><CR><LF>|\\<NBSP><LF>|_<LF>", "|")

	// soups are instructions of any words: the keywords, then the words.
	soups = [][2]string{
		{"FROM_--platform= FROM_a FROM_a FROM_ FROM_b", "a b $X ${X} ${X:-a} ${X:+b} ${X-a} \\ ` ' \" _AS_c _as_d _A<LONGS>_e -- _"},
		{"COPY_ COPY_ ADD_", "a b q _ _ _ -- --from= --from=q --from=0 --from=b --fr om= --chown=x --link [ ] \"a\" , \\ ` ' \" $X << <<CMD"},
		{"LABEL_", "a b ow ner owner = = = _ _ _ $X $x ${X} ${X:-o} ${X+x} \\ ` ' \" <BOM> <NUL> . - --x"},
		{"ARG_", "X P Y = = = _ _ a b $X ${P} ${X:-a} \\ ` ' \""},
		{"ONBUILD_", "RUN COPY LABEL ADD run _ _ _ --from=q --from=b x << <<- CMD a=b ow ner = \\ ` ' \" [ ] <BOM> ONBUILD ENV"},
		{"RUN_ RUN_ COPY_ ADD_ ONBUILD_RUN_", "<< <<- <<CMD << CMD _ _ _ x 3 \\ ` ' \" $X ${X:-a ${ } < [ ] \"x\" , --mount=x -- : <BOM>"},
	}
	documents = []string{"CMD", "CMD", "CMD", "SHELL", "'CMD'", "\"CMD x\"", "\"RUN :\"", "'FROM b'", "CMD${Y}", "CMD"}
	bodies    = []string{"FROM q", "FROM q AS r", "LABEL owner=evil", "CMD", "# c", "", "_", "COPY --from=q x y", "RUN x", "RUN x \\", "RUN x `", "RUN : <<\"RUN :\""}

	generatedBytes = strings.NewReplacer(append(slices.Clone(goldenPairs),
		"<TAB>", "\t", "<SP>", " ", "<LF>", "\n", "<NEL>", "\u0085", "<IDSP>", "\u3000", "<LS>", "\u2028",
		"<X85>", "\x85", "<XA0>", "\xa0", "<NUL>", "\x00")...)
)

// A generator makes Dockerfiles. The lines that end here-documents are mostly
// instructions as well: a reading that misses a here-document goes on there.
type generator struct{ *rand.Rand }

func (g generator) of(list ...string) string { return list[g.IntN(len(list))] }

func (g generator) oneIn(n int) bool { return g.IntN(n) == 0 }

// file returns a file of about n lines.
func (g generator) file(n int) string {
	var b strings.Builder
	b.WriteString(g.head())
	b.WriteString("FROM a AS b\n")
	for range n {
		switch g.IntN(6) {
		case 0, 1:
			b.WriteString(g.hereDocument())
			continue
		case 2:
			b.WriteString(g.soup())
		default:
			b.WriteString(g.spoil(g.blanks(g.of(pieces...))))
		}
		if g.oneIn(2000) {
			b.WriteString(strings.Repeat("x", 65536-g.IntN(40)))
		}
		b.WriteString(g.blanks(g.of(ends...)))
	}
	if g.oneIn(2) { // ends what is open
		b.WriteString("CMD\nRUN :\nCMD x\n")
	}
	return generatedBytes.Replace(b.String())
}

// head returns what may stand before the first FROM.
func (g generator) head() string {
	var b strings.Builder
	b.WriteString(g.of("", "", "", "", "", "<BOM>"))
	for range g.IntN(6) / 2 {
		line := g.of("#_escape_=_`_", "#escape=`", "# escape=`", "#escape=\\", "#check=x", "#syntax=x", "# c", "", "_", "#!x", "#Escape=`", "#x=y", "ARG X=1", "ARG_P X=${Y:-\"b\"} Y='$X'", "ARG X=$X`<LF>_")
		if g.oneIn(12) {
			line = g.spoil(line)
		}
		b.WriteString(g.blanks(g.of("", "", "", "_") + line + g.of("\n", "\n", "\n", "<CR><LF>", "<CR><CR><LF>")))
	}
	if g.oneIn(8) {
		return b.String() + g.words("ARG_", soups[3][1]) + "\n"
	}
	return b.String()
}

// blanks writes the blanks of a piece.
func (g generator) blanks(s string) string {
	for n := 40; strings.Contains(s, "_"); n = 12 {
		blank := " "
		if g.oneIn(n) {
			blank = g.of(oddBlanks...)
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
		s = s[:i] + g.of(scraps...) + s[i:]
	}
	if g.oneIn(8) {
		i := g.IntN(len(s) + 1)
		s = s[:i] + g.of("\\", "`") + g.of("", "", " ", "<CR>") + "\n" + g.blanks(g.of("", "", "", "_# c\n", g.of(oddBlanks...)+"\n", "_")) + s[i:]
	}
	return g.blanks(s)
}

// soup returns an instruction of any words.
func (g generator) soup() string {
	kind := soups[g.IntN(len(soups))]
	return g.words(g.of(strings.Fields(kind[0])...), kind[1])
}

func (g generator) words(keyword, words string) string {
	var b strings.Builder
	b.WriteString(keyword)
	for range 1 + g.IntN(6) {
		b.WriteString(g.of(strings.Fields(words)...))
	}
	return g.blanks(b.String())
}

// hereDocument returns an instruction with here-documents, and lines that may
// end them.
func (g generator) hereDocument() string {
	line := g.blanks(g.of(strings.Fields("RUN_ RUN_ COPY_ ADD_ ONBUILD_RUN_ ONBUILD_COPY_ run_")...)) +
		g.blanks(g.of("", "", "", "", ":_", "--mount=type=x_", "--chown=x_", "--from=q_", "[\"x\"]_", "[", "it's_", "\"a_", "${X:-_", "$X_", "--\\_", "\\_", "`_"))
	var names []string
	for range 1 + g.IntN(4)/3 {
		name := g.spoil(g.of(documents...))
		if g.oneIn(3) {
			name += g.of("\\", "\\", "`", "", "\"") + g.of(append(oddBlanks, " ")...)
		}
		names = append(names, name)
		line += g.of("", "", "", "3", "x", "0") + g.blanks(g.of("<<", "<<", "<<", "<<-", "<<_", "<<<", "<\\<")) + name + g.blanks(g.of("", "", "", "_", "_x"))
	}
	line += g.blanks(g.of("", "", "", "", "", "", "_", "\\_", "`_", "\\", "`")) + "\n"
	for range g.IntN(3) {
		line += g.blanks(g.of(bodies...)) + "\n"
	}
	for _, name := range names {
		switch g.IntN(8) {
		case 0:
			if g.oneIn(2) {
				continue
			}
		case 1:
			name = strings.Trim(name, "'\"")
		case 2:
			name = strings.TrimRight(name, "`\\ ")
		case 3, 4, 5, 6:
			name = strings.NewReplacer("\\", "", "'", "", "\"", "").Replace(name)
		}
		line += g.of("", "", "", "", "", "\t", " ") + strings.ReplaceAll(name, "\n", "") + g.blanks(g.of("", "", "", "", "", "_")) + "\n"
	}
	return line
}
