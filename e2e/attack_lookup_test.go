package e2e

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"sockguard/e2e/engine"
)

// What COPY --from names is the image that was checked, whatever the name means
// when the step comes, and so is what a trigger names.
func TestAttackCopyFromLater(t *testing.T) {
	ctx := need(t)
	mallory, victim := newGuard(t), newGuard(t)
	secret := victim.builtImage(t, "secret-"+victim.owner)
	harmless := mallory.builtImage(t, "harmless")
	name, base := e2e.name("later-"+mallory.owner), e2e.name("triggers-"+mallory.owner)
	untag(t, name, base)
	for _, dockerfile := range []string{
		"FROM @BASE@\nRUN sleep 6\nCOPY --from=" + name + " / /got/\nCMD [\"cat\", \"/got/said\"]\n",
		"FROM " + base + "\n",
	} {
		mallory.docker(t, "tag", harmless, name).ok()
		p := newProject(t, "-- Dockerfile --\n"+dockerfile+"-- triggers --\nFROM @BASE@\nCMD [\"cat\", \"/got/said\"]\n"+
			"ONBUILD RUN sleep 6\nONBUILD COPY --from="+name+" / /got/\n")
		mallory.docker(t, "build", "-f", p.dir+"/triggers", "-t", base, p.dir).ok()
		built := e2e.name("built-" + p.mark)
		build := mallory.command(t, e2e.docker, "build", "-t", built, p.dir)
		done := make(chan result, 1)
		go func() { done <- finish(t, build) }()
		runningStep(ctx, t, p, "sleep 6")
		mallory.docker(t, "rmi", "--no-prune", name).ok()
		victim.docker(t, "tag", secret, name).ok()
		r := <-done
		r.ok()
		if got := mallory.docker(t, "run", "--rm", built).ok(); got != "harmless" {
			t.Errorf("the build copied %q, want what was in the image when it was checked", got)
		}
		victim.docker(t, "rmi", "--no-prune", name).ok()
	}
}

// swapVolume removes a volume and has the victim make one of the same name. It
// runs beside the test.
func swapVolume(t *testing.T, victim *guard, name string) {
	e2e.engine.VolumeRemove(context.Background(), name, client.VolumeRemoveOptions{})
	if r := victim.docker(t, "volume", "create", name); r.code != 0 {
		t.Errorf("%s: %s", r.line, r.stderr)
	}
}

// exchangeName has the victim give a name that another owner has just taken off.
// It runs beside the test.
func exchangeName(t *testing.T, victim *guard, image, name string) {
	e2e.engine.ImageRemove(context.Background(), name, client.ImageRemoveOptions{})
	takeName(t, victim, image, name)
}

// A container has the volumes and the image that were checked, though all of
// them are exchanged before the engine makes it.
func TestAttackCreateAfterExchange(t *testing.T) {
	ctx := need(t)
	victim := newGuard(t)
	secret := victim.builtImage(t, "secret")
	mallory, tap := newTappedGuard(t)
	volume, image := "swapped-"+mallory.owner, e2e.name("swapped-"+mallory.owner)
	untag(t, image)
	for _, tt := range []struct {
		name, body string
		swap       func()
	}{
		{"volume of Binds", `{"Image":%q,"HostConfig":{"Binds":["%s:/v"]}}`, func() { swapVolume(t, victim, volume) }},
		{"volume of Mounts", `{"Image":%q,"HostConfig":{"Mounts":[{"Type":"volume","Source":%q,"Target":"/v"}]}}`, func() { swapVolume(t, victim, volume) }},
		{"removed volume of Binds", `{"Image":%q,"HostConfig":{"Binds":["%s:/v"]}}`, func() {
			e2e.engine.VolumeRemove(ctx, volume, client.VolumeRemoveOptions{})
		}},
		{"removed volume of Mounts", `{"Image":%q,"HostConfig":{"Mounts":[{"Type":"volume","Source":%q,"Target":"/v"}]}}`, func() {
			e2e.engine.VolumeRemove(ctx, volume, client.VolumeRemoveOptions{})
		}},
		{"image", `{"Image":%q,"Labels":{"v":%q}}`, func() { exchangeName(t, victim, secret, image) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e2e.engine.VolumeRemove(ctx, volume, client.VolumeRemoveOptions{})
			mallory.docker(t, "volume", "create", volume).ok()
			e2e.unguarded(t, "tag", mallory.builtImage(t, "harmless"), image)
			tap.between("POST", "/containers/create", tt.swap)
			got := mallory.http(t, "POST", "/containers/create", fmt.Sprintf(tt.body, image, volume))
			tap.passed(t)
			mine, err := e2e.engine.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: client.Filters{}.Add("label", engine.OwnerLabel+"="+mallory.owner)})
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range mine.Items {
				mallory.checkMade(t, c)
				e2e.discard(t, c.ID)
			}
			if got.status == 201 && len(mine.Items) == 0 {
				t.Errorf("got %+v and no container", got)
			}
			left, err := e2e.engine.VolumeInspect(ctx, volume, client.VolumeInspectOptions{})
			if owner := left.Volume.Labels[engine.OwnerLabel]; err == nil && owner != mallory.owner && owner != victim.owner {
				t.Errorf("the volume %s has owner %q", volume, owner)
			}
			e2e.engine.VolumeRemove(ctx, volume, client.VolumeRemoveOptions{})
		})
	}
}

