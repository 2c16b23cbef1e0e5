package rawjson

import (
	"bufio"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// arrayBuffer is how much of a list leaves at once.
const arrayBuffer = 32 << 10

// FilterArray copies the JSON array src to dst without the elements that are
// not wanted. One element is held at a time.
func FilterArray(dst io.Writer, src io.Reader, wanted func(item []byte) (bool, error)) error {
	d := jsontext.NewDecoder(src, jsontext.AllowDuplicateNames(true))
	start, err := d.ReadToken()
	if err != nil {
		return fmt.Errorf("read list: %w", err)
	}
	if start.Kind() == 'n' {
		_, err := io.WriteString(dst, "null\n")
		return err
	}
	if start.Kind() != '[' {
		return fmt.Errorf("read list: got %v, want an array", start.Kind())
	}
	w := bufio.NewWriterSize(dst, arrayBuffer)
	separator := "["
	for d.PeekKind() != ']' {
		item, err := d.ReadValue()
		if err != nil {
			return fmt.Errorf("read list: %w", err)
		}
		ok, err := wanted(item)
		if err != nil {
			return fmt.Errorf("read list: %w", err)
		}
		if ok {
			w.WriteString(separator)
			w.Write(item)
			separator = ","
		}
	}
	if separator == "[" {
		w.WriteString("[")
	}
	w.WriteString("]\n")
	return w.Flush()
}

// FilterStream copies the stream of JSON values src to dst, one line each,
// without those that are not wanted. Every value leaves in one Write, as soon as
// it is known.
func FilterStream(dst io.Writer, src io.Reader, wanted func(item []byte) (bool, error)) error {
	d := jsontext.NewDecoder(src, jsontext.AllowDuplicateNames(true))
	var line []byte
	for {
		item, err := d.ReadValue()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read stream: %w", err)
		}
		ok, err := wanted(item)
		if err != nil {
			return fmt.Errorf("read stream: %w", err)
		}
		if !ok {
			continue
		}
		line = append(append(line[:0], item...), '\n')
		if _, err := dst.Write(line); err != nil {
			return err
		}
	}
}
