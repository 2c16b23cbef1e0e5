package verdict

import (
	"bytes"
	"fmt"
	"io"

	"sockguard/rewrite/rawjson"
)

// EditList edits the answer, a JSON array, element by element.
func (c *Case) EditList(edit rawjson.Edit) {
	c.Out.Response = func(dst io.Writer, src io.Reader) error { return rawjson.FilterArray(dst, src, edit) }
}

// Keep leaves the elements of the answer, a JSON array, that are wanted.
func (c *Case) Keep(wanted func(item []byte) (bool, error)) { c.EditList(rawjson.Keep(wanted)) }

// maxAnswer bounds an answer that is held whole to be edited: a network with
// about 10,000 endpoints.
const maxAnswer = 4 << 20

// EditObject edits the answer, one JSON object. What names it in errors.
func (c *Case) EditObject(what string, edit func(o *rawjson.Object) error) {
	c.Out.Response = func(dst io.Writer, src io.Reader) error {
		var text bytes.Buffer
		if n, err := io.Copy(&text, io.LimitReader(src, maxAnswer+1)); err != nil {
			return err
		} else if n > maxAnswer {
			return fmt.Errorf("%s: the answer is larger than %d bytes", what, maxAnswer)
		}
		o, err := rawjson.ParseObject(text.Bytes())
		if err == nil {
			err = edit(&o)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		_, err = dst.Write(o.Marshal())
		return err
	}
}
