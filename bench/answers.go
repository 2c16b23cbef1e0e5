package main

import (
	"encoding/json"
	"fmt"
	"strings"
)

// listAnswer is a container list of n, of the size that an engine gives.
func listAnswer(n int) []byte {
	var all []json.RawMessage
	for range n {
		all = append(all, json.RawMessage(fmt.Sprintf(
			`{"Id":%q,"Names":["/%s"],"Image":"registry.example.com/team/app:1.2.3","ImageID":"sha256:%s","Command":"/bin/server --listen :8080",`+
				`"Created":1700000000,"Ports":[{"IP":"0.0.0.0","PrivatePort":8080,"PublicPort":32768,"Type":"tcp"}],"Labels":{%q:%q,"org.opencontainers.image.source":"https://git.example.com/team/app"},`+
				`"State":"running","Status":"Up 2 hours","HostConfig":{"NetworkMode":"default"},"NetworkSettings":{"Networks":{"bridge":{"NetworkID":"%s","Gateway":"172.17.0.1","IPAddress":"172.17.0.2","IPPrefixLen":16,"MacAddress":"02:42:ac:11:00:02"}}},"Mounts":[]}`,
			containerID, containerName, containerID, ownerLabel, ownerName, containerID)))
	}
	text, err := json.Marshal(all)
	if err != nil {
		panic(err) // the constants above are JSON
	}
	return text
}

// inspectAnswer is one container, of the size that an engine gives.
func inspectAnswer() []byte {
	env, err := json.Marshal(strings.Split(strings.Repeat("SOME_VARIABLE=some-value-of-some-length ", 60), " "))
	if err != nil {
		panic(err)
	}
	return fmt.Appendf(nil, `{"Id":%q,"Created":"2026-01-01T00:00:00Z","Path":"/bin/server","Args":["--listen",":8080"],`+
		`"State":{"Status":"running","Running":true,"Pid":4711,"ExitCode":0,"StartedAt":"2026-01-01T00:00:00Z"},"Image":"sha256:%s","Name":"/%s",`+
		`"HostConfig":{"Binds":null,"NetworkMode":"default","Memory":0,"CapAdd":null,"SecurityOpt":null},"Mounts":[],`+
		`"Config":{"Hostname":"job","Env":%s,"Image":"registry.example.com/team/app:1.2.3","Labels":{%q:%q}},"NetworkSettings":{"Networks":{}}}`,
		containerID, containerID, containerName, env, ownerLabel, ownerName)
}
