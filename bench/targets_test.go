package main

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestJudge(t *testing.T) {
	plain, zipped := &buildContext{Shape: large}, &buildContext{Shape: large, Codec: "gzip"}
	r := report{
		Memory: []memoryPoint{
			{Contender: guardName, What: "1 MiB", Kind: buildKind, Builds: 1, Bytes: 30 * mib},
			{Contender: guardName, What: "2 MiB", Kind: buildKind, Builds: 1, Bytes: 20 * mib},
			{Contender: beforeName, What: "1 MiB", Kind: buildKind, Builds: 8, Bytes: 90 * mib},
			{Contender: guardName, What: "64 clients", Kind: requestsKind, Error: "it ended"},
			{Contender: guardName, What: "9 idle attaches", Kind: idleKind, Bytes: 32 << 10},
		},
		Contexts: []line{
			{Contender: guardName, What: "plain", Context: plain, Rate: 5, OfDirect: 0.75, Guard: 1},
			{Contender: beforeName, What: "plain", Context: plain, Rate: 5, OfDirect: 0.75, Guard: 1},
			{Contender: haproxyName, What: "plain", Context: plain, Rate: 3, Guard: 1.5},
			{Contender: reverseProxyName, What: "plain", Context: plain, Rate: 4, Guard: 1.3},
			{Contender: "refuses", What: "plain", Context: plain, Error: "413"},
			{Contender: guardName, What: "zipped", Context: zipped, Rate: 5, OfDirect: 1.1, Guard: 1},
			{Contender: haproxyName, What: "zipped", Context: zipped, Rate: 5, Guard: 1},
		},
		Requests: []line{
			{Contender: guardName, What: "ping", Rate: 5, Guard: 1},
			{Contender: guardName, What: "list", Error: "answer 500"},
			{Contender: reverseProxyName, What: "ping", Rate: 5, Guard: 1.1},
			{Contender: reverseProxyName, What: "list", Rate: 5},
			{Contender: haproxyName, What: "ping", Rate: 5, Guard: 0.5},
			{Contender: haproxyName, What: "list", Rate: 5, Guard: 2},
		},
		Streams: []line{
			{Contender: reverseProxyName, What: echoName, Rate: 5, Guard: 0.8},
		},
	}
	want := []target{
		{"no failure, list", "answer 500", false},
		{"at most 24 MiB for one build of any size", "30 MiB (1 MiB)", false},
		{"at most 32 MiB for requests", "it ended (64 clients)", false},
		{"at most 32 KiB for an idle attach", "32 KiB (9 idle attaches)", true},
		{"at least 0.70 of direct, plain", "0.75", true},
		{"at least 1.40 of the best other (Go ReverseProxy), plain", "1.30", false},
		{"at least 1.00 of direct, zipped", "1.10", true},
		{"at least 1.00 of Go ReverseProxy, ping", "1.10", true},
		{"at least 1.00 of Go ReverseProxy, list", "0.00", false},
		{"at least 0.80 of HAProxy, geometric mean of all requests", "1.00", true},
		{"at least 0.90 of Go ReverseProxy, exec echo", "0.80", false},
	}
	if diff := cmp.Diff(want, r.judge()); diff != "" {
		t.Errorf("targets (-want +got):\n%s", diff)
	}
}

// TestMedianOfFailures has most rounds fail: a contender without a rate must not
// look fast.
func TestMedianOfFailures(t *testing.T) {
	worked, failed := sample{units: 10, seconds: 1}, sample{seconds: math.Inf(1)}
	for _, tt := range []struct {
		a, b []sample
		want float64
	}{
		{[]sample{worked, worked, failed}, []sample{worked, worked, worked}, 1},
		{[]sample{failed, failed, worked}, []sample{worked, worked, worked}, 0},
		{[]sample{worked, worked, worked}, []sample{failed, worked, failed}, 0},
		{[]sample{failed, failed, failed}, []sample{failed, failed, failed}, 0},
	} {
		if got := medianRatio(tt.a, tt.b); got != tt.want {
			t.Errorf("the ratio is %v, want %v", got, tt.want)
		}
	}
}
