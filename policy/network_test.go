package policy

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sockguard/policy/verdict"
)

func TestCreateNetwork(t *testing.T) {
	network := func(field string) string { return `{"Name":"n",` + field + `}` }
	routes := func() ([]netip.Prefix, error) { return []netip.Prefix{netip.MustParsePrefix("172.31.0.0/16")}, nil }
	testVerdicts(t, "POST", "/v1.41/networks/create", []verdictVector{
		{name: "plain", body: `{"Name":"n"}`},
		{name: "no name", body: `{}`, want: "empty network name"},
		{name: "path for a name", body: `{"Name":"../containers/create"}`, want: "no name for a network"},
		{name: "container mode for a name", body: `{"Name":"container:x"}`, want: "no name for a network"},
		{name: "macvlan", body: network(`"Driver":"macvlan","Options":{"parent":"eth0"}`), want: "Driver"},
		{name: "host driver", body: network(`"Driver":"host"`), want: "use bridge"},
		{name: "adopted bridge", body: network(`"Options":{"com.docker.network.bridge.name":"docker0"}`), want: "sets up the host's network"},
		{name: "routed gateway", body: network(`"Options":{"com.docker.network.bridge.gateway_mode_ipv4":"routed"}`), want: "sets up the host's network"},
		{name: "harmless options", body: network(`"Options":{"com.docker.network.driver.mtu":"1400","com.docker.network.bridge.enable_icc":"false"}`)},
		{name: "IPAM plugin", body: network(`"IPAM":{"Driver":"evil"}`), want: "IPAM.Driver"},
		{name: "public subnet", body: network(`"IPAM":{"Config":[{"Subnet":"8.8.8.0/24"}]}`), want: "the host would send its own traffic"},
		{name: "everything", body: network(`"IPAM":{"Config":[{"Subnet":"0.0.0.0/0"}]}`), want: "the host would send its own traffic"},
		{name: "wider than a private range", body: network(`"IPAM":{"Config":[{"Subnet":"10.0.0.0/7"}]}`), want: "the host would send its own traffic"},
		{name: "cloud metadata", body: network(`"IPAM":{"Config":[{"Subnet":"169.254.169.0/24"}]}`), want: "the host would send its own traffic"},
		{name: "mapped address", body: network(`"IPAM":{"Config":[{"Subnet":"::ffff:8.8.8.0/120"}]}`), want: "the host would send its own traffic"},
		{name: "private, not the engine's", body: network(`"IPAM":{"Config":[{"Subnet":"10.9.0.0/16"}]}`), want: "--allow-subnet 10.9.0.0/16"},
		{name: "granted subnet", body: network(`"IPAM":{"Config":[{"Subnet":"10.9.1.0/24"}]}`), policy: verdict.Policy{Grants: verdict.Grants{Subnets: []netip.Prefix{netip.MustParsePrefix("10.9.0.0/16")}}}},
		{name: "subnet of the host", body: network(`"IPAM":{"Config":[{"Subnet":"172.31.5.0/24"}]}`), policy: verdict.Policy{Grants: verdict.Grants{HostRoutes: routes}}, want: "the host has a route to 172.31.0.0/16"},
		{name: "subnet around the host's", body: network(`"IPAM":{"Config":[{"Subnet":"172.30.0.0/15"}]}`), policy: verdict.Policy{Grants: verdict.Grants{HostRoutes: routes}}, want: "the host has a route to 172.31.0.0/16"},
		{name: "subnet beside the host's", body: network(`"IPAM":{"Config":[{"Subnet":"172.30.0.0/16"}]}`), policy: verdict.Policy{Grants: verdict.Grants{HostRoutes: routes}}},
		{name: "granted subnet of the host", body: network(`"IPAM":{"Config":[{"Subnet":"172.31.5.0/24"}]}`), policy: verdict.Policy{Grants: verdict.Grants{HostRoutes: routes, Subnets: []netip.Prefix{netip.MustParsePrefix("172.31.0.0/16")}}}},
		{name: "gateway without a subnet", body: network(`"IPAM":{"Config":[{"Gateway":"10.9.0.1"}]}`), want: "it is no subnet"},
		{name: "gateway outside", body: network(`"IPAM":{"Config":[{"Subnet":"172.30.0.0/24","Gateway":"172.30.1.1"}]}`), want: "no address of 172.30.0.0/24"},
		{name: "range outside", body: network(`"IPAM":{"Config":[{"Subnet":"172.30.0.0/24","IPRange":"172.30.0.0/23"}]}`), want: "no part of 172.30.0.0/24"},
		{name: "reserved address outside", body: network(`"IPAM":{"Config":[{"Subnet":"172.30.0.0/24","AuxiliaryAddresses":{"a":"172.30.1.1"}}]}`), want: "no address of 172.30.0.0/24"},
		{name: "the engine's subnets", body: network(`"EnableIPv6":true,"IPAM":{"Driver":"default","Config":[{"Subnet":"172.30.0.0/16","IPRange":"172.30.1.0/24","Gateway":"172.30.0.1","AuxiliaryAddresses":{"a":"172.30.0.2"}},{"Subnet":"fd00:1::/64"},{}]}`)},
		{name: "overlay's subnet without a swarm", body: network(`"Driver":"bridge","IPAM":{"Config":[{"Subnet":"10.0.9.0/24"}]}`), policy: verdict.Policy{Grants: verdict.Grants{Swarm: true}}, want: "--allow-subnet"},
		{name: "overlay's subnet", body: network(`"IPAM":{"Config":[{"Subnet":"10.0.9.0/24"}]},"Driver":"overlay"`), policy: verdict.Policy{Grants: verdict.Grants{Swarm: true}}},
		{name: "ingress", body: network(`"Ingress":true`), want: "Ingress"},
		{name: "swarm scope", body: network(`"Scope":"swarm"`), want: "Scope"},
		{name: "config only", body: network(`"ConfigOnly":true`), want: "ConfigOnly"},
		{name: "config of another", body: network(`"ConfigFrom":{"Network":"victims"}`), want: "ConfigFrom"},
		{name: "config of none", body: network(`"ConfigFrom":{"Network":""},"Attachable":true`)},
		{name: "owner label of another", body: network(`"Labels":{"com.buildkite.sockguard.owner":"them"}`), want: "this socket belongs to"},
	})
}

