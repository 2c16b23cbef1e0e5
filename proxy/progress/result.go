package progress

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
)

// A Result is what an answer tells about the image that a request makes.
type Result struct {
	// Quiet says that the answer is that of a quiet build.
	Quiet bool

	ID     string // of the image
	Failed bool   // the answer has an error
}

var (
	streamPrefix = []byte(`{"stream":"`)
	errorWord    = []byte(`"error`)
	auxWord      = []byte(`"aux":`)

	// quietID matches the whole output of a quiet build. The output of its steps is
	// only shown if it fails.
	quietID = regexp.MustCompile(`^\{"stream":"(sha256:[0-9a-f]{64})\\n"\}\r?\n?$`)
	// importID matches the last message of an import.
	importID = regexp.MustCompile(`^\{"status":"(sha256:[0-9a-f]{64})"\}\r?\n?$`)
)

// Read takes a message into account. A message with the output of a step begins with
// a stream, and tells nothing: a step can print anything.
func (r *Result) Read(message []byte) {
	if bytes.HasPrefix(message, streamPrefix) {
		if r.Quiet {
			r.find(quietID, message)
		}
		return
	}
	if r.find(importID, message) || !bytes.Contains(message, errorWord) && !bytes.Contains(message, auxWord) {
		return
	}
	var m struct {
		Error  string
		Detail json.RawMessage `json:"errorDetail"`
		Aux    struct{ ID string }
	}
	if err := json.Unmarshal(message, &m); err != nil || m.Error != "" || m.Detail != nil {
		r.Failed = true
	}
	if m.Aux.ID != "" {
		r.ID = m.Aux.ID
	}
}

// find takes the ID from a message that matches form.
func (r *Result) find(form *regexp.Regexp, message []byte) bool {
	m := form.FindSubmatch(message)
	if m != nil {
		r.ID = string(m[1])
	}
	return m != nil
}

// loadedImage matches the message about an image that has got a name.
var loadedImage = regexp.MustCompile(`^\{"stream":"Loaded image: ([^"\\ ]+)\\n"\}\r?\n?$`)

// Loaded returns the name in the message about an image that was loaded.
func Loaded(message []byte) (name string, ok bool) {
	m := loadedImage.FindSubmatch(message)
	if m == nil {
		return "", false
	}
	return string(m[1]), true
}

// Message returns a message with a text.
func Message(text string) []byte {
	return fmt.Appendf(nil, "{\"stream\":\"%s\"}\r\n", quote(text))
}
