package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/moby/moby/api/types/image"
	"github.com/moby/moby/client"
)

// markEnv is the variable by which the images of one build are told from others.
// It is a base image's ENV, so that everything made from the base inherits it.
const markEnv = "SOCKGUARD_E2E_MARK"

// Mark returns the ENV setting that marks a base image for Marked.
func Mark(mark string) string { return markEnv + "=" + mark }

// Marked returns every image of the engine, intermediate ones included, that
// was made from a base image of the mark, the base itself too.
func Marked(ctx context.Context, engine *client.Client, mark string) ([]Made, error) {
	return find(ctx, engine, func(i image.InspectResponse) bool {
		return slices.Contains(i.Config.Env, Mark(mark))
	})
}

// Owned returns every image of the engine that carries the owner's label.
func Owned(ctx context.Context, engine *client.Client, owner string) ([]Made, error) {
	return find(ctx, engine, func(i image.InspectResponse) bool {
		return i.Config.Labels[OwnerLabel] == owner
	})
}

func find(ctx context.Context, engine *client.Client, wanted func(image.InspectResponse) bool) ([]Made, error) {
	list, err := engine.ImageList(ctx, client.ImageListOptions{All: true})
	if err != nil {
		return nil, err
	}
	var made []Made
	for _, summary := range list.Items {
		inspect, err := engine.ImageInspect(ctx, summary.ID)
		if err != nil || inspect.Config == nil {
			continue // removed meanwhile, by another user of the engine
		}
		if wanted(inspect.InspectResponse) {
			made = append(made, Made{
				ID:     strings.TrimPrefix(summary.ID, "sha256:"),
				Labels: inspect.Config.Labels,
				Parent: strings.TrimPrefix(summary.ParentID, "sha256:"),
			})
		}
	}
	return made, nil
}

// RemoveMarked deletes the images that Marked returns.
func RemoveMarked(ctx context.Context, engine *client.Client, mark string) error {
	return remove(ctx, engine, func() ([]Made, error) { return Marked(ctx, engine, mark) })
}

// RemoveOwned deletes the images that Owned returns.
func RemoveOwned(ctx context.Context, engine *client.Client, owner string) error {
	return remove(ctx, engine, func() ([]Made, error) { return Owned(ctx, engine, owner) })
}

// remove deletes the listed images, children before parents, until none is left.
func remove(ctx context.Context, engine *client.Client, list func() ([]Made, error)) error {
	for {
		images, err := list()
		if err != nil || len(images) == 0 {
			return err
		}
		parents := map[string]bool{}
		for _, i := range images {
			parents[i.Parent] = true
		}
		progress := false
		for _, i := range images {
			if parents[i.ID] {
				continue
			}
			_, err = engine.ImageRemove(ctx, i.ID, client.ImageRemoveOptions{Force: true, PruneChildren: true})
			progress = progress || err == nil
		}
		if !progress {
			return fmt.Errorf("%d images stay: %w", len(images), err)
		}
	}
}
