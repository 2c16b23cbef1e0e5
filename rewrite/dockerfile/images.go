package dockerfile

import (
	"errors"
	"fmt"
	"strings"

	"sockguard/rewrite"
)

// images asks for every reference. It returns the images that replace those of
// instructions, by the index of the instruction.
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
		if len(image.OnBuild) > 0 && ref.From {
			if image.ID, err = p.triggering(image, ref, name, o, &budget); err != nil {
				return nil, err
			}
		}
		if image.ID != "" {
			ids[ref.at] = image.ID
		}
	}
	return ids, nil
}

// triggering returns the ID for a FROM of an image with triggers. The triggers are
// those of the image, with IDs in place of the images that they name.
func (p *parsed) triggering(image Image, ref reference, name string, o *Options, budget *int) (string, error) {
	onbuild := make([]string, len(image.OnBuild))
	for i, text := range image.OnBuild {
		t, err := p.trigger(text, ref.at, o, budget)
		if err != nil {
			return "", rewrite.Refusef(name, ref.Line, "%s: %v", ref.Ref, err)
		}
		if onbuild[i], err = t.pinned(ref.Line, name, o); err != nil {
			return "", err
		}
	}
	if image.Triggering == nil {
		return image.ID, nil
	}
	id, err := image.Triggering(onbuild)
	if err != nil {
		return "", fmt.Errorf("%s line %d: %w", name, ref.Line, err)
	}
	return id, nil
}

// ask asks for the image of a reference in the file called name.
func (r *reference) ask(name string, o *Options) (Image, error) {
	image, err := o.Image(r.ImageRef)
	if refusal, ok := errors.AsType[*rewrite.Refusal](err); ok {
		return image, rewrite.Refusef(name, r.Line, "%s", refusal.Reason)
	}
	if err == nil && image.ID != "" && (!strings.Contains(image.ID, ":") || strings.ContainsFunc(image.ID, notInReference)) {
		err = fmt.Errorf("%q cannot replace %s", image.ID, r.Ref)
	}
	if err != nil {
		return image, fmt.Errorf("%s line %d: %w", name, r.Line, err)
	}
	return image, nil
}

func notInReference(r rune) bool {
	return r >= 0x80 || !isLetter(byte(r)) && !strings.ContainsRune("0123456789._/:@-", r)
}