// checkMade fails the test if a container of the owner's has an image or a
// volume that is not the owner's.
func (g *guard) checkMade(t *testing.T, c container.Summary) {
	t.Helper()
	if owner := ownerOf(t, "image", c.ImageID); owner != g.owner {
		t.Errorf("the container is made of an image of owner %q", owner)
	}
	for _, m := range c.Mounts {
		if m.Type != "volume" {
			continue
		}
		if owner := ownerOf(t, "volume", m.Name); owner != g.owner {
			t.Errorf("the container has the volume %s of owner %q", m.Name, owner)
		}
	}
}

// A mounted image is the one that was checked.
func TestAttackImageMountAfterExchange(t *testing.T) {
	need(t)
	if v := e2e.unguarded(t, "version", "-f", "{{.Server.APIVersion}}"); len(v) < 4 || v < "1.48" {
		t.Skip("LEFT OUT: the engine mounts no images")
	}
	victim := newGuard(t)
	secret := victim.builtImage(t, "secret")
	mallory, tap := newTappedGuard(t)
	name := e2e.name("mounted-" + mallory.owner)
	untag(t, name)
	mallory.docker(t, "tag", mallory.builtImage(t, "harmless"), name).ok()
	tap.between("POST", "/containers/create", func() { exchangeName(t, victim, secret, name) })
	got := mallory.http(t, "POST", "/containers/create", fmt.Sprintf(`{"Image":%q,"Cmd":["cat","/v/said"],"HostConfig":{"Mounts":[{"Type":"image","Source":%q,"Target":"/v"}]}}`, e2e.common, name))
	tap.passed(t)
	if id := between(got.body, `"Id":"`, `"`); id != "" {
		if said := mallory.docker(t, "start", "-a", id).stdout; strings.Contains(said, "secret") {
			t.Error("the container has the victim's image mounted")
		}
	}
}

// A save holds the images that were checked.
func TestAttackSaveAfterExchange(t *testing.T) {
	need(t)
	victim := newGuard(t)
	secret := victim.builtImage(t, "secret")
	secretID := strings.TrimPrefix(imageID(t, secret), "sha256:")
	mallory, tap := newTappedGuard(t)
	harmless := mallory.builtImage(t, "harmless")
	for _, target := range []string{"/images/get?names=", "/images/*/get"} {
		name := "save-" + mallory.owner + ":1"
		untag(t, name)
		mallory.docker(t, "tag", harmless, name).ok()
		path := strings.Replace(target, "*", name, 1)
		if path == target {
			path += url.QueryEscape(name)
		}
		tap.between("GET", "/get", func() { exchangeName(t, victim, secret, name) })
		got := mallory.http(t, "GET", path, "")
		tap.passed(t)
		if strings.Contains(got.body, secretID) {
			t.Errorf("GET %s: the archive holds the victim's image", path)
		}
		e2e.unguarded(t, "rmi", "--no-prune", name)
	}
	archive := []byte(mallory.docker(t, "save", harmless).exits(0).stdout)
	if files := unpacked(t, archive); !strings.Contains(files["manifest.json"], `"`+harmless+`"`) {
		t.Errorf("a saved image has lost its name: %s", files["manifest.json"])
	}
}

