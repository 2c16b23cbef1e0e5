package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"sockguard/e2e/engine"
)

// top tells of one's own processes only, and takes no option that could make ps
// tell of others: the engine runs it on the host and picks lines by a column.
func TestAttackTop(t *testing.T) {
	need(t)
	g, victim := newGuard(t), newGuard(t)
	id := g.background(t, "sleep 300")
	top := g.docker(t, "top", id, "-o", "pid")
	if strings.Contains(top.stderr, "executable file not found") {
		t.Skip("LEFT OUT: the engine has no ps")
	}
	pid := top.ok()
	victim.background(t, "sleep 300", "-u", strings.TrimSpace(strings.TrimPrefix(pid, "PID")), "-e", "SECRET=tell-"+victim.owner)
	for _, args := range []string{
		"-eouid=PID -oargs fe", "axeo ppid=PID,args", "-eo pgid=PID -o args", "-e -o tty=PID,args", "-eo sess=PID,pid=X,args",
		"-ef e", "aux e", "auxe", "axe", "axE", "-ef -o pid=PID,uid=PID", "-efww --format=uid=PID,args", "-eo pid,comm,environ", "-eo '%U=PID'",
		"-eo pid\n-f", "-ef --cols=1000000000", "--help", "-ef;id", "-Cdockerd", "--quick-pid=1", "--pid 1 -o uid=PID",
	} {
		got := g.http(t, "GET", "/containers/"+id+"/top?ps_args="+url.QueryEscape(args), "")
		if got.status != 400 && got.status != 403 || !strings.Contains(got.body, "sockguard") {
			t.Errorf("top %q: got %d, want a refusal: %.200s", args, got.status, got.body)
		}
		if strings.Contains(got.body, "tell-"+victim.owner) {
			t.Errorf("top %q tells the victim's environment", args)
		}
	}
	for _, args := range []string{"", "aux", "-ef", "-eo pid,comm", "-o pid,cmd", "auxww", "-efww", "-eo pid,ppid,user,args", "-e -o pid,comm", "ax", "-A", "-eLf", "axo pid,vsz,rss,args --sort -rss"} {
		if got := g.http(t, "GET", "/containers/"+id+"/top?ps_args="+url.QueryEscape(args), ""); got.status != 200 || !strings.Contains(got.body, "s") {
			t.Errorf("top %q: got %d %s", args, got.status, got.body)
		}
	}
	if got := g.docker(t, "top", id, "-eo", "pid,comm").ok(); !strings.Contains(got, "COMMAND") {
		t.Errorf("docker top says %q", got)
	}
}

// A network has the addresses that the engine would pick, or that are granted:
// the host sends to a network whatever goes to its subnet.
func TestAttackSubnets(t *testing.T) {
	need(t)
	g := newGuard(t)
	for _, ipam := range []string{
		`{"Subnet":"10.213.7.0/24"}`, `{"Subnet":"172.16.5.0/24"}`, `{"Subnet":"172.16.0.0/15"}`, `{"Subnet":"fd00:13::/64"}`,
		`{"Subnet":"192.168.211.0/24"},{"Subnet":"10.213.8.0/24"}`,
		`{"Gateway":"10.213.7.1"}`, `{"Subnet":"192.168.211.0/24","Gateway":"10.213.7.1"}`, `{"Subnet":"192.168.211.0/24","IPRange":"10.213.7.0/28"}`,
		`{"Subnet":"192.168.211.0/24","AuxiliaryAddresses":{"a":"10.213.7.9"}}`,
	} {
		if got := g.networkOf(t, ipam); got.status != 400 && got.status != 403 || !strings.Contains(got.body, "sockguard") {
			t.Errorf("IPAM %s: got %+v, want sockguard's refusal", ipam, got)
		}
	}
	for _, ipam := range []string{
		``,
		`{"Subnet":"192.168.213.0/24","Gateway":"192.168.213.1","IPRange":"192.168.213.128/25","AuxiliaryAddresses":{"a":"192.168.213.9"}}`,
	} {
		if got := g.networkOf(t, ipam); got.status != 201 {
			t.Errorf("IPAM %s: got %+v", ipam, got)
		}
	}
}

