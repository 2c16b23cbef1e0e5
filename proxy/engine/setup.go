package engine

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// A setup is what an engine tells about its settings.
type setup struct {
	several bool           // an image can have several platforms: containerd's store
	pools   []netip.Prefix // where the subnets of new networks come from
	asked   time.Time
}

// builtinPools are the pools of an engine without a setting of its own.
var builtinPools = []netip.Prefix{
	netip.MustParsePrefix("172.17.0.0/16"), netip.MustParsePrefix("172.18.0.0/15"), netip.MustParsePrefix("172.20.0.0/14"),
	netip.MustParsePrefix("172.24.0.0/13"), netip.MustParsePrefix("192.168.0.0/16"),
}

// askSetup returns the engine's settings. It asks at most once a minute.
func (c *Client) askSetup(ctx context.Context) (*setup, error) {
	if s := c.setup.Load(); s != nil && time.Since(s.asked) < infoAge {
		return s, nil
	}
	var answer struct {
		DriverStatus        [][2]string
		DefaultAddressPools []struct{ Base netip.Prefix }
	}
	if err := c.get(ctx, "/info", nil, &answer); err != nil {
		return nil, fmt.Errorf("ask for the engine's settings: %w", err)
	}
	s := &setup{asked: time.Now(), several: slices.ContainsFunc(answer.DriverStatus, func(row [2]string) bool {
		return strings.HasPrefix(row[1], "io.containerd.snapshotter")
	})}
	for _, p := range answer.DefaultAddressPools {
		s.pools = append(s.pools, p.Base.Masked())
	}
	if s.pools == nil {
		s.pools = builtinPools
	}
	c.setup.Store(s)
	return s, nil
}

// AddressPools returns where the engine takes the subnets of new networks from.
func (c *Client) AddressPools(ctx context.Context) ([]netip.Prefix, error) {
	s, err := c.askSetup(ctx)
	if err != nil {
		return nil, err
	}
	return slices.Clone(s.pools), nil
}