// Lists whose every element is looked up are short: they are the time between
// the first look and the use.
func TestAttackLongLists(t *testing.T) {
	need(t)
	g := newGuard(t)
	g.background(t, "sleep 300", "--name", "c-"+g.owner)
	g.docker(t, "volume", "create", "v-"+g.owner).ok()
	list := func(element string) string {
		var all []string
		for i := range 1000 {
			all = append(all, strings.ReplaceAll(element, "#", fmt.Sprint(i)))
		}
		return strings.Join(all, ",")
	}
	create := func(host string) string { return `{"Image":"` + e2e.common + `","HostConfig":{` + host + `}}` }
	for what, r := range map[string][2]string{
		"VolumesFrom": {"/containers/create", create(`"VolumesFrom":[` + list(`"c-`+g.owner+`"`) + `]`)},
		"Binds":       {"/containers/create", create(`"Binds":[` + list(`"v-`+g.owner+`:/#"`) + `]`)},
		"Mounts":      {"/containers/create", create(`"Mounts":[` + list(`{"Type":"volume","Source":"v-`+g.owner+`","Target":"/#"}`) + `]`)},
		"Volumes":     {"/containers/create", `{"Image":"` + e2e.common + `","Volumes":{` + list(`"/#":{}`) + `}}`},
		"Links":       {"/containers/create", create(`"Links":[` + list(`"c-`+g.owner+`:a#"`) + `]`)},
	} {
		if got := g.http(t, "POST", r[0], r[1]); got.status != 400 && got.status != 403 || !strings.Contains(got.body, "sockguard") {
			t.Errorf("a thousand %s: got %d %.300s", what, got.status, got.body)
		}
	}
	p := newProject(t, "-- Dockerfile --\nFROM @BASE@\n")
	for _, flag := range []string{"--cache-from=" + e2e.common, "--tag=" + e2e.name("many-"+g.owner) + "-#"} {
		args := strings.Split(list(flag), ",")
		g.docker(t, append(append([]string{"build"}, args...), p.dir)...).fails("sockguard")
	}
	if got := g.http(t, "GET", "/images/get?names="+strings.ReplaceAll(list(e2e.common), ",", "&names="), ""); got.status != 400 && got.status != 403 {
		t.Errorf("a thousand names to save: got %d", got.status)
	}
}

// The operator's container is found once: who takes its name while it is down is
// joined to nothing.
func TestAttackNameOfTheJoinedContainer(t *testing.T) {
	ctx := need(t)
	for _, flag := range []string{"--join-network", "--link"} {
		t.Run(flag, func(t *testing.T) {
			name := "operator-" + strings.ToLower(t.Name()[len(t.Name())-4:]) + "-" + e2e.run
			operator := e2e.unguarded(t, "run", "-d", "--name", name, e2e.common, "sleep", "300")
			mallory, victim := newGuard(t, flag, name), newGuard(t, flag, name)
			squatter := mallory.docker(t, "run", "-d", e2e.common, "sleep", "300").ok()
			before, after := "before-"+victim.owner, "after-"+victim.owner
			victim.docker(t, "network", "create", before).ok()
			if !joined(t, before, operator) {
				t.Fatal("the operator's container did not join a network")
			}
			e2e.discard(t, operator)
			mallory.docker(t, "rename", squatter, name)
			victim.docker(t, "network", "create", after)
			if joined(t, after, squatter) {
				t.Error("another owner's container joined the victim's network")
			}
			if r := victim.docker(t, "run", "-d", "--network", before, e2e.common, "sleep", "300"); r.code == 0 {
				if links := e2e.unguarded(t, "inspect", "-f", "{{.HostConfig.Links}}{{range .NetworkSettings.Networks}}{{.Links}}{{end}}", strings.TrimSpace(r.stdout)); strings.Contains(links, name) || strings.Contains(links, squatter) {
					t.Errorf("the victim's container is linked to another owner's: %s", links)
				}
			}
			e2e.discard(t, squatter)
			e2e.engine.NetworkRemove(ctx, after, client.NetworkRemoveOptions{})
			again := e2e.unguarded(t, "run", "-d", "--name", name, e2e.common, "sleep", "300")
			defer e2e.discard(t, again)
			victim.docker(t, "network", "create", after).ok()
			if !joined(t, after, again) {
				t.Error("the operator's new container does not join a network")
			}
			e2e.unguarded(t, "network", "disconnect", "-f", after, again)
		})
	}
}

func joined(t *testing.T, network, container string) bool {
	t.Helper()
	r := finish(t, engineGuard().command(t, e2e.docker, "network", "inspect", "-f", "{{json .Containers}}", network))
	return strings.Contains(r.stdout, container)
}

