package rawjson

import (
	"bufio"
	"bytes"
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

// maxIdle is the longest value after which a stream keeps its buffer.
const maxIdle = 256 << 10

// dropped tells src that a large buffer has been dropped, as [Next] does.
func dropped(src io.Reader) {
	if d, ok := src.(interface{ Dropped() }); ok {
		d.Dropped()
	}
}

// FilterStream copies the stream of JSON values src to dst, edited, one to a
// line. Every value leaves in one Write, as soon as it is known. A stream may last, so
// it drops the buffer of a large value.
func FilterStream(dst io.Writer, src io.Reader, edit Edit) error {
	in := src
	d := NewDecoder(in)
	for {
		item, err := d.ReadValue()
		if err == io.EOF {
			return nil
		}
		Next(src)
		size := len(item)
		if err == nil {
			item, err = edit(item)
		}
		if err == nil && item != nil {
			_, err = dst.Write(slices.Concat(item, []byte{'\n'}))
		}
		if err != nil {
			return fmt.Errorf("copy stream: %w", err)
		}
		if size > maxIdle {
			in = io.MultiReader(bytes.NewReader(bytes.Clone(d.UnreadBuffer())), in)
			d = NewDecoder(in)
			dropped(src)
		}
	}
}
