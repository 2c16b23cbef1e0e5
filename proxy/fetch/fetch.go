// Package fetch downloads remote build contexts: the archive or Dockerfile at an http
// or https URL that POST /build takes in its parameter remote.
//
// The engine would download it from the host's network, and sockguard could not
// rewrite it. A [Fetcher] connects only to hosts and addresses that the operator has
// granted, on redirects too, and returns the context as a stream that is rewritten
// like an upload. It does not support git repositories.
package fetch

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"sync"

	"golang.org/x/sys/unix"

	"sockguard/policy/verdict"
	"sockguard/rewrite/buildcontext"
)

const (
	// maxRedirects is how many redirects of a remote context are followed.
	maxRedirects = 5

	// maxRemoteDockerfile is the ceiling of a context that is a Dockerfile alone. It
	// is that of a Dockerfile in an archive.
	maxRemoteDockerfile = 1 << 20

	// maxIgnoredBody is how much is read of the body of a request with remote=.
	maxIgnoredBody = 1 << 20

	// maxContext is the ceiling of a context when the policy sets none. A server
	// could send for ever.
	maxContext = 10 << 30

	// typeSniff is how much of a file an engine reads to detect its type.
	typeSniff = 100
)

// A Fetcher fetches build contexts for one guard.
type Fetcher struct {
	dialer dialer
	client func() *http.Client
	budget int64 // bytes of one context, as they come over the network
}

// New returns a fetcher with the grants of a policy. Without grants it connects to no
// host.
func New(p *verdict.Policy) *Fetcher {
	f := &Fetcher{dialer: dialer{grants: p.Remotes, lookup: net.DefaultResolver.LookupNetIP}, budget: maxContext}
	if p.MaxContextBytes > 0 {
		f.budget = p.MaxContextBytes
	}
	f.client = sync.OnceValue(f.newClient)
	return f
}

// newClient returns a client without proxy, cookies or compression in transit.
func (f *Fetcher) newClient() *http.Client {
	var http1 http.Protocols
	http1.SetHTTP1(true)
	return &http.Client{
		CheckRedirect: f.checkRedirect,
		Transport: &http.Transport{
			DialContext:            f.dialer.DialContext,
			TLSClientConfig:        &tls.Config{RootCAs: trustedRoots()},
			TLSHandshakeTimeout:    dialTimeout,
			ResponseHeaderTimeout:  silence,
			MaxResponseHeaderBytes: 64 << 10,
			IdleConnTimeout:        dialTimeout,
			DisableCompression:     true,
			Protocols:              &http1,
		},
	}
}

// checkRedirect holds a redirect to the same grants as the URL of the request.
func (f *Fetcher) checkRedirect(r *http.Request, via []*http.Request) error {
	to := &verdict.Remote{URL: r.URL}
	r.Header.Del("Referer") // it may contain a secret query
	switch from := via[len(via)-1]; {
	case len(via) > maxRedirects:
		return remoteError(to, nil, "is the end of more than %d redirects", maxRedirects)
	case r.URL.Scheme != "https" && (r.URL.Scheme != "http" || from.URL.Scheme == "https"):
		return remoteError(to, nil, "is a redirect to less than https; use a URL that stays with https")
	case !f.dialer.grants.Host(r.URL.Hostname()):
		return &verdict.Denied{
			Status: http.StatusForbidden, Rule: "remote",
			Message: fmt.Sprintf("a redirect leads to the remote context %s, whose host is not granted; ask the operator for --allow-remote %s", to, r.URL.Hostname()),
		}
	}
	return nil
}

// Fetch returns r with the remote context of its decision in place of its body.
func (f *Fetcher) Fetch(r *http.Request, d *verdict.Decision) (*http.Request, error) {
	// The body is ignored, as engines do. It is read because the server notices that
	// a client leaves only after its body has been read.
	if _, err := io.CopyN(io.Discard, r.Body, maxIgnoredBody); err != nil && err != io.EOF {
		return nil, fmt.Errorf("read request: %w", err)
	}
	body, err := f.open(r.Context(), d)
	if err != nil {
		return nil, err
	}
	out := r.WithContext(r.Context())
	out.Body = &contextBody{body, d.Remote, f.budget}
	return out, nil
}

