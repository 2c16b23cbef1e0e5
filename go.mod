module sockguard

go 1.26.8

require (
	github.com/distribution/reference v0.6.0 // image names, read by the engine's own parser
	github.com/docker/go-units v0.5.0 // "2g" as docker run --memory reads it
	github.com/elazarl/goproxy v1.9.3 // the HTTP interceptor: request and response handlers around a transport
	github.com/go-json-experiment/json v1.27.2 // strict JSON (duplicate, unknown and folded names) and streaming values; becomes encoding/json/v2
	github.com/goccy/go-yaml v1.19.2 // strict YAML whose errors show line, column and excerpt
	github.com/google/go-cmp v0.7.0 // tests: readable differences
	github.com/klauspost/compress v1.20.3 // gzip and zstd contexts; the library that the engine itself uses
	github.com/mikelolasagasti/xz v1.0.1 // xz contexts: XZ Embedded in Go, which bounds the dictionary; a quarter faster than ulikunitz/xz, without its allocations
	github.com/moby/buildkit v0.34.2 // tests: the engine's lexer of words as the oracle of ours
	github.com/moby/go-archive v0.3.3 // tests: the engine's unpacker as the oracle of our contexts
	github.com/moby/moby/api v1.56.1 // tests: Engine API types for the SDK
	github.com/moby/moby/client v0.6.2 // tests and demo: the Engine SDK as a client of the guard
	github.com/moby/patternmatcher v0.6.1 // the engine's own .dockerignore matcher
	github.com/rogpeppe/go-internal v1.16.0 // tests: txtar golden files
	github.com/spf13/cobra v1.10.2 // the command line
	github.com/spf13/pflag v1.0.10 // cobra's flags, named in signatures
	github.com/testcontainers/testcontainers-go v0.45.0 // tests: runs sockguard as a container, and is a client of it
	github.com/ulikunitz/xz v0.5.17 // tests: writes xz contexts
	golang.org/x/crypto/x509roots/fallback v0.0.0-20261030153154-30a33513ff6d // remote contexts: CA certificates where the system has none, as in the image
	golang.org/x/sys v0.49.0 // socket permissions, which package os cannot set without a race
	golang.org/x/term v0.47.0 // is standard error a terminal
	gvisor.dev/gvisor v0.0.0-20260905035102-160fafc42237 // tests: a TCP stack in user space for network faults
	mvdan.cc/sh/v3 v3.14.1 // tests: /bin/sh of the suite's own base image, which needs no registry
	mvdan.cc/sh/x v0.0.0-20260922090537-aebdf2b86f56 // tests: core utilities of the suite's own base image
)

require (
	dario.cat/mergo v1.0.2 // indirect
	github.com/Azure/go-ansiterm v0.0.0-20261006220739-8c912ac31dd4 // indirect
	github.com/Microsoft/go-winio v0.6.3-0.20251027160822-ad3df93bed29 // indirect
	github.com/cenkalti/backoff/v4 v4.3.0 // indirect
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/containerd/errdefs v1.0.0 // indirect
	github.com/containerd/errdefs/pkg v0.3.0 // indirect
	github.com/containerd/log v0.2.0 // indirect
	github.com/containerd/platforms v1.0.0-rc.5 // indirect
	github.com/cpuguy83/dockercfg v0.3.2 // indirect
	github.com/docker/go-connections v0.8.2 // indirect
	github.com/dustin/go-humanize v1.0.1 // indirect
	github.com/ebitengine/purego v0.10.1 // indirect
	github.com/felixge/httpsnoop v1.1.0 // indirect
	github.com/go-logr/logr v1.4.4 // indirect
	github.com/go-logr/stdr v1.2.2 // indirect
	github.com/go-ole/go-ole v1.3.0 // indirect
	github.com/google/btree v1.1.2 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/klauspost/pgzip v1.2.6 // indirect
	github.com/lufia/plan9stats v0.0.0-20260330125221-c963978e514e // indirect
	github.com/magiconair/properties v1.18.12 // indirect
	github.com/moby/docker-image-spec v1.3.1 // indirect
	github.com/moby/sys/sequential v0.7.0 // indirect
	github.com/moby/sys/user v0.4.1 // indirect
	github.com/moby/sys/userns v0.2.1 // indirect
	github.com/moby/term v0.5.2 // indirect
	github.com/opencontainers/go-digest v1.0.0 // indirect
	github.com/opencontainers/image-spec v1.1.1 // indirect
	github.com/pierrec/lz4/v4 v4.1.27 // indirect
	github.com/pkg/errors v0.9.1 // indirect
	github.com/power-devops/perfstat v0.0.0-20240221224432-82ca36839d55 // indirect
	github.com/shirou/gopsutil/v4 v4.26.6 // indirect
	github.com/sirupsen/logrus v1.10.2 // indirect
	github.com/stretchr/testify v1.12.1 // indirect
	github.com/tklauser/go-sysconf v0.4.0 // indirect
	github.com/tklauser/numcpus v0.12.0 // indirect
	github.com/u-root/u-root v0.16.0 // indirect
	github.com/u-root/uio v0.0.0-20240224005618-d2acac8f3701 // indirect
	github.com/yusufpapurcu/wmi v1.2.4 // indirect
	go.opentelemetry.io/auto/sdk v1.2.1 // indirect
	go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp v0.71.0 // indirect
	go.opentelemetry.io/otel v1.46.0 // indirect
	go.opentelemetry.io/otel/metric v1.46.0 // indirect
	go.opentelemetry.io/otel/trace v1.46.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/crypto v0.58.0 // indirect
	golang.org/x/exp v0.0.0-20260718201538-764159d718ef // indirect
	golang.org/x/net v0.60.0 // indirect
	golang.org/x/text v0.43.0 // indirect
	golang.org/x/time v0.16.0 // indirect
	golang.org/x/tools v0.51.0 // indirect
)
