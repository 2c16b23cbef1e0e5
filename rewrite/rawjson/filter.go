package rawjson

import (
	"bufio"
	"fmt"
	"io"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// filterBuffer is how much of a filtered array is written at once.
const filterBuffer = 32 << 10

// An Edit returns a value as it is to be shown, or nil to leave it out.
type Edit func(item jsontext.Value) (jsontext.Value, error)

// Keep returns an Edit that leaves out what is not wanted.
func Keep(wanted func(item []byte) (bool, error)) Edit {
	return func(item jsontext.Value) (jsontext.Value, error) {
		ok, err := wanted(item)
		if !ok {
			item = nil
		}
		return item, err
	}
}

// Next tells src that an element has been read, if it wants to know: src may bound the
// memory of one by a method of this name.
func Next(src io.Reader) {
	if n, ok := src.(interface{ Next() }); ok {
		n.Next()
	}
}

// FilterArray copies the JSON array src to dst, edited. It holds one element at a
// time. null stays null.
func FilterArray(dst io.Writer, src io.Reader, edit Edit) error {
	d := NewDecoder(src)
	if d.PeekKind() == 'n' {
		_, err := io.WriteString(dst, "null\n")
		return err
	}
	w := bufio.NewWriterSize(dst, filterBuffer)
	w.WriteByte('[') // a bufio.Writer keeps its first error
	first := true
	err := Elements(d, func(item jsontext.Value) error {
		Next(src)
		item, err := edit(item)
		if item == nil || err != nil {
			return err
		}
		if !first {
			w.WriteByte(',')
		}
		first = false
		_, err = w.Write(item)
		return err
	})
	if err != nil {
		return fmt.Errorf("copy list: %w", err)
	}
	w.WriteString("]\n")
	return w.Flush()
}

// FilterStream copies the stream of JSON values src to dst, edited, one to a
// line. Every value leaves in one Write, as soon as it is known.
func FilterStream(dst io.Writer, src io.Reader, edit Edit) error {
	d := NewDecoder(src)
	for {
		item, err := d.ReadValue()
		if err == io.EOF {
			return nil
		}
		Next(src)
		if err == nil {
			item, err = edit(item)
		}
		if err == nil && item != nil {
			_, err = dst.Write(slices.Concat(item, []byte{'\n'}))
		}
		if err != nil {
			return fmt.Errorf("copy stream: %w", err)
		}
	}
}
