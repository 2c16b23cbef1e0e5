package progress

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"sockguard/rewrite/buildcontext"
	"sockguard/rewrite/dockerfile"
)

// Steps turn the engine's answer to a build into what it would be for the client's own
// Dockerfile. The steps that sockguard adds are hidden. The other steps are numbered
// and shown as the client wrote them. Parse errors name the client's lines.
//
// The engine sends the header of each step as one message without a line feed at its
// end. A RUN can send the same, so only the numbers of a header are trusted; the
// first header, which comes before any RUN, has the total. Hiding a step also hides
// the messages that its LABEL produces, up to the first other message. So a RUN that
// forges a header changes its own output, never that of another step.
type Steps struct {
	Scanned   <-chan *dockerfile.Scanned // gets the Dockerfile when the upload has ended
	Gone      <-chan struct{}            // closed when the client leaves
	File      string                     // what the client calls the Dockerfile
	LabelStep int                        // step of the owner label, counted from the end, 1 is the last; 0 hides nothing

	text   *dockerfile.Scanned // nil when there is none
	waited bool                // text was asked for
	total  int                 // steps, as in the first header
	hidden bool                // inside a hidden step
}

var (
	headerPrefix = []byte(`{"stream":"Step `)

	// The texts are those of Engine 20.10 to 29.
	stepHeader = regexp.MustCompile(`^\{"stream":"Step ([0-9]{1,9})/([0-9]{1,9}) : (.*)"\}\r?\n?$`)
	labelNoise = regexp.MustCompile(`^(?:\n| ---> Using cache\n| ---> Running in [0-9a-f]{12}\n|(?: ---> Removed|Removing) intermediate container [0-9a-f]{12}\n)$`)
	labelEnd   = regexp.MustCompile(`^ ---> [0-9a-f]{12}\n$`)
	parseError = regexp.MustCompile(`"(?:message|error)":"(?:failed to parse \.sockguard\.Dockerfile: )?(?:[Dd]ockerfile parse error (?:on )?line [0-9]{1,9})?`)
)

// Show appends what the client sees of a message to dst.
func (b *Steps) Show(dst, message []byte) []byte {
	switch {
	case bytes.HasPrefix(message, headerPrefix):
		if m := stepHeader.FindSubmatch(message); m != nil && b.LabelStep > 0 {
			return b.step(dst, message, string(m[1]), string(m[2]), string(m[3]))
		}
	case bytes.HasPrefix(message, []byte(`{"error`)), bytes.HasPrefix(message, []byte(`{"message":`)):
		if bytes.Contains(message, []byte(`parse`)) {
			message = parseError.ReplaceAllFunc(message, b.explain)
		}
	}
	return b.unlessHidden(dst, message)
}

// unlessHidden appends a message that does not belong to a hidden step.
func (b *Steps) unlessHidden(dst, message []byte) []byte {
	if b.hidden && !b.follows(message) {
		return dst
	}
	return append(dst, message...)
}

// step appends the header of a step, with its new number, unless it is hidden.
func (b *Steps) step(dst, message []byte, number, total, text string) []byte {
	n, _ := strconv.Atoi(number)
	all, _ := strconv.Atoi(total)
	b.total = cmp.Or(b.total, all)
	file := b.dockerfile()
	if file == nil || n > all || all != b.total || strings.HasSuffix(unquote(text), "\n") {
		return b.unlessHidden(dst, message)
	}
	last := all - b.LabelStep + 1
	added, before := 1, 0
	b.hidden = n == last
	if n > last {
		before = 1
	}
	for _, s := range file.Steps {
		switch {
		case s.Source != "":
			if s.Number == n {
				text = quote(s.Source)
			}
			continue
		case s.Number < n:
			before++
		case s.Number == n:
			b.hidden = true
		}
		added++
	}
	if b.hidden = b.hidden && strings.HasPrefix(text, "LABEL "); b.hidden {
		return dst
	}
	end := message[bytes.LastIndexByte(message, '}')+1:]
	return fmt.Appendf(dst, `{"stream":"Step %d/%d : %s"}%s`, n-before, all-added, text, end)
}

// follows reports whether to show a message that follows a hidden header. Warnings
// are shown: the engine repeats them for each container.
func (b *Steps) follows(message []byte) bool {
	var m struct{ Stream string }
	if bytes.HasPrefix(message, streamPrefix) && json.Unmarshal(message, &m) == nil {
		switch {
		case labelNoise.MatchString(m.Stream):
			return false
		case labelEnd.MatchString(m.Stream):
			b.hidden = false
			return false
		case strings.HasPrefix(m.Stream, " ---> [Warning] "):
			return true
		}
	}
	b.hidden = false
	return true
}

// explain replaces the file and line at the start of a parse error by the client's.
func (b *Steps) explain(text []byte) []byte {
	text = bytes.Replace(text, []byte(buildcontext.DockerfileName), []byte(quote(b.File)), 1)
	digits := bytes.TrimRight(text, "0123456789")
	n, err := strconv.Atoi(string(text[len(digits):]))
	if err != nil {
		return text // without a line: it may come before the upload ends
	}
	file := b.dockerfile()
	if file == nil {
		return text
	}
	return strconv.AppendInt(digits, int64(file.SourceLine(n)), 10)
}

// dockerfile returns the Dockerfile of the upload. It waits for the end of the
// upload, which the engine's answer may precede.
func (b *Steps) dockerfile() *dockerfile.Scanned {
	if !b.waited {
		b.waited = true
		select {
		case b.text = <-b.Scanned:
		case <-b.Gone:
		}
	}
	return b.text
}

// quote returns s as the inside of a JSON string.
func quote(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // cannot happen: a string is valid JSON
	}
	return string(text[1 : len(text)-1])
}

// unquote is the inverse of quote. It returns "" for what is not JSON.
func unquote(s string) (text string) {
	_ = json.Unmarshal([]byte(`"`+s+`"`), &text)
	return text
}
