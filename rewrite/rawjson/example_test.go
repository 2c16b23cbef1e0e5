package rawjson_test

import (
	"fmt"
	"os"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"sockguard/rewrite/rawjson"
)

// Members that are not read keep their order and their text.
func ExampleParseObject() {
	body := `{"Image":"alpine","StopTimeout":12345678901234567890,"HostConfig":{"Privileged":false}}`
	o, err := rawjson.ParseObject([]byte(body))
	if err != nil {
		fmt.Println(err)
		return
	}
	o.Set("Image", rawjson.Encode("sha256:4711"))
	fmt.Println(string(o.Marshal()))

	_, err = rawjson.ParseObject([]byte(`{"HostConfig":{"Privileged":false,"Privileged":true}}`))
	fmt.Println(err)
	// Output:
	// {"Image":"sha256:4711","StopTimeout":12345678901234567890,"HostConfig":{"Privileged":false}}
	// HostConfig.Privileged: duplicate object member name at byte 34; send what the Docker Engine API documents
}

func ExampleFilterArray() {
	list := strings.NewReader(`[{"Id":"1"},{"Id":"2"},{"Id":"3"}]`)
	err := rawjson.FilterArray(os.Stdout, list, func(item jsontext.Value) (jsontext.Value, error) {
		o, err := rawjson.ParseObject(item)
		if err != nil || string(o.Value("Id")) == `"2"` {
			return nil, err // leaves the element out
		}
		o.Set("Owner", rawjson.Encode("team-a"))
		return o.Marshal(), nil
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// [{"Id":"1","Owner":"team-a"},{"Id":"3","Owner":"team-a"}]
}
