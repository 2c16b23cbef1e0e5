package main

import "path/filepath"

// A peer is another socket proxy in Go. Its binary comes from the directory of
// -peers.
type peer struct {
	binary, name string
	args         []string
	config       string
}

// peerTable has the peers, each told to let through what the benchmarks ask for.
func peerTable() []peer {
	return []peer{
		{
			binary: "wollomatic", name: "wollomatic/socket-proxy",
			args: []string{"-socketpath={engine}", "-proxysocketendpoint={socket}",
				`-allowGET=(/v1\..{1,2})?/(_ping|version|containers/.*|exec/.*)`, `-allowPOST=/v1\..{1,2}/(build|containers/.*|exec/.*)`},
		},
		{
			binary: "cetusguard", name: "hectorm/cetusguard",
			args: []string{"-backend-addr=unix://{engine}", "-frontend-addr=unix://{socket}", "-rules-file={config}"},
			config: `GET %API_PREFIX_CONTAINERS%/json
GET %API_PREFIX_CONTAINERS%/%CONTAINER_ID_OR_NAME%/json
POST %API_PREFIX_CONTAINERS%/%CONTAINER_ID_OR_NAME%/attach
POST %API_PREFIX_EXEC%/.+/start
POST %API_PREFIX_BUILD%
`,
		},
		{
			binary: "codeswhat", name: "CodesWhat/sockguard",
			args: []string{"serve", "--config", "{config}"},
			config: `listen: {socket: '{socket}', socket_mode: '0600'}
upstream: {socket: '{engine}'}
log: {level: info, format: json, output: stderr, access_log: true}
health: {enabled: false}
insecure_allow_body_blind_writes: true
insecure_allow_read_exfiltration: true
request_body: {build: {allow_run_instructions: true}, exec: {allow_root_user: true, allowed_commands: [[cat]]}}
rules:
- {match: {method: GET, path: '/_ping'}, action: allow}
- {match: {method: GET, path: '/version'}, action: allow}
- {match: {method: GET, path: '/containers/json'}, action: allow}
- {match: {method: GET, path: '/containers/*/json'}, action: allow}
- {match: {method: POST, path: '/containers/*/attach'}, action: allow}
- {match: {method: POST, path: '/exec/*/start'}, action: allow}
- {match: {method: POST, path: '/build'}, action: allow}
- {match: {method: '*', path: '/**'}, action: deny}
`,
		},
		{
			// It closes the connection after each answer, and it refuses exec.
			binary: "buildkite", name: "buildkite/sockguard",
			args: []string{"-filename", "{socket}", "-upstream-socket", "{engine}", "-owner-label", ownerName},
		},
	}
}

// peers are the contenders whose binaries are expected in dir.
func peers(dir string) (all []*contender) {
	for _, p := range peerTable() {
		all = append(all, &contender{name: p.name, command: append([]string{filepath.Join(dir, p.binary)}, p.args...), config: p.config})
	}
	return all
}

func peerBinaries() (all []string) {
	for _, p := range peerTable() {
		all = append(all, p.binary)
	}
	return all
}
