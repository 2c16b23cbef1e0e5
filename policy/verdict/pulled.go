package verdict

import "strings"

// A Manifest is what a registry tells about an image.
type Manifest struct {
	Digest string
	// Untold says that the registry does not tell: Digest is that of no image.
	Untold bool
	// Index says that there are images for several platforms.
	Index bool
	// Platform is what a pull gets that asks for no platform.
	Platform string
}

// A Pulled is how a pull was changed: an engine pulls by digest.
type Pulled struct {
	Ref    string // the name with the digest, by which the image is found
	Digest string // as it is pulled
	Asked  string // what the client has in place of it: ":tag" or "@digest"
}

// Restore puts what the client asked for into a message of the engine.
func (p *Pulled) Restore(message string) string {
	asked := p.Asked[1:]
	if p.Asked[0] == '@' { // the engine shows the whole reference
		return strings.NewReplacer("@"+p.Digest, p.Asked, "/"+p.Digest, "/"+asked).Replace(message)
	}
	id := `"id":"` + strings.TrimPrefix(strings.TrimPrefix(p.Ref, "docker.io/"), "library/") + `"`
	return strings.NewReplacer(id, `"id":"`+asked+`"`, "@"+p.Digest, p.Asked, "/"+p.Digest, "/"+asked).Replace(message)
}
