// Package e2e drives sockguard, running as a container, with real clients
// against a real engine: the docker CLI, Compose, testcontainers-go and the
// Engine SDK, from outside and from a client container.
//
// The suite needs an engine on a unix socket of this machine (DOCKER_HOST or
// the default socket) and the docker CLI; it makes its own base images, so it
// needs no image registry. Without them it skips, loudly; with
// SOCKGUARD_E2E=required it fails.
//
// Everything it makes carries a name or an owner of the run, and is removed.
package e2e
