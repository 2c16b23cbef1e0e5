package config

import (
	"fmt"
	"testing"
)

func TestParseRoutes(t *testing.T) {
	const table = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	0100A8C0	0003	0	0	100	00000000	0	0	0
eth0	0000A8C0	00000000	0001	0	0	100	00FFFFFF	0	0	0
docker0	000011AC	00000000	0001	0	0	0	0000FFFF	0	0	0
tun0	0500000A	00000000	0005	0	0	0	FFFFFFFF	0	0	0
`
	got, err := parseRoutes([]byte(table))
	if want := "[192.168.0.0/24 172.17.0.0/16 10.0.0.5/32]"; err != nil || fmt.Sprint(got) != want {
		t.Errorf("got %v and %v, want %s", got, err, want)
	}
	for _, line := range []string{"eth0 1", "eth0 xx 0 0 0 0 0 00000000", "eth0 00 0 0 0 0 0 00"} {
		if got, err := parseRoutes([]byte("titles\n" + line + "\n")); err == nil {
			t.Errorf("%s: got %v", line, got)
		}
	}
}