func TestNetworksJoinTheOperatorsContainer(t *testing.T) {
	p := verdict.Policy{Grants: verdict.Grants{JoinNetwork: "host", JoinAlias: "ci"}}
	made, err := decideOn(p, inventory(), "POST", "/networks/create", `{"Name":"n"}`)
	if err != nil {
		t.Fatal(err)
	}
	removed, err := decideOn(p, inventory(), "DELETE", "/networks/net", "")
	if err != nil {
		t.Fatal(err)
	}
	got := []verdict.EngineCall{made.After[0], removed.Before[0]}
	want := []verdict.EngineCall{
		{Method: "POST", Path: "/networks/{made}/connect", Body: []byte(`{"Container":"` + hexID("3") + `","EndpointConfig":{"Aliases":["ci"]}}`)},
		{Method: "POST", Path: "/networks/" + hexID("c") + "/disconnect", Body: []byte(`{"Container":"` + hexID("3") + `","Force":true}`), Optional: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// An owner's container is not taken for the operator's, whatever it is called.
func TestOwnersContainerIsNotTheOperators(t *testing.T) {
	for _, name := range []string{"web", "victim", "absent"} {
		p := verdict.Policy{Grants: verdict.Grants{JoinNetwork: name}}
		if _, err := decideOn(p, inventory(), "POST", "/networks/create", `{"Name":"n"}`); !strings.Contains(denialOf(err), "is not there") {
			t.Errorf("%s: got %v", name, err)
		}
		if d, err := decideOn(p, inventory(), "DELETE", "/networks/net", ""); err != nil || len(d.Before) > 0 {
			t.Errorf("%s: got %v, %v", name, d, err)
		}
	}
}

func TestConnectNetwork(t *testing.T) {
	testVerdicts(t, "POST", "/networks/net/connect", []verdictVector{
		{name: "own", body: `{"Container":"web"}`},
		{name: "own from bridge", target: "/networks/bridge/disconnect", body: `{"Container":"web","Force":true}`},
		{name: "foreign container", body: `{"Container":"victim"}`, want: "No such container: victim"},
		{name: "foreign container cut off", target: "/networks/net/disconnect", body: `{"Container":"victim"}`, want: "No such container: victim"},
		{name: "foreign network", target: "/networks/victims/connect", body: `{"Container":"web"}`, want: "network victims not found"},
		{name: "operator's network", target: "/networks/corp/connect", body: `{"Container":"web"}`, want: "network corp not found"},
		{name: "host network", target: "/networks/host/connect", body: `{"Container":"web"}`, want: "set it as their network mode"},
		{name: "container in other case", body: `{"Container":"web","container":"victim"}`, want: "engines read it as Container"},
		{name: "nothing", body: `null`, want: "empty container name"},
		{name: "foreign link", body: `{"Container":"web","EndpointConfig":{"Links":["victim:v"]}}`, want: "No such container: victim"},
	})
}

// Engines prefer the NetworkID of the body to the network of the path.
func TestConnectNetworkPins(t *testing.T) {
	out, err := decideOn(verdict.Policy{}, inventory(), "POST", "/networks/net/connect", `{"Container":"web","EndpointConfig":{"NetworkID":"`+hexID("9")+`"}}`)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"Container":"` + hexID("1") + `","EndpointConfig":{"NetworkID":"` + hexID("c") + `"}}`
	if diff := cmp.Diff(want, string(out.Body)); diff != "" || out.Name != hexID("c") {
		t.Errorf("to %s: %s", out.Name, diff)
	}
}

func TestInspectNetwork(t *testing.T) {
	testVerdicts(t, "GET", "/networks/net", []verdictVector{
		{name: "own"},
		{name: "built in", target: "/networks/bridge"},
		{name: "foreign", target: "/networks/victims", want: "network victims not found"},
		{name: "operator's", target: "/networks/corp", want: "network corp not found"},
	})
	out, err := decideOn(verdict.Policy{}, inventory(), "GET", "/networks/bridge", "")
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	answer := `{"Name":"bridge","Containers":{"` + hexID("1") + `":{"Name":"web"},"` + hexID("2") + `":{"Name":"victim"},"ep-1":{"Name":"x"}},"Options":{}}`
	if err := out.Response(&got, strings.NewReader(answer)); err != nil {
		t.Fatal(err)
	}
	var network struct {
		Containers map[string]struct{ Name string }
	}
	if err := json.Unmarshal([]byte(got.String()), &network); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]struct{ Name string }{hexID("1"): {"web"}}, network.Containers); diff != "" {
		t.Error(diff)
	}
	if err := out.Response(&got, strings.NewReader(strings.Repeat(" ", 4<<20+1))); err == nil {
		t.Error("got an endless answer through, want an error")
	}
}
