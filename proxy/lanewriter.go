package proxy

import (
	"io"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/net/http/httpguts"
)

const (
	// laneBuffer is how much of an answer is put together before it is sent.
	laneBuffer = 16 << 10

	// laneKeep is how much memory a connection keeps for its next answer.
	laneKeep = 4 << 10
)

// A laneWriter writes the answers of a lane, one after the other. It sends no
// informational answers and no trailers: the engine has none.
type laneWriter struct {
	conn     *quickConn
	closed   <-chan struct{} // ends the connection with the next answer
	header   http.Header
	out      []byte // not sent yet
	started  bool   // the head is written
	bodiless bool   // the request is a HEAD, or the status has no body
	chunked  bool
	left     int64 // bytes to come of a declared length
	last     bool  // the connection ends with this answer
	err      error // of the connection
}

var _ interface {
	http.ResponseWriter
	FlushError() error
} = (*laneWriter)(nil)

// begin makes w write the answer to r.
func (w *laneWriter) begin(r *http.Request) {
	if cap(w.out) > laneKeep {
		w.out = nil
	}
	if w.header == nil {
		w.header = make(http.Header, 8)
	}
	clear(w.header)
	*w = laneWriter{conn: w.conn, closed: w.closed, header: w.header, out: w.out[:0], bodiless: r.Method == http.MethodHead}
}

// Header returns the headers of the answer.
func (w *laneWriter) Header() http.Header { return w.header }

// WriteHeader puts the head into the buffer.
func (w *laneWriter) WriteHeader(status int) {
	if w.started || status < 200 {
		return
	}
	w.started = true
	select {
	case <-w.closed:
		w.header.Set("Connection", "close")
	default:
	}
	w.last = w.header.Get("Connection") == "close"
	w.out = append(w.out, "HTTP/1.1 "...)
	w.out = strconv.AppendInt(w.out, int64(status), 10)
	w.out = append(append(append(w.out, ' '), http.StatusText(status)...), "\r\n"...)
	for name, values := range w.header {
		switch name {
		case "Content-Length", "Transfer-Encoding", "Trailer":
			continue // frame says
		}
		for _, v := range values {
			if httpguts.ValidHeaderFieldName(name) && httpguts.ValidHeaderFieldValue(v) {
				w.line(name, v)
			}
		}
	}
	if w.header["Date"] == nil {
		w.out = append(w.out, "Date: "...)
		w.out = time.Now().UTC().AppendFormat(w.out, http.TimeFormat)
		w.out = append(w.out, "\r\n"...)
	}
	w.frame(status)
	w.out = append(w.out, "\r\n"...)
}

// frame decides how the end of the body is told, and writes it.
func (w *laneWriter) frame(status int) {
	n, declared := contentLength(w.header)
	switch {
	case status == http.StatusNoContent || status == http.StatusNotModified:
		w.bodiless = true
	case declared:
		w.left = n
		w.out = strconv.AppendInt(append(w.out, "Content-Length: "...), n, 10)
		w.out = append(w.out, "\r\n"...)
	case !w.bodiless:
		w.chunked = true
		w.line("Transfer-Encoding", "chunked")
	}
}

func (w *laneWriter) line(name, value string) {
	w.out = append(append(w.out, name...), ": "...)
	w.out = append(append(w.out, value...), "\r\n"...)
}

// Write puts p into the buffer, or sends it with the buffer when it is large.
func (w *laneWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	switch {
	case w.bodiless:
		return len(p), nil
	case w.err != nil:
		return 0, w.err
	case len(p) == 0:
		return 0, nil
	case !w.chunked && int64(len(p)) > w.left:
		w.last = true
		return 0, http.ErrContentLength
	}
	end := ""
	if w.chunked {
		w.out = append(strconv.AppendInt(w.out, int64(len(p)), 16), "\r\n"...)
		end = "\r\n"
	} else {
		w.left -= int64(len(p))
	}
	if len(w.out)+len(p) <= laneBuffer {
		w.out = append(append(w.out, p...), end...)
		return len(p), nil
	}
	w.err = w.conn.writeParts(parts{w.out, p, crlf[:len(end)]})
	w.out = w.out[:0]
	if w.err != nil {
		return 0, w.err
	}
	return len(p), nil
}

// FlushError sends what is in the buffer.
func (w *laneWriter) FlushError() error {
	w.WriteHeader(http.StatusOK)
	if len(w.out) > 0 && w.err == nil {
		_, w.err = w.conn.Write(w.out)
		w.out = w.out[:0]
	}
	return w.err
}

// end ends the answer. An error means that the client cannot have taken it for
// whole and that the connection must be closed.
func (w *laneWriter) end() error {
	w.WriteHeader(http.StatusOK)
	if w.chunked {
		w.out = append(w.out, "0\r\n\r\n"...)
	}
	err := w.FlushError()
	if err == nil && w.left > 0 && !w.bodiless {
		return io.ErrUnexpectedEOF
	}
	return err
}

var crlf = []byte("\r\n")
