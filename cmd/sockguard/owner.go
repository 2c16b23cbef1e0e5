package main

import (
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"sockguard/policy"
	"sockguard/rewrite"
)

// maxOwner bounds the owner value: it stands in every image's config.
const maxOwner = 256

// ownerFlags are the flags that say whose label is written.
type ownerFlags struct{ owner, key string }

func (o *ownerFlags) register(f *pflag.FlagSet) {
	f.StringVar(&o.owner, "owner", "", "value of the owner label: a team or a pipeline, stable over time (required)")
	f.StringVar(&o.key, "label-key", policy.DefaultLabelKey, "key of the owner label")
}

// check refuses what cannot stand in a LABEL instruction literally.
func (o *ownerFlags) check() error {
	switch {
	case o.owner == "":
		return errors.New("no owner: name who will hold the socket, as in --owner team-a")
	case len(o.owner) > maxOwner:
		return fmt.Errorf("--owner has %d bytes; use at most %d", len(o.owner), maxOwner)
	}
	return rewrite.Label{Key: o.key, Value: o.owner}.Check()
}