// A guard asks for names that nobody can foresee: objects of the names that
// another guard has asked for harm none.
func TestAttackProbes(t *testing.T) {
	need(t)
	first, tap := newTappedGuard(t)
	missing := map[string]string{"containers": "/json", "volumes": "", "networks": "", "images": "/json", "exec": "/json"}
	ask := func(g *guard, kind, ref string) int {
		return g.http(t, "GET", "/"+kind+"/"+ref+missing[kind], "").status
	}
	mallory := newGuard(t)
	for kind := range missing {
		ref := strings.Repeat("ab", 32)
		if kind != "exec" {
			ref = "missing-" + first.owner
		}
		if got := ask(first, kind, ref); got != 404 {
			t.Errorf("a missing one of %s: got %d", kind, got)
		}
		ask(first, "images", "missing-"+first.owner+":v1")
	}
	for _, path := range tap.asked {
		kind, name, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
		name = strings.TrimSuffix(name, "/json")
		if _, ok := missing[kind]; !ok || strings.Contains(name, "missing-") || name == "json" || kind == "exec" {
			continue
		}
		switch kind {
		case "containers":
			mallory.docker(t, "create", "--name", name, e2e.common)
		case "volumes":
			mallory.docker(t, "volume", "create", name)
		case "networks":
			mallory.docker(t, "network", "create", name)
		case "images":
			mallory.docker(t, "tag", mallory.builtImage(t, "probe"), name)
		}
	}
	later := newGuard(t)
	for kind := range missing {
		if kind == "exec" {
			continue
		}
		for _, ref := range []string{"none-" + later.owner, "none-" + later.owner + ":v1"} {
			if strings.Contains(ref, ":") && kind != "images" {
				continue
			}
			if got := ask(later, kind, ref); got != 404 {
				t.Errorf("a missing one of %s, asked of a guard that was started later: got %d", kind, got)
			}
		}
	}
}

// A network whose name is the ID of another owner's network leads nowhere, for
// the operator's container neither.
func TestAttackNetworkCalledLikeAnID(t *testing.T) {
	need(t)
	operator := e2e.unguarded(t, "run", "-d", e2e.common, "sleep", "300")
	mallory, victim := newGuard(t, "--join-network", operator[:12]), newGuard(t)
	t.Cleanup(func() { e2e.discard(t, operator) }) // before the guards' networks
	theirs := victim.docker(t, "network", "create", "net-"+victim.owner).ok()
	made := mallory.docker(t, "network", "create", theirs)
	if made.code != 0 {
		t.Log("such names are refused: ", made.stderr)
		return
	}
	own := strings.TrimSpace(made.stdout)
	stopped := mallory.docker(t, "create", e2e.common, "sleep", "300").ok()
	running := mallory.background(t, "sleep 300")
	for _, ref := range []string{own, theirs, own[:12]} {
		for _, container := range []string{stopped, running} {
			mallory.http(t, "POST", "/networks/"+ref+"/connect", fmt.Sprintf(`{"Container":%q}`, container))
		}
		for _, body := range []string{
			`{"Image":%q,"Cmd":["sleep","300"],"HostConfig":{"NetworkMode":%q}}`,
			`{"Image":%q,"Cmd":["sleep","300"],"NetworkingConfig":{"EndpointsConfig":{%q:{}}}}`,
		} {
			if id := between(mallory.http(t, "POST", "/containers/create", fmt.Sprintf(body, e2e.common, ref)).body, `"Id":"`, `"`); id != "" {
				mallory.docker(t, "start", id)
			}
		}
	}
	mallory.docker(t, "start", stopped)
	mallory.docker(t, "restart", "-t", "0", running)
	if got := e2e.unguarded(t, "network", "inspect", "-f", "{{json .Containers}}", theirs); got != "{}" {
		t.Errorf("containers in the victim's network: %s", got)
	}
}

// What begins the IDs of several objects of others answers like what is missing.
func TestAttackAmbiguousID(t *testing.T) {
	need(t)
	mallory, victim := newGuard(t), newGuard(t)
	for range 17 { // two of them begin alike
		victim.docker(t, "create", e2e.common, "true").ok()
	}
	for i := range 17 {
		id := e2e.unguarded(t, "network", "create", "--subnet", fmt.Sprintf("10.211.%d.0/29", i), fmt.Sprintf("a%d-%s", i, victim.owner))
		t.Cleanup(func() {
			e2e.engine.NetworkRemove(context.Background(), id, client.NetworkRemoveOptions{})
		})
	}
	for _, kind := range []string{"containers", "networks", "images"} {
		path := map[string]string{"containers": "/json", "images": "/json"}[kind]
		for _, digit := range strings.Split("0123456789abcdef", "") {
			// What is shared and the only one that begins so is found.
			if got := mallory.http(t, "GET", "/"+kind+"/"+digit+path, ""); got.status != 404 && (got.status != 200 || kind == "containers") {
				t.Errorf("GET /%s/%s%s: got %d %s", kind, digit, path, got.status, got.body)
			}
		}
	}
}
