package e2e

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"sockguard/policy"
	"sockguard/policy/verdict"
)

// requestFor is a request on a route that a client could mean well.
func requestFor(r verdict.Route, own string) (query, body string) {
	switch {
	case strings.HasSuffix(r.Pattern, "/archive"):
		query = "?path=/tmp"
	case strings.HasSuffix(r.Pattern, "/rename"):
		query = "?name=renamed"
	case strings.HasSuffix(r.Pattern, "/tag"):
		query = "?repo=tagged"
	case strings.HasSuffix(r.Pattern, "/exec"):
		body = `{"Cmd":["id"]}`
	case strings.HasSuffix(r.Pattern, "connect"):
		body = `{"Container":"` + own + `"}`
	case r.Body == verdict.JSONBody:
		body = `{}`
	}
	return query, body
}

// Every route on one object answers for another owner's, under any of its names,
// as it does for one that does not exist.
func TestForeignIsMissing(t *testing.T) {
	need(t)
	mine, theirs := newGuard(t), newVictim(t)
	own := mine.background(t, "sleep 300")
	cases := 0
	for r := range policy.Routes() {
		kind := between(r.Pattern, "/", "/")
		refs := theirs.refs[kind]
		if !strings.Contains(r.Pattern, "{") || r.Verdict != verdict.Own && r.Verdict != verdict.Use {
			continue
		}
		if refs == nil {
			t.Errorf("%s %s: there is no victim for it", r.Method, r.Pattern)
		}
		query, body := requestFor(r, own)
		if strings.HasSuffix(r.Pattern, "/push") {
			refs = refs[3:] // by ID nothing can be pushed, whoever owns it
		}
		for _, ref := range refs {
			none := missingLike(ref)
			foreign := mine.http(t, r.Method, r.Path(ref)+query, body)
			missing := mine.http(t, r.Method, r.Path(none)+query, body)
			foreign.body = strings.ReplaceAll(foreign.body, ref, "REF")
			missing.body = strings.ReplaceAll(missing.body, none, "REF")
			if foreign != missing || foreign.status != 404 {
				t.Errorf("%s %s: for %s got %+v, for what is missing %+v", r.Method, r.Pattern, ref, foreign, missing)
			}
			cases++
		}
	}
	theirs.unharmed(t)
	t.Logf("%d foreign objects asked for", cases)
}

// A foreign object inside a body or a parameter is missing too. Names of volumes
// and image tags, which are the whole engine's, are taken.
func TestForeignReferencesAreRefused(t *testing.T) {
	need(t)
	mine, theirs := newGuard(t), newVictim(t)
	own := mine.background(t, "sleep 300")
	ownNet := mine.docker(t, "network", "create", "net-"+mine.owner).ok()
	create := func(host string) string {
		return fmt.Sprintf(`{"Image":%q,"HostConfig":{%s}}`, e2e.common, host)
	}
	type request struct{ target, body string }
	var requests []request
	post := func(target, body string) { requests = append(requests, request{target, body}) }
	for _, ref := range theirs.refs["containers"] {
		for _, mode := range []string{"NetworkMode", "IpcMode", "PidMode"} {
			post("/containers/create", create(fmt.Sprintf("%q:%q", mode, "container:"+ref)))
		}
		post("/containers/create", create(fmt.Sprintf(`"VolumesFrom":[%q]`, ref)))
		post("/containers/create", create(fmt.Sprintf(`"Links":[%q]`, ref+":x")))
		post("/networks/"+ownNet+"/connect", fmt.Sprintf(`{"Container":%q}`, ref))
		post("/networks/bridge/disconnect", fmt.Sprintf(`{"Container":%q,"Force":true}`, ref))
		post("/commit?container="+url.QueryEscape(ref), "")
		post("/build?networkmode="+url.QueryEscape("container:"+ref), "")
	}
	for _, ref := range theirs.refs["networks"] {
		post("/containers/create", create(fmt.Sprintf(`"NetworkMode":%q`, ref)))
		post("/containers/create", fmt.Sprintf(`{"Image":%q,"NetworkingConfig":{"EndpointsConfig":{%q:{}}}}`, e2e.common, ref))
		post("/networks/"+ref+"/connect", fmt.Sprintf(`{"Container":%q}`, own))
		post("/build?networkmode="+url.QueryEscape(ref), "")
	}
	for _, ref := range theirs.refs["images"] {
		post("/containers/create", fmt.Sprintf(`{"Image":%q}`, ref))
	}
	for _, field := range []string{`"Binds":["%s:/x"]`, `"Mounts":[{"Type":"volume","Source":"%s","Target":"/x"}]`} {
		post("/containers/create", create(fmt.Sprintf(field, theirs.volume)))
	}
	post("/volumes/create", fmt.Sprintf(`{"Name":%q}`, theirs.volume))
	for _, target := range []string{"/images/" + e2e.common + "/tag?", "/commit?container=" + own + "&", "/images/create?fromSrc=-&"} {
		post(target+"repo=repo-"+theirs.owner+"&tag=v1", "")
	}
	post("/images/create?fromImage=repo-"+theirs.owner+"&tag=v1", "")
	post("/build?t=repo-"+theirs.owner+":v1", "")
	for _, r := range requests {
		got := mine.http(t, "POST", r.target, r.body)
		missing := got.status == 404 || got.status == 400 && !strings.Contains(got.body, "sockguard")
		if !missing && got.status != 403 || strings.Contains(got.body, "tell-") {
			t.Errorf("POST %s %s: got %+v", r.target, r.body, got)
		}
	}
	theirs.unharmed(t)
	t.Logf("%d foreign references sent", len(requests))
}

