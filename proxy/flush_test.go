package proxy

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// A flushRecorder notes what a response did, in order.
type flushRecorder struct {
	http.ResponseWriter
	did []string
}

func (f *flushRecorder) WriteHeader(status int) {
	f.did = append(f.did, fmt.Sprint(status))
	f.ResponseWriter.WriteHeader(status)
}

func (f *flushRecorder) Write(p []byte) (int, error) {
	f.did = append(f.did, fmt.Sprint("+", len(p)))
	return f.ResponseWriter.Write(p)
}

func (f *flushRecorder) FlushError() error {
	f.did = append(f.did, "flush")
	return nil
}

// pieces is a source that gives one piece per read and then err, alone.
type pieces struct {
	left []string
	err  error
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.left) == 0 {
		return 0, p.err
	}
	n := copy(b, p.left[0])
	p.left = p.left[1:]
	return n, nil
}

// TestFlushWriter: nothing waits for a read that may block, and a response whose
// end is known costs no extra flush.
func TestFlushWriter(t *testing.T) {
	errCut := errors.New("cut")
	first, full := strings.Repeat("x", firstBuffer), strings.Repeat("x", ioBuffer)
	tests := []struct {
		name   string
		status int
		length string
		src    io.Reader
		want   []string
		err    error
	}{
		{"small with a length", 200, "2", &pieces{[]string{"OK"}, io.EOF}, []string{"200", "+2"}, nil},
		{"length in pieces", 200, "4", &pieces{[]string{"OK", "OK"}, io.EOF}, []string{"200", "+2", "flush", "+2"}, nil},
		{"no body", 200, "0", &pieces{nil, io.EOF}, []string{"200"}, nil},
		{"no content", 204, "", &pieces{nil, io.EOF}, []string{"204", "flush"}, nil},
		{"silent stream", 200, "", &pieces{nil, io.EOF}, []string{"200", "flush"}, nil},
		{"stream", 200, "", &pieces{[]string{"a", "bc"}, io.EOF}, []string{"200", "flush", "+1", "flush", "+2", "flush"}, nil},
		{"end with the last bytes", 200, "", iotest.DataErrReader(strings.NewReader("abc")), []string{"200", "flush", "+3"}, nil},
		{"full buffers", 200, "", &pieces{[]string{first, full, "a"}, io.EOF}, []string{"200", "flush", "+4096", "flush", "+65536", "flush", "+1", "flush"}, nil},
		{"cut stream", 200, "", &pieces{[]string{"a"}, errCut}, []string{"200", "flush", "+1", "flush"}, errCut},
		{"implied head", 0, "", &pieces{[]string{"a"}, io.EOF}, []string{"200", "flush", "+1", "flush"}, nil},
		{"early hints", 103, "", &pieces{nil, io.EOF}, []string{"103"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec := &flushRecorder{ResponseWriter: httptest.NewRecorder()}
			f := newFlushWriter(rec)
			if tt.length != "" {
				f.Header().Set("Content-Length", tt.length)
			}
			if tt.status != 0 {
				f.WriteHeader(tt.status)
			}
			if _, err := io.Copy(f, tt.src); err != tt.err || f.copyErr() != tt.err {
				t.Errorf("got %v and %v, want %v", err, f.copyErr(), tt.err)
			}
			if diff := cmp.Diff(tt.want, rec.did); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestFlushWriterGoneClient: a client that is gone is no fault of the source.
func TestFlushWriterGoneClient(t *testing.T) {
	f := newFlushWriter(goneClient{httptest.NewRecorder()})
	if _, err := io.Copy(f, strings.NewReader("x")); err == nil {
		t.Error("no error")
	}
	if err := f.copyErr(); err != nil {
		t.Errorf("the source is blamed: %v", err)
	}
}

type goneClient struct{ http.ResponseWriter }

func (goneClient) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

// TestFlushWriterController: the server's own abilities stay within reach.
func TestFlushWriterController(t *testing.T) {
	rec := &flushRecorder{ResponseWriter: httptest.NewRecorder()}
	if err := http.NewResponseController(newFlushWriter(rec)).Flush(); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"flush"}, rec.did); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