// open requests a context and detects its type.
func (f *Fetcher) open(ctx context.Context, d *verdict.Decision) (io.ReadCloser, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, d.Remote.URL.String(), nil)
	if err != nil {
		return nil, err
	}
	resp, err := f.client().Do(r)
	if err != nil {
		return nil, remoteError(d.Remote, err, "cannot be fetched: %s", plainReason(err))
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return nil, remoteError(d.Remote, nil, "cannot be fetched: the server answers %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	}
	in := bufio.NewReaderSize(resp.Body, typeSniff)
	head, _ := in.Peek(typeSniff) // the error is returned again by Read
	body := io.ReadCloser(readCloser{in, resp.Body})
	switch contextType(resp.Header.Get("Content-Type"), head) {
	case "text/plain":
		body, err = bareDockerfile(body, d)
	case "":
		err = remoteError(d.Remote, nil, "has the content type %.100q; a context is a tar archive, compressed or not, or a Dockerfile as text/plain", resp.Header.Get("Content-Type"))
	}
	if err != nil {
		resp.Body.Close()
		return nil, err
	}
	return body, nil
}

// contextTypes matches the media types that an engine accepts for a context.
var contextTypes = regexp.MustCompile(`application/(?:(?:x-)?tar|octet-stream|(?:x-)?(?:gzip|bzip2?|xz))|text/plain`)

// contextType detects the media type as an engine does, by the header or, if the
// header does not tell, by the first bytes. It returns "" if it is no context.
func contextType(header string, head []byte) string {
	if header == "" || header == "application/octet-stream" {
		header = http.DetectContentType(head)
	}
	return contextTypes.FindString(header)
}

// bareDockerfile returns an archive with nothing but a Dockerfile of the reserved name,
// so that COPY finds nothing, as on an engine.
func bareDockerfile(body io.ReadCloser, d *verdict.Decision) (io.ReadCloser, error) {
	defer body.Close()
	text, err := io.ReadAll(io.LimitReader(body, maxRemoteDockerfile+1))
	if err != nil {
		return nil, remoteError(d.Remote, err, "broke off: %s", plainReason(err))
	}
	if len(text) > maxRemoteDockerfile {
		return nil, remoteError(d.Remote, nil, "is text/plain, a Dockerfile, and has more than %d bytes", maxRemoteDockerfile)
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: buildcontext.DockerfileName, Mode: 0o644, Size: int64(len(text))}); err != nil {
		return nil, err
	}
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	d.Context.Dockerfile = buildcontext.DockerfileName
	return io.NopCloser(&b), w.Close()
}

type readCloser struct {
	io.Reader
	io.Closer
}

// A contextBody is a context that is being downloaded. Its errors name the context.
type contextBody struct {
	io.ReadCloser
	remote *verdict.Remote
	left   int64 // bytes of the budget
}

func (b *contextBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch b.left -= int64(n); {
	case b.left < 0:
		return 0, remoteError(b.remote, nil, "is larger than it may be; ask the operator for a higher --max-context-bytes, or send the context")
	case err != nil && err != io.EOF:
		err = remoteError(b.remote, err, "broke off: %s", plainReason(err))
	}
	return n, err
}

// remoteError returns the error for the client of a context that cannot be fetched. A
// refusal in err is returned unchanged. Other details of err go to the log only.
func remoteError(r *verdict.Remote, err error, format string, args ...any) error {
	if d, ok := errors.AsType[*verdict.Denied](err); ok {
		return d
	}
	if errors.Is(err, context.Canceled) {
		return err // the client has left
	}
	d := &verdict.Denied{
		Status: http.StatusBadGateway, Rule: "remote",
		Message: fmt.Sprintf("the remote context %s ", r) + fmt.Sprintf(format, args...),
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err // without the URL, whose query may be secret
	}
	if err != nil {
		d.Truth = d.Message + ": " + err.Error()
	}
	return d
}

// plainReason describes a network error without its addresses.
func plainReason(err error) string {
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return e.Error()
	}
	_, unknown := errors.AsType[*net.DNSError](err)
	switch {
	case unknown:
		return "its host has no address"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return "its server does not answer"
	case errors.Is(err, unix.ECONNREFUSED):
		return "its server refuses connections"
	}
	return "the connection failed"
}
