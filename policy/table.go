package policy

import (
	"fmt"

	"sockguard/policy/container"
	"sockguard/policy/image"
	"sockguard/policy/network"
	"sockguard/policy/swarm"
	"sockguard/policy/verdict"
	"sockguard/policy/volume"
)

// table is every route of Engine 20.10 to 29, with a verdict. Order matters
// where patterns overlap, and is the engine's own.
var table = []verdict.Route{
	// System.
	{Method: "GET", Pattern: "/_ping", Verdict: verdict.Pass, Decide: ping},
	{Method: "HEAD", Pattern: "/_ping", Verdict: verdict.Pass, Decide: ping},
	{Method: "GET", Pattern: "/version", Verdict: verdict.Pass, Decide: pass},
	{Method: "GET", Pattern: "/info", Verdict: verdict.List, Decide: info},
	{Method: "GET", Pattern: "/events", Verdict: verdict.List, Params: "since until filters", Decide: events},
	{Method: "GET", Pattern: "/system/df", Verdict: verdict.List, Params: "type verbose", Decide: diskUsage},
	{Method: "POST", Pattern: "/auth", Verdict: verdict.Pass, Body: verdict.JSONBody, Decide: image.Auth},
	{Method: "OPTIONS", Pattern: "/{name}", Verdict: verdict.Local, Decide: pass},

	// Containers. Checkpoints name directories of the host.
	{Method: "GET", Pattern: "/containers/{name}/checkpoints", Verdict: verdict.Refuse, Params: "dir", Refusal: checkpoints},
	{Method: "POST", Pattern: "/containers/{name}/checkpoints", Verdict: verdict.Refuse, Body: verdict.JSONBody, Refusal: checkpoints},
	{Method: "DELETE", Pattern: "/containers/{id}/checkpoints/{id}", Verdict: verdict.Refuse, Params: "dir", Refusal: checkpoints},
	{Method: "HEAD", Pattern: "/containers/{name}/archive", Verdict: verdict.Own, Params: "path", Decide: own(verdict.Container)},
	{Method: "GET", Pattern: "/containers/json", Verdict: verdict.List, Params: "all limit size filters since before", Decide: listContainers},
	{Method: "GET", Pattern: "/containers/{name}/export", Verdict: verdict.Own, Decide: own(verdict.Container)},
	{Method: "GET", Pattern: "/containers/{name}/changes", Verdict: verdict.Own, Decide: own(verdict.Container)},
	{Method: "GET", Pattern: "/containers/{name}/json", Verdict: verdict.Own, Params: "size", Decide: own(verdict.Container)},
	{Method: "GET", Pattern: "/containers/{name}/top", Verdict: verdict.Own, Params: "ps_args", Decide: container.Top},
	{Method: "GET", Pattern: "/containers/{name}/logs", Verdict: verdict.Own, Params: "follow stdout stderr since until timestamps tail details", Decide: own(verdict.Container)},
	{Method: "GET", Pattern: "/containers/{name}/stats", Verdict: verdict.Own, Params: "stream one-shot", Decide: own(verdict.Container)},
	{Method: "GET", Pattern: "/containers/{name}/attach/ws", Verdict: verdict.Own, Params: "detachKeys logs stream stdin stdout stderr", Hijack: true, Decide: own(verdict.Container)},
	{Method: "GET", Pattern: "/exec/{name}/json", Verdict: verdict.Own, Decide: own(verdict.Exec)},
	{Method: "GET", Pattern: "/containers/{name}/archive", Verdict: verdict.Own, Params: "path", Decide: own(verdict.Container)},
	{Method: "POST", Pattern: "/containers/create", Verdict: verdict.Make, Params: "name platform", Body: verdict.JSONBody, Decide: container.Create},
	{Method: "POST", Pattern: "/containers/{name}/kill", Verdict: verdict.Own, Params: "signal", Decide: own(verdict.Container)},
	{Method: "POST", Pattern: "/containers/{name}/pause", Verdict: verdict.Own, Decide: own(verdict.Container)},
	{Method: "POST", Pattern: "/containers/{name}/unpause", Verdict: verdict.Own, Decide: own(verdict.Container)},
	{Method: "POST", Pattern: "/containers/{name}/restart", Verdict: verdict.Own, Params: "signal t timeout", Decide: container.Start},
	{Method: "POST", Pattern: "/containers/{name}/stop", Verdict: verdict.Own, Params: "signal t timeout", Decide: own(verdict.Container)},
	{Method: "POST", Pattern: "/containers/{name}/start", Verdict: verdict.Own, Params: "detachKeys checkpoint checkpoint-dir", Decide: container.Start},
	{Method: "POST", Pattern: "/containers/{name}/wait", Verdict: verdict.Own, Params: "condition", Decide: own(verdict.Container)},
	{Method: "POST", Pattern: "/containers/{name}/resize", Verdict: verdict.Own, Params: "h w", Decide: own(verdict.Container)},
	{Method: "POST", Pattern: "/containers/{name}/attach", Verdict: verdict.Own, Params: "detachKeys logs stream stdin stdout stderr", Hijack: true, Decide: own(verdict.Container)},
	{Method: "POST", Pattern: "/containers/{name}/copy", Verdict: verdict.Refuse, Body: verdict.JSONBody, Refusal: oldCopy},
	{Method: "POST", Pattern: "/containers/{name}/exec", Verdict: verdict.Own, Body: verdict.JSONBody, Decide: container.CreateExec},
	{Method: "POST", Pattern: "/exec/{name}/start", Verdict: verdict.Own, Body: verdict.JSONBody, Hijack: true, Decide: container.StartExec},
	{Method: "POST", Pattern: "/exec/{name}/resize", Verdict: verdict.Own, Params: "h w", Decide: own(verdict.Exec)},
	{Method: "POST", Pattern: "/containers/{name}/rename", Verdict: verdict.Own, Params: "name", Decide: container.Rename},
	{Method: "POST", Pattern: "/containers/{name}/update", Verdict: verdict.Own, Body: verdict.JSONBody, Decide: container.Update},
	{Method: "POST", Pattern: "/containers/prune", Verdict: verdict.List, Params: "filters", Decide: (*verdict.Case).FilterByOwner},
	{Method: "POST", Pattern: "/commit", Verdict: verdict.Make, Params: "container repo tag comment author pause changes", Body: verdict.JSONBody, Decide: image.Commit},
	{Method: "PUT", Pattern: "/containers/{name}/archive", Verdict: verdict.Own, Params: "path noOverwriteDirNonDir copyUIDGID", Body: verdict.TarBody, Decide: own(verdict.Container)},
	{Method: "DELETE", Pattern: "/containers/{name}", Verdict: verdict.Own, Params: "v force link", Decide: container.Remove},

	// Images.
	{Method: "GET", Pattern: "/images/json", Verdict: verdict.List, Params: "all filters filter shared-size digests manifests identity", Decide: listImages},
	{Method: "GET", Pattern: "/images/search", Verdict: verdict.Pass, Params: "term limit filters", Decide: image.Search},
	{Method: "GET", Pattern: "/images/get", Verdict: verdict.Use, Params: "names platform", Decide: image.SaveAll},
	{Method: "GET", Pattern: "/images/{name}/get", Verdict: verdict.Use, Params: "platform", Decide: image.Save},
	{Method: "GET", Pattern: "/images/{name}/history", Verdict: verdict.Use, Params: "platform", Decide: image.Read},
	{Method: "GET", Pattern: "/images/{name}/json", Verdict: verdict.Use, Params: "manifests platform", Decide: image.Read},
	{Method: "GET", Pattern: "/images/{name}/attestations", Verdict: verdict.Use, Params: "platform type statement", Decide: image.Read},
	{Method: "POST", Pattern: "/images/load", Verdict: verdict.Make, Params: "quiet platform", Body: verdict.TarBody, Decide: image.Load},
	{Method: "POST", Pattern: "/images/create", Verdict: verdict.Make, Params: "fromImage fromSrc repo tag message changes platform", Body: verdict.TarBody, Decide: image.Create},
	{Method: "POST", Pattern: "/images/{name}/push", Verdict: verdict.Use, Params: "tag platform", Decide: image.Push},
	{Method: "POST", Pattern: "/images/{name}/tag", Verdict: verdict.Use, Params: "repo tag force", Decide: image.Tag},
	{Method: "POST", Pattern: "/images/prune", Verdict: verdict.List, Params: "filters", Decide: (*verdict.Case).FilterByOwner},
	{Method: "DELETE", Pattern: "/images/{name}", Verdict: verdict.Own, Params: "force noprune platforms", Decide: image.Remove},
	{Method: "GET", Pattern: "/distribution/{name}/json", Verdict: verdict.Pass, Decide: image.Distribution},

	// Builds.
	{Method: "POST", Pattern: "/build", Verdict: verdict.Make, Params: image.BuildParams, Body: verdict.BuildBody, Decide: image.Build},
	{Method: "POST", Pattern: "/build/prune", Verdict: verdict.Refuse, Params: "all filters keep-storage reserved-space max-used-space min-free-space", Refusal: buildCache},
	{Method: "POST", Pattern: "/build/cancel", Verdict: verdict.Refuse, Params: "id", Refusal: buildKit},
	{Method: "POST", Pattern: "/session", Verdict: verdict.Refuse, Hijack: true, Refusal: buildKit},
	{Method: "POST", Pattern: "/grpc", Verdict: verdict.Refuse, Hijack: true, Refusal: buildKit},

	// Volumes.
	{Method: "GET", Pattern: "/volumes", Verdict: verdict.List, Params: "filters", Decide: (*verdict.Case).FilterByOwner},
	{Method: "POST", Pattern: "/volumes/create", Verdict: verdict.Make, Body: verdict.JSONBody, Decide: volume.Create},
	{Method: "POST", Pattern: "/volumes/prune", Verdict: verdict.List, Params: "filters", Decide: (*verdict.Case).FilterByOwner},
	{Method: "GET", Pattern: "/volumes/{name}", Verdict: verdict.Own, Decide: own(verdict.Volume)},
	{Method: "PUT", Pattern: "/volumes/{name}", Verdict: verdict.Refuse, Params: "version", Body: verdict.JSONBody, Refusal: clusterVolumes},
	{Method: "DELETE", Pattern: "/volumes/{name}", Verdict: verdict.Own, Params: "force", Decide: own(verdict.Volume)},

	// Networks.
	{Method: "GET", Pattern: "/networks", Verdict: verdict.List, Params: "filters", Decide: listNetworks},
	{Method: "GET", Pattern: "/networks/", Verdict: verdict.List, Params: "filters", Decide: listNetworks},
	{Method: "GET", Pattern: "/networks/{name}", Verdict: verdict.Use, Params: "verbose scope", Decide: network.Inspect},
	{Method: "POST", Pattern: "/networks/create", Verdict: verdict.Make, Body: verdict.JSONBody, Decide: network.Create},
	{Method: "POST", Pattern: "/networks/{name}/connect", Verdict: verdict.Use, Body: verdict.JSONBody, Decide: network.Connect},
	{Method: "POST", Pattern: "/networks/{name}/disconnect", Verdict: verdict.Use, Body: verdict.JSONBody, Decide: network.Disconnect},
	{Method: "POST", Pattern: "/networks/prune", Verdict: verdict.List, Params: "filters", Decide: (*verdict.Case).FilterByOwner},
	{Method: "DELETE", Pattern: "/networks/{name}", Verdict: verdict.Own, Decide: network.Remove},

	// Plugins run as root on the host.
	{Method: "GET", Pattern: "/plugins", Verdict: verdict.Refuse, Params: "filters", Refusal: plugins},
	{Method: "GET", Pattern: "/plugins/{name}/json", Verdict: verdict.Refuse, Decide: missPlugin},
	{Method: "GET", Pattern: "/plugins/privileges", Verdict: verdict.Refuse, Params: "remote", Refusal: plugins},
	{Method: "DELETE", Pattern: "/plugins/{name}", Verdict: verdict.Refuse, Params: "force", Refusal: plugins},
	{Method: "POST", Pattern: "/plugins/{name}/enable", Verdict: verdict.Refuse, Params: "timeout", Refusal: plugins},
	{Method: "POST", Pattern: "/plugins/{name}/disable", Verdict: verdict.Refuse, Params: "force", Refusal: plugins},
	{Method: "POST", Pattern: "/plugins/pull", Verdict: verdict.Refuse, Params: "remote name", Body: verdict.JSONBody, Refusal: plugins},
	{Method: "POST", Pattern: "/plugins/{name}/push", Verdict: verdict.Refuse, Refusal: plugins},
	{Method: "POST", Pattern: "/plugins/{name}/upgrade", Verdict: verdict.Refuse, Params: "remote", Body: verdict.JSONBody, Refusal: plugins},
	{Method: "POST", Pattern: "/plugins/{name}/set", Verdict: verdict.Refuse, Body: verdict.JSONBody, Refusal: plugins},
	{Method: "POST", Pattern: "/plugins/create", Verdict: verdict.Refuse, Params: "name", Body: verdict.TarBody, Refusal: plugins},

	// Swarm.
	{Method: "POST", Pattern: "/swarm/init", Verdict: verdict.Refuse, Body: verdict.JSONBody, Refusal: theSwarm},
	{Method: "POST", Pattern: "/swarm/join", Verdict: verdict.Refuse, Body: verdict.JSONBody, Refusal: theSwarm},
	{Method: "POST", Pattern: "/swarm/leave", Verdict: verdict.Refuse, Params: "force", Refusal: theSwarm},
	{Method: "GET", Pattern: "/swarm", Verdict: verdict.Refuse, Refusal: theSwarm},
	{Method: "GET", Pattern: "/swarm/unlockkey", Verdict: verdict.Refuse, Refusal: theSwarm},
	{Method: "POST", Pattern: "/swarm/update", Verdict: verdict.Refuse, Params: "version rotateWorkerToken rotateManagerToken rotateManagerUnlockKey", Body: verdict.JSONBody, Refusal: theSwarm},
	{Method: "POST", Pattern: "/swarm/unlock", Verdict: verdict.Refuse, Body: verdict.JSONBody, Refusal: theSwarm},
	{Method: "GET", Pattern: "/services", Verdict: verdict.Grant, Params: "filters status", Decide: swarm.List},
	{Method: "GET", Pattern: "/services/{id}", Verdict: verdict.Grant, Params: "insertDefaults", Decide: own(verdict.Service)},
	{Method: "POST", Pattern: "/services/create", Verdict: verdict.Grant, Body: verdict.JSONBody, Decide: swarm.CreateService},
	{Method: "POST", Pattern: "/services/{id}/update", Verdict: verdict.Grant, Params: "version registryAuthFrom rollback", Body: verdict.JSONBody, Decide: swarm.UpdateService},
	{Method: "DELETE", Pattern: "/services/{id}", Verdict: verdict.Grant, Decide: own(verdict.Service)},
	{Method: "GET", Pattern: "/services/{id}/logs", Verdict: verdict.Grant, Params: "details follow stdout stderr since timestamps tail", Decide: own(verdict.Service)},
	{Method: "GET", Pattern: "/nodes", Verdict: verdict.Grant, Params: "filters", Decide: swarm.ListNodes},
	{Method: "GET", Pattern: "/nodes/{id}", Verdict: verdict.Grant, Decide: swarm.InspectNode},
	{Method: "DELETE", Pattern: "/nodes/{id}", Verdict: verdict.Refuse, Params: "force", Refusal: theSwarm},
	{Method: "POST", Pattern: "/nodes/{id}/update", Verdict: verdict.Refuse, Params: "version", Body: verdict.JSONBody, Refusal: theSwarm},
	{Method: "GET", Pattern: "/tasks", Verdict: verdict.Grant, Params: "filters", Decide: swarm.ListTasks},
	{Method: "GET", Pattern: "/tasks/{id}", Verdict: verdict.Grant, Decide: own(verdict.Task)},
	{Method: "GET", Pattern: "/tasks/{id}/logs", Verdict: verdict.Grant, Params: "details follow stdout stderr since timestamps tail", Decide: own(verdict.Task)},
	{Method: "GET", Pattern: "/secrets", Verdict: verdict.Grant, Params: "filters", Decide: swarm.List},
	{Method: "POST", Pattern: "/secrets/create", Verdict: verdict.Grant, Body: verdict.JSONBody, Decide: swarm.CreateSecret},
	{Method: "DELETE", Pattern: "/secrets/{id}", Verdict: verdict.Grant, Decide: own(verdict.Secret)},
	{Method: "GET", Pattern: "/secrets/{id}", Verdict: verdict.Grant, Decide: own(verdict.Secret)},
	{Method: "POST", Pattern: "/secrets/{id}/update", Verdict: verdict.Grant, Params: "version", Body: verdict.JSONBody, Decide: swarm.UpdateSecret(verdict.Secret)},
	{Method: "GET", Pattern: "/configs", Verdict: verdict.Grant, Params: "filters", Decide: swarm.List},
	{Method: "POST", Pattern: "/configs/create", Verdict: verdict.Grant, Body: verdict.JSONBody, Decide: swarm.CreateSecret},
	{Method: "DELETE", Pattern: "/configs/{id}", Verdict: verdict.Grant, Decide: own(verdict.Config)},
	{Method: "GET", Pattern: "/configs/{id}", Verdict: verdict.Grant, Decide: own(verdict.Config)},
	{Method: "POST", Pattern: "/configs/{id}/update", Verdict: verdict.Grant, Params: "version", Body: verdict.JSONBody, Decide: swarm.UpdateSecret(verdict.Config)},

	// The daemon's own memory.
	{Method: "GET", Pattern: "/debug/vars", Verdict: verdict.Refuse, Refusal: debug},
	{Method: "GET", Pattern: "/debug/pprof/", Verdict: verdict.Refuse, Refusal: debug},
	{Method: "GET", Pattern: "/debug/pprof/cmdline", Verdict: verdict.Refuse, Refusal: debug},
	{Method: "GET", Pattern: "/debug/pprof/profile", Verdict: verdict.Refuse, Params: "seconds", Refusal: debug},
	{Method: "GET", Pattern: "/debug/pprof/symbol", Verdict: verdict.Refuse, Refusal: debug},
	{Method: "GET", Pattern: "/debug/pprof/trace", Verdict: verdict.Refuse, Params: "seconds", Refusal: debug},
	{Method: "GET", Pattern: "/debug/pprof/{id}", Verdict: verdict.Refuse, Params: "debug gc seconds", Refusal: debug},
}

