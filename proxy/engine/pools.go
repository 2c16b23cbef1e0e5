package engine

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
)

// builtinPools are where an engine without a setting of its own takes subnets from.
var builtinPools = []netip.Prefix{
	netip.MustParsePrefix("172.17.0.0/16"), netip.MustParsePrefix("172.18.0.0/15"), netip.MustParsePrefix("172.20.0.0/14"),
	netip.MustParsePrefix("172.24.0.0/13"), netip.MustParsePrefix("192.168.0.0/16"),
}

// AddressPools returns where the engine takes the subnets of new networks from.
func (c *Client) AddressPools(ctx context.Context) ([]netip.Prefix, error) {
	var answer struct{ DefaultAddressPools []struct{ Base netip.Prefix } }
	if err := c.get(ctx, "/info", nil, &answer); err != nil {
		return nil, fmt.Errorf("ask for the engine's address pools: %w", err)
	}
	var pools []netip.Prefix
	for _, p := range answer.DefaultAddressPools {
		pools = append(pools, p.Base.Masked())
	}
	if pools == nil {
		return slices.Clone(builtinPools), nil
	}
	return pools, nil
}
