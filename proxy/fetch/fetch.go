// Package fetch gets build contexts from elsewhere: an archive or a Dockerfile at
// an http or https URL, as POST /build takes it in the parameter remote.
//
// The engine would fetch with the host's network and unseen. A [Fetcher] connects
// only to hosts and addresses that the operator has granted, on every redirect
// too, and returns the context as a stream to be rewritten like an upload. It does
// not speak git.
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

	// maxRemoteDockerfile is the ceiling of a Dockerfile that is the whole
	// remote context, as of one inside a context.
	maxRemoteDockerfile = 1 << 20

	// maxIgnoredBody is how much of a body is read that stands beside remote=.
	maxIgnoredBody = 1 << 20

	// maxContext is the ceiling of a context when the policy sets none: a server
	// could answer for ever.
	maxContext = 10 << 30

	// typeSniff is how much of a file an engine looks at to tell its type.
	typeSniff = 100
)

// A Fetcher fetches build contexts for one guard.
type Fetcher struct {
	dialer dialer
	client func() *http.Client
	budget int64 // bytes of one context, as they come over the network
}

// New returns a fetcher with the grants of a policy. Without grants it fetches
// from nowhere.
func New(p *verdict.Policy) *Fetcher {
	f := &Fetcher{dialer: dialer{grants: p.Remotes, lookup: net.DefaultResolver.LookupNetIP}, budget: maxContext}
	if p.MaxContextBytes > 0 {
		f.budget = p.MaxContextBytes
	}
	f.client = sync.OnceValue(f.newClient)
	return f
}

// newClient returns a client that knows no proxy of the environment, no
// cookies, and no compression but that of the file itself.
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

// checkRedirect judges a redirect as a URL of the client's own is judged.
func (f *Fetcher) checkRedirect(r *http.Request, via []*http.Request) error {
	to := &verdict.Remote{URL: r.URL}
	r.Header.Del("Referer") // it may hold the query of the URL before
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
	// Engines ignore the body too. The server notices a client that leaves only
	// after its body has been read.
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

// open asks for a context and reads as much of it as tells what it is.
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
	head, _ := in.Peek(typeSniff) // an error comes again
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

// contextTypes finds what an engine takes for the type of a context.
var contextTypes = regexp.MustCompile(`application/(?:(?:x-)?tar|octet-stream|(?:x-)?(?:gzip|bzip2?|xz))|text/plain`)

// contextType tells a file's type as an engine does: by its header, or by its
// first bytes when the header says nothing. "" is no context.
func contextType(header string, head []byte) string {
	if header == "" || header == "application/octet-stream" {
		header = http.DetectContentType(head)
	}
	return contextTypes.FindString(header)
}

// bareDockerfile makes an archive of a Dockerfile. It takes the reserved name,
// so that COPY finds nothing: the engine has no context there either.
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

// A contextBody is a context as it is fetched. Its errors name the context.
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

// remoteError is what the client is told of a context that cannot be had. A
// verdict inside err stays as it is; other details of err are the operator's.
func remoteError(r *verdict.Remote, err error, format string, args ...any) error {
	if d, ok := errors.AsType[*verdict.Denied](err); ok {
		return d
	}
	if errors.Is(err, context.Canceled) {
		return err // nobody is left to be told
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

// plainReason tells an error of the network without the addresses in it.
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
