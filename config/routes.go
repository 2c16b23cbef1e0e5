package config

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
)

// hostRoutes returns where this process has IPv4 routes to, but the default one. They
// are the engine's host's if sockguard runs on that host or in its network.
func hostRoutes() ([]netip.Prefix, error) {
	table, err := os.ReadFile("/proc/net/route")
	switch {
	case errors.Is(err, fs.ErrNotExist): // no IPv4
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("look at the host's routes: %w", err)
	}
	return parseRoutes(table)
}

// parseRoutes reads /proc/net/route: a line of titles, then one line for each route,
// with the destination in the second column and its mask in the eighth.
func parseRoutes(table []byte) (routes []netip.Prefix, err error) {
	_, table, _ = bytes.Cut(table, []byte("\n"))
	for line := range bytes.Lines(table) {
		columns := bytes.Fields(line)
		if len(columns) < 8 {
			return nil, fmt.Errorf("look at the host's routes: %q is no route", line)
		}
		address, err := hex.DecodeString(string(columns[1]))
		mask, err2 := hex.DecodeString(string(columns[7]))
		if err != nil || err2 != nil || len(address) != 4 || len(mask) != 4 {
			return nil, fmt.Errorf("look at the host's routes: %q is no route", line)
		}
		bits := 0
		for m := binary.LittleEndian.Uint32(mask); m != 0; m <<= 1 {
			bits++
		}
		if bits > 0 {
			routes = append(routes, netip.PrefixFrom(netip.AddrFrom4([4]byte{address[3], address[2], address[1], address[0]}), bits))
		}
	}
	return routes, nil
}
