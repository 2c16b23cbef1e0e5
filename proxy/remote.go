package proxy

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

	"sockguard/policy"
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

	// typeSniff is how much of a file an engine looks at to tell its type.
	typeSniff = 100
)

// remotes fetches build contexts from elsewhere, as streams. The zero value of
// grants fetches from nowhere.
type remotes struct {
	dialer  remoteDialer
	client  func() *http.Client
	maxPack int64         // of what git servers send for one build
	turns   chan struct{} // one for each build that may hold packs
}

func newRemotes(p *policy.Policy) *remotes {
	f := &remotes{
		dialer:  remoteDialer{grants: p.Remotes, lookup: net.DefaultResolver.LookupNetIP},
		maxPack: maxPack,
		turns:   make(chan struct{}, maxPacks),
	}
	if limit := p.MaxContextBytes; limit > 0 {
		f.maxPack = min(f.maxPack, limit)
	}
	f.client = sync.OnceValue(f.newClient)
	return f
}

// newClient returns a client that knows no proxy of the environment, no
// cookies, and no compression but that of the file itself.
func (f *remotes) newClient() *http.Client {
	var http1 http.Protocols
	http1.SetHTTP1(true)
	return &http.Client{
		CheckRedirect: f.checkRedirect,
		Transport: &http.Transport{
			DialContext:            f.dialer.DialContext,
			TLSClientConfig:        &tls.Config{RootCAs: trustedRoots()},
			TLSHandshakeTimeout:    dialTimeout,
			ResponseHeaderTimeout:  remoteIdle,
			MaxResponseHeaderBytes: 64 << 10,
			IdleConnTimeout:        dialTimeout,
			DisableCompression:     true,
			Protocols:              &http1,
		},
	}
}

// checkRedirect judges a redirect as a URL of the client's own is judged.
func (f *remotes) checkRedirect(r *http.Request, via []*http.Request) error {
	to := &policy.Remote{URL: r.URL}
	r.Header.Del("Referer") // it may hold the query of the URL before
	switch from := via[len(via)-1]; {
	case len(via) > maxRedirects:
		return remoteError(to, nil, "is the end of more than %d redirects", maxRedirects)
	case from.Method != http.MethodGet:
		return remoteError(to, nil, "is where a git server redirects a request that it asked for itself")
	case r.URL.Scheme != "https" && (r.URL.Scheme != "http" || from.URL.Scheme == "https"):
		return remoteError(to, nil, "is a redirect to less than https; use a URL that stays with https")
	case !f.dialer.grants.Host(r.URL.Hostname()):
		return &policy.Denied{
			Status: http.StatusForbidden, Rule: "remote",
			Message: fmt.Sprintf("a redirect leads to the remote context %s, whose host is not granted; ask the operator for --allow-remote %s", to, r.URL.Hostname()),
		}
	}
	return nil
}

// fetch returns r with the remote context of its decision in place of its body.
func (f *remotes) fetch(r *http.Request, d *policy.Decision) (*http.Request, error) {
	// Engines ignore the body too. Only when it is read does the server notice a
	// client that leaves.
	if _, err := io.CopyN(io.Discard, r.Body, maxIgnoredBody); err != nil && err != io.EOF {
		return nil, fmt.Errorf("read request: %w", err)
	}
	open := f.file
	if d.Remote.Git {
		open = f.repository
	}
	body, err := open(r.Context(), d)
	if err != nil {
		return nil, err
	}
	out := r.WithContext(r.Context())
	out.Body = &remoteBody{body, d.Remote}
	return out, nil
}

// file fetches a context that is one file: an archive, or a Dockerfile alone.
func (f *remotes) file(ctx context.Context, d *policy.Decision) (io.ReadCloser, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, d.Remote.URL.String(), nil)
	if err != nil {
		return nil, err
	}
	resp, err := f.do(r)
	if err != nil {
		return nil, err
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

// do makes one request to a remote host; its answer is a success.
func (f *remotes) do(r *http.Request) (*http.Response, error) {
	resp, err := f.client().Do(r)
	at := &policy.Remote{URL: r.URL}
	if err != nil {
		return nil, remoteError(at, err, "cannot be fetched: %s", plainReason(err))
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return nil, remoteError(at, nil, "cannot be fetched: the server answers %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	}
	return resp, nil
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
func bareDockerfile(body io.ReadCloser, d *policy.Decision) (io.ReadCloser, error) {
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

// A remoteBody says which context it was that broke off.
type remoteBody struct {
	io.ReadCloser
	remote *policy.Remote
}

func (b *remoteBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = remoteError(b.remote, err, "broke off: %s", plainReason(err))
	}
	return n, err
}

// remoteError is what the client is told of a context that cannot be had. A
// verdict inside err stays as it is; other details of err are the operator's.
func remoteError(r *policy.Remote, err error, format string, args ...any) error {
	if d, ok := errors.AsType[*policy.Denied](err); ok {
		return d
	}
	if errors.Is(err, context.Canceled) {
		return err // nobody is left to be told
	}
	d := &policy.Denied{
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
	if e, ok := errors.AsType[gitError](err); ok {
		return e.Error()
	}
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
