package policy

import (
	"net/url"
	"testing"

	"sockguard/policy/verdict"
)

// ps runs on the host, and the engine finds the container's lines by a title.
func TestTop(t *testing.T) {
	top := func(args string) string { return "/containers/web/top?ps_args=" + url.QueryEscape(args) }
	var vectors []verdictVector
	for _, args := range []string{
		"", "aux", "auxww", "axjf", "waux", "-ef", "-efww", "-eLf", "-A", "-eo pid,comm", "-eopid,comm", "-o pid,%cpu,cmd",
		"axo user,pid,args --sort -rss,+pid", "-eo ppid,pid,lstart,args",
		"-aux", "-auxww", "-ef --forest", "-o etime,pid,cmd", "-eo user,%cpu,%mem,pid,args",
	} {
		vectors = append(vectors, verdictVector{name: "passes " + args, target: top(args)})
	}
	for _, args := range []string{
		"e", "-ef e", "auxe", "-auxe", "-ef -aux", "axE", "axh", "axm", "-eM", "-eo uid=PID -o args fe", "-eo args,pid", "-eo user,comm", "-eo pid,environ", "-eo pid,,comm",
		"-eo", "-o", "-", "--", "1", "-p 1", "-q1", "-C sh", "-u root", "--no-headers", "--cols 9999999", "--sort", "--sort x", "-eo pid:9999999",
		"-eo %p", "-eo pid\n-f", "-ef\t", "-ef\u00a0", "-eo PID", "-O pid", "-ef;id", "k pid",
	} {
		vectors = append(vectors, verdictVector{name: "refused " + args, target: top(args), want: "ps runs on the host"})
	}
	vectors = append(vectors, verdictVector{name: "foreign", target: "/containers/victim/top", want: "No such container: victim"})
	testVerdicts(t, "GET", "", vectors)

	out, err := decideOn(verdict.Policy{}, inventory(), "GET", top("  -eo   pid,comm "), "")
	if err != nil || out.Query.Get("ps_args") != "-eo pid,comm" || out.Name != hexID("1") {
		t.Errorf("got %+v and %v, want the words between single blanks", out, err)
	}
	if out, _ := decideOn(verdict.Policy{}, inventory(), "GET", top("-aux"), ""); out == nil || out.Query.Get("ps_args") != "aux" {
		t.Errorf("got %+v, want aux", out)
	}
}