// --allow-subnet opens more addresses.
func TestAttackSubnetsGranted(t *testing.T) {
	need(t)
	g := newGuard(t, "--allow-subnet", "10.213.0.0/16", "--allow-subnet", "fd00:13::/32")
	for _, ipam := range []string{
		`{"Subnet":"10.213.9.0/24","Gateway":"10.213.9.1"}`, `{"Subnet":"10.213.10.0/24"},{"Subnet":"fd00:13:1::/64"}`, `{"Subnet":"192.168.212.0/24"}`,
	} {
		if got := g.networkOf(t, ipam); got.status != 201 {
			t.Errorf("IPAM %s: got %+v", ipam, got)
		}
	}
	for _, ipam := range []string{`{"Subnet":"10.214.0.0/24"}`, `{"Subnet":"10.212.0.0/15"}`, `{"Subnet":"10.213.9.0/24","Gateway":"10.214.0.1"}`} {
		if got := g.networkOf(t, ipam); !got.refused() {
			t.Errorf("IPAM %s beside the grant: got %+v", ipam, got)
		}
	}
}

// networkOf makes a network with the address pools, and removes it.
func (g *guard) networkOf(t *testing.T, pools string) reply {
	t.Helper()
	body := fmt.Sprintf(`{"Name":"n-%s","EnableIPv6":%v,"IPAM":{"Config":[%s]}}`, g.owner, strings.Contains(pools, "::"), pools)
	got := g.http(t, "POST", "/networks/create", body)
	if id := between(got.body, `"Id":"`, `"`); id != "" {
		g.http(t, "DELETE", "/networks/"+id, "")
	}
	return got
}

// What a container may set is bounded by its own limits, and no file of the
// engine's memory or of the host grows or is found by it.
func TestAttackContainerSettings(t *testing.T) {
	need(t)
	g := newGuard(t)
	for _, host := range []string{
		`"Ulimits":[{"Name":"rtprio","Hard":99,"Soft":99}]`,
		`"Ulimits":[{"Name":"RTPRIO","Hard":1,"Soft":1}]`,
		`"Ulimits":[{"Name":"nofile","Hard":1024,"Soft":1024},{"Name":"rttime","Hard":-1,"Soft":-1},{"Name":"rtprio","Hard":1,"Soft":0}]`,
		`"LogConfig":{"Type":"json-file","Config":{"mode":"non-blocking","max-buffer-size":"64g"}}`,
		`"LogConfig":{"Type":"local","Config":{"mode":"non-blocking","max-buffer-size":"68719476736"}}`,
		`"LogConfig":{"Config":{"mode":"non-blocking","max-buffer-size":"1t"}}`,
		`"LogConfig":{"Type":"json-file","Config":{"tag":"{{define \"a\"}}xxxxxxxx{{end}}{{define \"b\"}}{{template \"a\"}}{{template \"a\"}}{{end}}{{template \"b\"}}"}}`,
		`"LogConfig":{"Type":"json-file","Config":{"tag":"{{printf \"%999999d\" 1}}"}}`,
		`"LogConfig":{"Type":"json-file","Config":{"tag":"{{range .ContainerEnv}}{{$.ContainerEnv}}{{end}}"}}`,
		`"LogConfig":{"Type":"json-file","Config":{"env-regex":"` + strings.Repeat("(a{0,1000})", 1000) + `"}}`,
		`"LogConfig":{"Type":"json-file","Config":{"max-size":"1k","max-file":"1000000000"}}`,
		`"Tmpfs":{"/x":"rbind,rshared"}`,
		`"Tmpfs":{"/x":"size=1m,shared"}`,
		`"Tmpfs":{"/x":"rw,bind"}`,
		`"Tmpfs":{"/x":"rslave"}`,
		`"Tmpfs":{"/x":"remount"}`,
		`"Tmpfs":{"/x":"size=1m,dev"}`,
		`"Tmpfs":{"/x":"suid"}`,
		`"Tmpfs":{"/x":"mand,mode=1777"}`,
		`"Tmpfs":{"/x":"huge=always"}`,
		`"Mounts":[{"Type":"tmpfs","Target":"/x","TmpfsOptions":{"Options":[["rbind"],["rshared"]]}}]`,
		`"Mounts":[{"Type":"tmpfs","Target":"/x","TmpfsOptions":{"Options":[["size","1m,rshared"]]}}]`,
	} {
		body := fmt.Sprintf(`{"Image":%q,"HostConfig":{%s}}`, e2e.common, host)
		if got := g.http(t, "POST", "/containers/create", body); got.status != 400 && got.status != 403 || !strings.Contains(got.body, "sockguard") {
			t.Errorf("%.200s: got %+v, want sockguard's refusal", host, got)
		}
	}
	limits := "/build?ulimits=" + url.QueryEscape(`[{"Name":"rtprio","Hard":99,"Soft":99}]`)
	if got := g.tarred(t, limits, newProject(t, "-- Dockerfile --\nFROM @BASE@\n").tar(t)); got.status != 400 && got.status != 403 {
		t.Errorf("a build with rtprio: got %+v", got)
	}
	for _, host := range []string{
		`"Ulimits":[{"Name":"nofile","Hard":1024,"Soft":1024},{"Name":"nproc","Hard":100,"Soft":100},{"Name":"core","Hard":0,"Soft":0},{"Name":"memlock","Hard":65536,"Soft":65536}]`,
		`"LogConfig":{"Type":"json-file","Config":{"max-size":"10m","max-file":"3","compress":"true","mode":"non-blocking","max-buffer-size":"4m","tag":"{{.Name}}/{{.ID}}","labels":"a","env":"B"}}`,
		`"LogConfig":{"Type":"local","Config":{"max-size":"20m"}}`,
		`"LogConfig":{"Type":"none"}`,
		`"Tmpfs":{"/a":"","/b":"rw,noexec,nosuid,nodev,size=65536k","/c":"exec,mode=1777,uid=1000,gid=1000","/d":"ro,size=10%,nr_inodes=1k,noatime"}`,
		`"Mounts":[{"Type":"tmpfs","Target":"/x","TmpfsOptions":{"SizeBytes":1048576,"Mode":1023}}]`,
	} {
		body := fmt.Sprintf(`{"Image":%q,"HostConfig":{%s}}`, e2e.common, host)
		got := g.http(t, "POST", "/containers/create", body)
		if got.status != 201 {
			t.Errorf("%s: got %+v", host, got)
			continue
		}
		g.docker(t, "start", between(got.body, `"Id":"`, `"`)).ok()
	}
}