// Nothing that lists, counts, watches or removes tells of another owner.
func TestNothingLeaks(t *testing.T) {
	need(t)
	start := time.Now()
	mine, theirs := newGuard(t), newVictim(t)
	mine.docker(t, "network", "create", "net-"+mine.owner).ok()
	cases := 0
	for _, target := range []string{
		"GET /containers/json?all=1&size=1", "GET /v1.25/containers/json?all=1", "GET /images/json?all=1&shared-size=1&digests=1", "GET /networks", "GET /v1.25/networks", "GET /networks/",
		"GET /networks/bridge", "GET /networks/bridge?verbose=1", "GET /networks/net-" + mine.owner, "GET /volumes", "GET /system/df", "GET /system/df?type=container&type=image&type=volume&type=build-cache", "GET /info",
		fmt.Sprintf("GET /events?since=%d&until=%d", start.Unix(), time.Now().Unix()+1),
		"POST /containers/prune", "POST /networks/prune", "POST /volumes/prune", `POST /images/prune?filters={"dangling":["false"]}`,
		`GET /containers/json?all=1&filters={"label":["com.buildkite.sockguard.owner=` + theirs.owner + `"]}`,
		`GET /containers/json?all=1&filters={"volume":["` + theirs.volume + `"]}`,
		`GET /containers/json?all=1&filters={"network":["` + theirs.network + `"]}`,
		`GET /containers/json?all=1&filters={"ancestor":["` + theirs.image + `"]}`,
		`GET /volumes?filters={"name":["` + theirs.volume + `"]}`,
		`GET /networks?filters={"id":["` + theirs.network + `"]}`,
		`GET /images/json?filters={"reference":["repo-` + theirs.owner + `"]}`,
		"GET /images/" + e2e.common + "/json", "GET /images/" + e2e.common + "/history",
	} {
		method, path, _ := strings.Cut(target, " ")
		got := mine.http(t, method, strings.NewReplacer(`"`, "%22", "{", "%7B", "}", "%7D").Replace(path), "")
		if got.status != 200 {
			t.Errorf("%s: got %d %s", target, got.status, got.body)
		}
		for _, name := range theirs.names {
			if strings.Contains(got.body, name) {
				t.Errorf("%s tells %s: %.2000s", target, name, got.body)
			}
			cases++
		}
	}
	for _, filter := range []string{"since", "before"} {
		for _, list := range []string{"containers", "images"} {
			for _, ref := range theirs.refs[list] {
				ask := func(ref string) reply {
					got := mine.http(t, "GET", "/"+list+"/json?filters="+url.QueryEscape(`{"`+filter+`":["`+ref+`"]}`), "")
					got.body = strings.ReplaceAll(got.body, ref, "REF")
					return got
				}
				if foreign, missing := ask(ref), ask(missingLike(ref)); foreign != missing {
					t.Errorf("%s %s %s: got %+v, for what is missing %+v", list, filter, ref, foreign, missing)
				}
				cases++
			}
		}
	}
	theirs.unharmed(t)
	t.Logf("%d answers searched", cases)
}

// A container of one's own, called like a part of the victim's ID, stands for
// the victim as soon as it has another name; the guard asks by full ID.
func TestNameThatShadowsAnID(t *testing.T) {
	need(t)
	mine, theirs := newGuard(t), newVictim(t)
	short := theirs.container[:12]
	own := mine.background(t, "sleep 300", "--name", short)
	if got := between(mine.http(t, "GET", "/containers/"+short+"/json", "").body, `"Id":"`, `"`); got != own {
		t.Errorf("by its name one's own container is %q", got)
	}
	mine.docker(t, "rename", own, "renamed-"+mine.owner).ok()
	if got := mine.http(t, "POST", "/containers/"+short+"/kill", ""); got.status != 404 {
		t.Errorf("what was one's own name kills: %+v", got)
	}
	theirs.unharmed(t)
}