// The reasons of routes that are closed to everybody.
var (
	checkpoints    = verdict.Refusal{Rule: "route", Why: "checkpoints read and write directories of the host; ask the operator"}
	oldCopy        = verdict.Refusal{Rule: "route", Why: "it is gone since API 1.24; use docker cp"}
	buildCache     = verdict.Refusal{Rule: "route", Why: "the build cache is shared by all owners; ask the operator to prune it"}
	clusterVolumes = verdict.Refusal{Rule: "route", Why: "cluster volumes are the swarm's, not an owner's; use a plain volume"}
	buildKit       = verdict.Refusal{Rule: "buildkit", Why: "BuildKit is not open through this socket yet; set DOCKER_BUILDKIT=0 to build with the classic builder"}
	plugins        = verdict.Refusal{Rule: "plugin", Why: "a plugin runs as root on the host; ask the operator to install it"}
	theSwarm       = verdict.Refusal{Rule: "swarm", Why: "the swarm is the operator's; ask the operator"}
	debug          = verdict.Refusal{Rule: "debug", Why: "the engine's own memory is not open; ask the operator"}
)

// pass decides routes that concern no object of any owner.
func pass(*verdict.Case) error { return nil }

// ping tells clients that can choose to use the builder that is open here.
func ping(c *verdict.Case) error {
	c.Out.Builder = "1"
	return nil
}

// own decides routes on one object, which must be the owner's and goes upstream by
// its full ID.
func own(kind verdict.Kind) func(*verdict.Case) error {
	return func(c *verdict.Case) error {
		_, err := c.OwnNamed(kind)
		return err
	}
}

// missPlugin answers that there is no such plugin. docker inspect asks for one if
// nothing else has the name, and shows any other refusal to its user.
func missPlugin(c *verdict.Case) error {
	return &verdict.Denied{
		Status: verdict.StatusNotFound, Rule: "plugin", Message: fmt.Sprintf("plugin %q not found", c.Name),
		Truth: fmt.Sprintf("plugin %q, if there is one, is the host's", c.Name),
	}
}
