package policy

import "sockguard/policy/verdict"

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
