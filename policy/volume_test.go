package policy

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sockguard/policy/verdict"
)

func TestCreateVolume(t *testing.T) {
	testVerdicts(t, "POST", "/v1.41/volumes/create", []verdictVector{
		{name: "anonymous without a body"},
		{name: "null", body: `null`},
		{name: "new", body: `{"Name":"new","Driver":"local","DriverOpts":null}`},
		{name: "own again", body: `{"Name":"shop_data"}`},
		{name: "foreign", body: `{"Name":"secrets"}`, want: "volume name secrets is taken"},
		{name: "nobody's", body: `{"Name":"old"}`, want: "volume name old is taken"},
		{name: "path for a name", body: `{"Name":"../x"}`, want: "no name for a volume"},
		{name: "bind of the root", body: `{"Name":"v","DriverOpts":{"type":"none","o":"bind","device":"/"}}`, want: "mount it as root"},
		{name: "bind in tmpfs' clothes", body: `{"Name":"v","DriverOpts":{"type":"tmpfs","o":"bind","device":"tmpfs"}}`, want: "mount it as root"},
		{name: "NFS", body: `{"Name":"v","DriverOpts":{"type":"nfs","o":"addr=10.0.0.1","device":":/x"}}`, want: "mount it as root"},
		{name: "overlay", body: `{"Name":"v","DriverOpts":{"type":"overlay","device":"overlay","o":"lowerdir=/etc"}}`, want: "mount it as root"},
		{name: "tmpfs", body: `{"Name":"v","DriverOpts":{"type":"tmpfs","device":"tmpfs","o":"size=100m,uid=1000"}}`},
		{name: "quota", body: `{"Name":"v","DriverOpts":{"size":"1G"}}`},
		{name: "plugin", body: `{"Name":"v","Driver":"sshfs"}`, want: "plugin"},
		{name: "cluster volume", body: `{"Name":"v","ClusterVolumeSpec":{"Group":"g"}}`, want: "ClusterVolumeSpec"},
		{name: "other case", body: `{"Name":"v","driverOpts":{"device":"/"}}`, want: "engines read it as DriverOpts"},
		{name: "owner label of another", body: `{"Labels":{"com.buildkite.sockguard.owner":"them"}}`, want: "this socket belongs to"},
	})
	out, err := decideOn(verdict.Policy{}, inventory(), "POST", "/volumes/create", "")
	if want := `{"Labels":{"com.buildkite.sockguard.owner":"me"}}`; err != nil || string(out.Body) != want {
		t.Errorf("got %s and %v, want %s", out.Body, err, want)
	}
}

func TestMountsOfVolumes(t *testing.T) {
	testVerdicts(t, "POST", createURL, []verdictVector{
		{name: "own", body: host(`"Binds":["shop_data:/x:ro,nocopy"]`)},
		{name: "foreign", body: host(`"Binds":["secrets:/x"]`), want: "volume name secrets is taken"},
		{name: "nobody's", body: host(`"Mounts":[{"Type":"volume","Source":"old","Target":"/x"}]`), want: "volume name old is taken"},
		{name: "volume driver", body: host(`"VolumeDriver":"sshfs","Binds":["v:/x"]`), want: "plugin"},
		{name: "driver options in a mount", body: host(`"Mounts":[{"Type":"volume","Source":"v","Target":"/x","VolumeOptions":{"DriverConfig":{"Name":"local","Options":{"type":"none","o":"bind","device":"/"}}}}]`), want: "mount it as root"},
		{name: "cluster volume", body: host(`"Mounts":[{"Type":"cluster","Source":"v","Target":"/x"}]`), want: "mounts of this type"},
		{name: "owner label of another", body: host(`"Mounts":[{"Type":"volume","Target":"/x","VolumeOptions":{"Labels":{"com.buildkite.sockguard.owner":"them"}}}]`), want: "this socket belongs to"},
	})
}

// A named volume that does not exist is mounted with the owner's label, which the
// engine gives it. In Binds it would get none.
func TestNewVolumesHaveALabel(t *testing.T) {
	_, c := create(t, verdict.Policy{}, host(`"Binds":["v:/a/","v:/b:ro,nocopy,Z"],"Mounts":[{"Type":"volume","Source":"w","Target":"/d/.","VolumeOptions":{"Labels":{"k":"v"}}}]`))
	var got []string
	for _, m := range c.HostConfig.Mounts {
		got = append(got, fmt.Sprint(m.Source, " ", m.Target, " ", m.ReadOnly, " ", m.VolumeOptions.NoCopy, " ", m.VolumeOptions.Labels))
	}
	slices.Sort(got)
	want := []string{
		"v /a false false map[com.buildkite.sockguard.owner:me]", "v /b true true map[com.buildkite.sockguard.owner:me]",
		"w /d false false map[com.buildkite.sockguard.owner:me k:v]",
	}
	if diff := cmp.Diff(want, got); diff != "" || len(c.HostConfig.Binds) > 0 {
		t.Errorf("binds %q, mounts %s", c.HostConfig.Binds, diff)
	}
}
