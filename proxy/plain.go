package proxy

import (
	"net/http"
	"net/url"
	"strings"
)

// plainRequest returns the plain request at the start of b, and the size of its
// head, 0 if there is none: a GET or HEAD, without a body, in HTTP/1.1, whose
// whole head is printable ASCII and has been read. It knows the headers that it
// lets through by name, as clients of an engine write them; none of them says
// anything about a body or, but for keep-alive, the connection. Whatever is odd
// is left to [http.Server].
func plainRequest(b []byte, room *headerRoom) (r http.Request, size int) {
	if len(b) == 0 || b[0] != 'G' && b[0] != 'H' {
		return r, 0
	}
	head, _, whole := strings.Cut(string(b), "\r\n\r\n")
	line, rest, _ := strings.Cut(head, "\r\n")
	method, target, _ := strings.Cut(line, " ")
	target, proto, _ := strings.Cut(target, " ")
	if !whole || method != http.MethodGet && method != http.MethodHead || !strings.HasPrefix(target, "/") || proto != "HTTP/1.1" || !printable(target) {
		return r, 0
	}
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return r, 0
	}
	header := room.headers(rest, plainRequestHeader)
	host := header.Get("Host")
	if !plainHost(host) {
		return r, 0
	}
	delete(header, "Host")
	return http.Request{
		Method: method, URL: u, RequestURI: target, Proto: proto, ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: http.NoBody, Host: host,
	}, len(head) + len("\r\n\r\n")
}

// A headerRoom keeps the memory of headers for those of the next message. Its
// zero value is new.
type headerRoom struct {
	header http.Header
	values []string
}

// headers returns the headers in lines, nil if one is odd: named twice, not
// printable, or not plain. They are valid until the next call.
func (room *headerRoom) headers(lines string, plain func(name, value string) bool) http.Header {
	if room.header == nil {
		*room = headerRoom{make(http.Header, 8), make([]string, 0, 8)}
	}
	header, values := room.header, room.values[:0]
	clear(header)
	for lines != "" {
		var line string
		line, lines, _ = strings.Cut(lines, "\r\n")
		name, value, ok := strings.Cut(line, ": ")
		if !ok || !plain(name, value) || header[name] != nil || !printable(value) {
			return nil
		}
		values = append(values, strings.TrimSpace(value))
		header[name] = values[len(values)-1 : len(values) : len(values)]
	}
	return header
}

func plainRequestHeader(name, value string) bool {
	switch name {
	case "Host", "User-Agent", "Accept", "Accept-Encoding", "Accept-Language", "Content-Type",
		"X-Registry-Auth", "X-Registry-Config", "Traceparent", "Tracestate":
		return true
	case "Connection":
		return value == "keep-alive"
	}
	return false
}

// plainHost reports whether s is a name or an address, with a port or not.
func plainHost(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && strings.IndexByte("-._:%[]", c) < 0 {
			return false
		}
	}
	return s != ""
}

// printable reports whether s is ASCII without control characters.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
