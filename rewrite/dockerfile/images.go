package dockerfile

import (
	"errors"
	"fmt"
	"strings"

	"sockguard/rewrite"
)

// images asks for every reference. It returns the images that replace that of a
// FROM, by the index of the FROM.
func (p *parsed) images(name string, o *Options) (map[int]string, error) {
	if o.Image == nil {
		return nil, nil
	}
	ids := map[int]string{}
	budget := maxTriggers
	for _, ref := range p.refs {
		image, err := ref.ask(name, o)
		if err != nil {
			return nil, err
		}
		if ref.from < 0 {
			continue
		}
		triggered, err := p.triggered(image.OnBuild, ref.from, o, &budget)
		if err != nil {
			return nil, rewrite.Refusef(name, ref.Line, "%s: %v", ref.Ref, err)
		}
		for _, t := range triggered {
			t.Line = ref.Line
			if _, err := t.ask(name, o); err != nil {
				return nil, err
			}
		}
		if image.ID == "" {
			continue
		}
		if !strings.Contains(image.ID, ":") || strings.ContainsFunc(image.ID, notInReference) {
			return nil, fmt.Errorf("%s line %d: %q cannot replace %s", name, ref.Line, image.ID, ref.Ref)
		}
		ids[ref.from] = image.ID
	}
	return ids, nil
}

// ask asks for the image of a reference in the file called name.
func (r *reference) ask(name string, o *Options) (Image, error) {
	image, err := o.Image(r.ImageRef)
	if refusal, ok := errors.AsType[*rewrite.Refusal](err); ok {
		return image, rewrite.Refusef(name, r.Line, "%s", refusal.Reason)
	}
	if err != nil {
		return image, fmt.Errorf("%s line %d: %w", name, r.Line, err)
	}
	return image, nil
}

func notInReference(r rune) bool {
	return r >= 0x80 || !isLetter(byte(r)) && !strings.ContainsRune("0123456789._/:@-", r)
}
