package main

import (
	"errors"

	"sockguard/rewrite"
)

// checkOwner refuses what cannot stand in a LABEL instruction.
func checkOwner(owner, key string) error {
	if owner == "" {
		return errors.New("no owner: name who will hold the socket, as in --owner team-a")
	}
	return rewrite.Label{Key: key, Value: owner}.Check()
}
