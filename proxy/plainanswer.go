package proxy

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/http/httputil"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// plainAnswer returns the plain answer to r at the start of what br holds, nil
// if there is none: in HTTP/1.1, with a body of a known length or in chunks, and
// with a whole head of printable ASCII that names each header once and as
// net/http writes it. Whatever is odd is left to [http.ReadResponse], which
// takes several times as long; nothing has been read then.
func plainAnswer(br *bufio.Reader, r *http.Request) *http.Response {
	b, _ := br.Peek(br.Buffered())
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if end < 0 {
		return nil
	}
	line, rest, _ := strings.Cut(string(b[:end]), "\r\n")
	status, found := strings.CutPrefix(line, "HTTP/1.1 ")
	if !found || len(status) < len("200 ") || status[3] != ' ' || !printable(status) || r.Method == http.MethodHead {
		return nil
	}
	code, err := strconv.ParseUint(status[:3], 10, 0)
	if err != nil || code < 200 || code == http.StatusNoContent || code == http.StatusNotModified {
		return nil
	}
	header := new(headerRoom).headers(rest, plainAnswerHeader)
	resp := &http.Response{
		Status: status, StatusCode: int(code), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Request: r,
	}
	length, chunked := header["Content-Length"], header["Transfer-Encoding"]
	switch {
	case len(length)+len(chunked) != 1:
		return nil
	case length != nil:
		n, err := strconv.ParseUint(length[0], 10, 63)
		if err != nil {
			return nil
		}
		resp.ContentLength = int64(n)
		resp.Body = &lengthBody{br, int64(n)}
		if n == 0 {
			resp.Body = http.NoBody
		}
	case chunked[0] != "chunked":
		return nil
	default:
		delete(header, "Transfer-Encoding")
		resp.ContentLength, resp.TransferEncoding = -1, chunked
		resp.Body = &chunkedBody{r: br, chunks: httputil.NewChunkedReader(br)}
	}
	br.Discard(end + len("\r\n\r\n"))
	return resp
}

// plainAnswerHeader reports whether a header is written as net/http writes it, and
// says nothing about the connection or of how other headers are to be read.
func plainAnswerHeader(name, _ string) bool {
	switch name {
	case "Api-Version", "Content-Type", "Content-Length", "Date", "Docker-Experimental", "Ostype", "Server", "Transfer-Encoding":
		return true
	case "Connection", "Trailer", "Pragma":
		return false
	}
	return httpguts.ValidHeaderFieldName(name) && http.CanonicalHeaderKey(name) == name
}

// A lengthBody is a body of a known length, more than 0.
type lengthBody struct {
	r    *bufio.Reader
	left int64
}

// Read returns [io.EOF] with the last bytes.
func (b *lengthBody) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, io.EOF
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	switch {
	case b.left == 0:
		return n, io.EOF
	case err == io.EOF:
		return n, io.ErrUnexpectedEOF
	}
	return n, err
}

// Close does nothing: who ends the exchange closes the connection.
func (*lengthBody) Close() error { return nil }

// A chunkedBody is a body in chunks.
type chunkedBody struct {
	r      *bufio.Reader
	chunks io.Reader
	end    error // stays: the connection may be in use again
}

// Read returns [io.EOF] after the line that ends the body. A trailer that was not
// announced stays unread, with which the connection is not used again.
func (b *chunkedBody) Read(p []byte) (int, error) {
	if b.end != nil {
		return 0, b.end
	}
	n, err := b.chunks.Read(p)
	if err == io.EOF {
		end, perr := b.r.Peek(len(crlf))
		switch {
		case perr != nil:
			err = noEOF(perr)
		case bytes.Equal(end, crlf):
			b.r.Discard(len(crlf))
		}
	}
	b.end = err
	return n, err
}

// Close does nothing: who ends the exchange closes the connection.
func (*chunkedBody) Close() error { return nil }
