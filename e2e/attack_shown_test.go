package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/client"
)

// The events of one's own network do not tell which foreign containers an
// operator connects to it.
func TestAttackEventsOfOwnNetwork(t *testing.T) {
	need(t)
	mine, theirs := newGuard(t), newGuard(t)
	network := mine.docker(t, "network", "create", "net-"+mine.owner).ok()
	foreign := theirs.background(t, "sleep 300")
	own := mine.background(t, "sleep 300")
	start := time.Now()
	for _, id := range []string{foreign, own} {
		e2e.unguarded(t, "network", "connect", network, id)
		e2e.unguarded(t, "network", "disconnect", network, id)
	}
	got := mine.http(t, "GET", fmt.Sprintf("/events?since=%d&until=%d", start.Unix()-1, time.Now().Unix()+1), "")
	if strings.Contains(got.body, foreign[:12]) {
		t.Errorf("the events tell of another owner's container: %s", got.body)
	}
	if !strings.Contains(got.body, `"disconnect"`) || !strings.Contains(got.body, own) {
		t.Errorf("the events do not tell of one's own container: %s", got.body)
	}
}

// An inspection of a network shows what is known to be the owner's. Newer engines
// count the addresses in use under Status, those of the shared networks too.
func TestAttackNetworkStatus(t *testing.T) {
	need(t)
	g, tap := newTappedGuard(t)
	tap.answer = func(resp *http.Response) error {
		if resp.Request.Method != "GET" || !strings.Contains(resp.Request.URL.Path, "/networks") || resp.StatusCode != 200 {
			return nil
		}
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			return err
		}
		b = bytes.ReplaceAll(b, []byte(`"Scope":`), []byte(`"Status":{"IPAM":{"Subnets":{"172.17.0.0/16":{"IPsInUse":77123,"DynamicIPsAvailable":65530}}}},"Scope":`))
		resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
		resp.Header.Set("Content-Length", fmt.Sprint(len(b)))
		return nil
	}
	for _, target := range []string{"/networks/bridge", "/networks", `/networks?filters={"name":["bridge"]}`} {
		got := g.http(t, "GET", strings.NewReplacer(`"`, "%22", "{", "%7B", "}", "%7D").Replace(target), "")
		if got.status != 200 || strings.Contains(got.body, "77123") {
			t.Errorf("GET %s: got %d %s", target, got.status, got.body)
		}
	}
}

// What stands in the way of a network is not named when it is not the owner's.
func TestAttackOverlap(t *testing.T) {
	ctx := need(t)
	mine, theirs := newGuard(t), newGuard(t)
	theirID := theirs.docker(t, "network", "create", "net-"+theirs.owner).ok()
	inspect, err := e2e.engine.NetworkInspect(ctx, theirID, client.NetworkInspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	subnet := inspect.Network.IPAM.Config[0].Subnet
	half := fmt.Sprintf("%s/%d", subnet.Addr(), subnet.Bits()+1)
	for _, pool := range []string{
		fmt.Sprintf(`{"Subnet":%q}`, subnet), fmt.Sprintf(`{"Subnet":%q,"IPRange":%q}`, subnet, half), fmt.Sprintf(`{"Subnet":%q}`, half),
	} {
		got := mine.networkOf(t, pool)
		for _, name := range []string{theirID[:12], theirs.owner} {
			if strings.Contains(got.body, name) {
				t.Errorf("IPAM %s: the answer names the other owner's network: %+v", pool, got)
			}
		}
		if got.status == 201 {
			t.Errorf("IPAM %s: a network on another's addresses", pool)
		}
	}
}

// What keeps a network from being removed is not named when it is not the owner's.
func TestAttackNetworkInUse(t *testing.T) {
	need(t)
	mine, theirs := newGuard(t), newGuard(t)
	network := mine.docker(t, "network", "create", "net-"+mine.owner).ok()
	foreign := theirs.background(t, "sleep 300", "--name", "secret-"+theirs.owner)
	e2e.unguarded(t, "network", "connect", network, foreign)
	got := mine.http(t, "DELETE", "/networks/"+network, "")
	if got.status != 403 || !strings.Contains(got.body, "active endpoints") {
		t.Errorf("removal of a network in use: got %+v", got)
	}
	for _, name := range []string{theirs.owner, foreign[:12]} {
		if strings.Contains(got.body, name) {
			t.Errorf("the answer names another owner's container: %+v", got)
		}
	}
	e2e.unguarded(t, "network", "disconnect", network, foreign)
}

// --force-user holds: no program of the container gets the rights of its file's
// owner.
func TestAttackForcedUser(t *testing.T) {
	need(t)
	g := newGuard(t, "--force-user", "1000:1000")
	id := g.background(t, "sleep 300")
	for what, status := range map[string]string{
		"the container": g.docker(t, "run", "--rm", e2e.common, "cat", "/proc/self/status").ok(),
		"an exec":       g.docker(t, "exec", id, "cat", "/proc/self/status").ok(),
		"its option":    g.docker(t, "run", "--rm", "--security-opt", "no-new-privileges", e2e.common, "cat", "/proc/self/status").ok(),
	} {
		if !strings.Contains(status, "NoNewPrivs:\t1") || !strings.Contains(status, "Uid:\t1000") {
			t.Errorf("in %s: got %q", what, between(status, "Uid:", "Seccomp"))
		}
	}
}

// In a swarm the names of volumes are each node's own, and a prefix tells whose
// they are: one owner's name does not begin another's.
func TestAttackServiceVolumeOfLongerName(t *testing.T) {
	ctx := need(t)
	info, err := e2e.engine.Info(ctx, client.InfoOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if info.Info.Swarm.LocalNodeState != "active" {
		t.Skip("LEFT OUT: the engine is not in a swarm")
	}
	g := newGuard(t, "--allow-swarm")
	for i, volume := range []string{g.owner + "-a_x", g.owner + "-x", g.owner + "_x"} {
		body, err := json.Marshal(map[string]any{"Name": fmt.Sprintf("s%d-%s", i, g.owner), "TaskTemplate": map[string]any{"ContainerSpec": map[string]any{
			"Image": e2e.common, "Mounts": []map[string]any{{"Type": "volume", "Source": volume, "Target": "/v"}},
		}}, "Mode": map[string]any{"Replicated": map[string]any{"Replicas": 0}}})
		if err != nil {
			t.Fatal(err)
		}
		got := g.http(t, "POST", "/services/create", string(body))
		if id := between(got.body, `"ID":"`, `"`); id != "" {
			t.Cleanup(func() { e2e.engine.ServiceRemove(context.Background(), id, client.ServiceRemoveOptions{}) })
		}
		if want := strings.HasPrefix(volume, g.owner+"_"); (got.status == 201) != want {
			t.Errorf("owner %s, a service with volume %s: got %+v", g.owner, volume, got)
		}
	}
}
