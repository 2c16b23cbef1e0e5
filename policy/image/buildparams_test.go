package image

import (
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sockguard/policy/verdict"
)

func TestBuildLimits(t *testing.T) {
	ceilings := verdict.Grants{MaxMemory: 1 << 30, MaxNanoCPUs: 1.5e9}
	for _, tt := range []struct {
		name        string
		grants      verdict.Grants
		query, want string // want "" is a denial
	}{
		{name: "no ceilings", query: "memory=5&cpuquota=7", want: "cpuquota=7&memory=5"},
		{name: "asks for nothing", grants: ceilings, want: "cpuperiod=100000&cpuquota=150000&memory=1073741824"},
		{name: "asks for less", grants: ceilings, query: "memory=1000&cpuquota=1000&cpuperiod=1000", want: "cpuperiod=1000&cpuquota=1000&memory=1000"},
		{name: "more memory", grants: ceilings, query: "memory=1073741825"},
		{name: "endless swap", grants: ceilings, query: "memory=1000&memswap=-1"},
		{name: "more CPUs", grants: ceilings, query: "cpuquota=150001"},
		{name: "no number", query: "memory=1g"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			query, err := url.ParseQuery(tt.query)
			if err != nil {
				t.Fatal(err)
			}
			c := &verdict.Case{Policy: &verdict.Policy{Grants: tt.grants}, Request: &verdict.Request{Query: query}, Out: &verdict.Decision{Query: query}}
			err = limit(c)
			if (err != nil) != (tt.want == "" && tt.query != "") {
				t.Fatalf("got %v", err)
			}
			if err == nil {
				if diff := cmp.Diff(tt.want, c.Out.Query.Encode()); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}
