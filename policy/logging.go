package policy

import (
	"github.com/go-json-experiment/json/jsontext"
)

// checkLogConfig permits the drivers that write files of the engine's own. All
// others send from the host, or write to the host's log.
func checkLogConfig(_ *draft, path string, v jsontext.Value) (jsontext.Value, error) {
	log, err := decode[struct {
		Type   string
		Config map[string]string
	}](path, v)
	if err != nil {
		return nil, err
	}
	switch log.Type {
	case "", "json-file", "local", "none":
		return v, nil
	}
	return nil, denyField(path+".Type", quoted(log.Type), "this driver writes to the host's log or network; use json-file, local or none", "")
}

// checkRestartPolicy holds the shape only: an owner's container may come back.
func checkRestartPolicy(_ *draft, path string, v jsontext.Value) (jsontext.Value, error) {
	_, err := decode[struct {
		Name              string
		MaximumRetryCount int
	}](path, v)
	return v, err
}