// tarred sends a body of type tar.
func (g *guard) tarred(t *testing.T, target string, body []byte) reply {
	t.Helper()
	got, err := g.try(t.Context(), "POST", target, string(body), http.Header{"Content-Type": {"application/x-tar"}})
	if err != nil {
		t.Fatalf("POST %s: %v", target, err)
	}
	return got
}

// send is http with headers of the caller's.
func (g *guard) send(t *testing.T, method, target, body string, header http.Header) reply {
	t.Helper()
	got, err := g.try(t.Context(), method, target, body, header)
	if err != nil {
		t.Fatalf("%s %s: %v", method, target, err)
	}
	return got
}

// try sends a request for as long as the context lasts.
func (g *guard) try(ctx context.Context, method, target, body string, header http.Header) (reply, error) {
	r, err := http.NewRequestWithContext(ctx, method, "http://guard"+target, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	r.Header = header
	transport := unixTransport(strings.TrimPrefix(g.host, "unix://"))
	if address, ok := strings.CutPrefix(g.host, "tcp://"); ok {
		transport = &http.Transport{}
		r.URL.Host = address
	}
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(r)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	return reply{resp.StatusCode, resp.Header.Get("Content-Type"), string(text)}, err
}

// The registry that a login goes to is read as the engine reads it.
func TestAttackLoginElsewhere(t *testing.T) {
	need(t)
	g := newGuard(t, "--allow-registry", "docker.io", "--allow-registry", "registry.test")
	for _, address := range []string{
		"localhost://docker.io/", "localhost://registry.test", "a://registry.test/v1/", "//registry.test/", "HTTP://docker.io", "hTTps://registry.test/",
		"https://registry.test@localhost/", "localhost#@registry.test", "localhost?@docker.io/", "http:registry.test", "registry.test:5000", "registry.test.evil",
		" registry.test", "registry.test\\@localhost", "https://localhost/registry.test",
	} {
		body := fmt.Sprintf(`{"username":"a","password":"b","serveraddress":%q}`, address)
		if got := g.http(t, "POST", "/auth", body); got.status != 403 && got.status != 400 || !strings.Contains(got.body, "sockguard") {
			t.Errorf("login to %q: got %+v, want sockguard's refusal", address, got)
		}
	}
	for _, address := range []string{"registry.test", "https://registry.test", "https://registry.test/v2/", "http://registry.test/"} {
		if got := g.http(t, "POST", "/auth", `{"username":"a","password":"b","serveraddress":"`+address+`"}`); strings.Contains(got.body, "sockguard") {
			t.Errorf("login to %q: got %+v", address, got)
		}
	}
}

// A web page cannot use a guard: neither by a form's Content-Type nor over TCP.
func TestAttackFromWebPage(t *testing.T) {
	need(t)
	g := newHostGuard(t)
	tcp := newTCPGuard(t)
	body := fmt.Sprintf(`{"Image":%q}`, e2e.common)
	for _, header := range []http.Header{
		{"Content-Type": {"text/plain"}}, {"Content-Type": {"application/x-www-form-urlencoded"}}, {"Content-Type": {"multipart/form-data; boundary=x"}},
		{"Content-Type": {"text/plain; application/json"}}, {}, {"Content-Type": {"application/jsonx"}},
	} {
		for _, g := range []*guard{g, tcp} {
			if got := g.send(t, "POST", "/containers/create", body, header); got.status != 400 && got.status != 415 {
				t.Errorf("create with %v: got %+v", header, got)
			}
		}
	}
	for _, header := range []http.Header{
		{"Content-Type": {"application/json"}, "Origin": {"http://evil.test"}}, {"Content-Type": {"application/json"}, "Origin": {"null"}},
		{"Content-Type": {"application/json"}, "Sec-Fetch-Site": {"cross-site"}},
	} {
		if got := tcp.send(t, "POST", "/containers/create", body, header); got.status != 403 {
			t.Errorf("create over TCP with %v: got %+v", header, got)
		}
		if got := tcp.send(t, "GET", "/containers/json", "", header); got.status != 403 {
			t.Errorf("list over TCP with %v: got %+v", header, got)
		}
	}
	for _, kind := range []string{"application/json", "application/json; charset=utf-8"} {
		for _, g := range []*guard{g, tcp} {
			got := g.send(t, "POST", "/containers/create", body, http.Header{"Content-Type": {kind}})
			if got.status != 201 {
				t.Errorf("create with %s: got %+v", kind, got)
				continue
			}
			if got := g.send(t, "POST", "/containers/"+between(got.body, `"Id":"`, `"`)+"/start", "", http.Header{}); got.status != 204 {
				t.Errorf("start without a body: got %+v", got)
			}
		}
	}
}

// newTCPGuard starts sockguard on a loopback port.
func newTCPGuard(t *testing.T) *guard {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	return newHostGuardAt(t, "tcp://"+l.Addr().String())
}

// --max-pids, which cannot bind the steps of a build, says so where it is set.
func TestAttackPidsOfBuilds(t *testing.T) {
	need(t)
	cmd := exec.CommandContext(t.Context(), e2e.binary, "serve", "--listen", "unix://"+t.TempDir()+"/s", "--upstream", e2e.host, "--owner", "x", "--max-pids", "50")
	var log syncBuffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case <-done:
	case <-time.After(3 * time.Second):
		cmd.Process.Kill()
		<-done
	}
	if !strings.Contains(log.String(), "cgroup-parent") {
		t.Errorf("--max-pids without --cgroup-parent starts and says only:\n%s", &log)
	}
}

// --max-containers holds however many are asked for at once, by clients that wait and
// by clients that leave while the engine still works for them.
func TestAttackManyCreatesAtOnce(t *testing.T) {
	need(t)
	for name, patience := range map[string]time.Duration{"they wait": time.Minute, "they leave": 15 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			g := newGuard(t, "--max-containers", "3")
			var all sync.WaitGroup
			for range 24 {
				all.Go(func() {
					ctx, leave := context.WithTimeout(ctx, patience)
					defer leave()
					g.try(ctx, "POST", "/containers/create", fmt.Sprintf(`{"Image":%q}`, e2e.common), http.Header{"Content-Type": {"application/json"}})
				})
			}
			all.Wait()
			if patience < time.Second {
				time.Sleep(2 * time.Second) // the engine goes on
			}
			mine, err := e2e.engine.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: client.Filters{}.Add("label", engine.OwnerLabel+"="+g.owner)})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d containers were made", len(mine.Items))
			if n := len(mine.Items); n > 3 || n < 3 && patience > time.Second {
				t.Errorf("%d containers were made, want 3", n)
			}
		})
	}
}
