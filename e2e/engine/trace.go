package engine

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/client"
)

// A Made is a container or an image that a build made.
type Made struct {
	ID     string // 64 hex digits
	Labels map[string]string
	Parent string // the image it was made from, as the engine names it
}

// A Trace writes down every container that is created on an engine, with the
// labels it is created with, however short it lives.
type Trace struct {
	engine *client.Client
	stop   context.CancelFunc
	done   chan struct{}

	mu      sync.Mutex
	created []Made
	volumes map[string]chan struct{}
}

// StartTrace listens to the engine until Stop.
func StartTrace(ctx context.Context, engine *client.Client) *Trace {
	ctx, stop := context.WithCancel(ctx)
	t := &Trace{engine: engine, stop: stop, done: make(chan struct{}), volumes: map[string]chan struct{}{}}
	stream := engine.Events(ctx, client.EventsListOptions{
		Filters: client.Filters{}.Add("type", "container", "volume").Add("event", "create"),
	})
	go func() {
		defer close(t.done)
		for {
			select {
			case m := <-stream.Messages:
				t.add(m)
			case <-stream.Err:
				return
			}
		}
	}()
	return t
}

func (t *Trace) add(m events.Message) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if m.Type == events.VolumeEventType {
		if c, ok := t.volumes[m.Actor.ID]; ok {
			close(c)
			delete(t.volumes, m.Actor.ID)
		}
		return
	}
	t.created = append(t.created, Made{
		ID:     m.Actor.ID,
		Labels: m.Actor.Attributes,
		Parent: m.Actor.Attributes["image"],
	})
}

// Stop ends the trace. A nil Trace may be stopped.
func (t *Trace) Stop() {
	if t == nil {
		return
	}
	t.stop()
	<-t.done
}

// Containers returns the containers that were created so far, oldest first. The
// engine reports in order: once it has told of a volume made now, it has told
// of every container before.
func (t *Trace) Containers(ctx context.Context) ([]Made, error) {
	name := "sockguard-e2e-" + rand.Text()
	seen := make(chan struct{})
	t.mu.Lock()
	t.volumes[name] = seen
	t.mu.Unlock()
	if _, err := t.engine.VolumeCreate(ctx, client.VolumeCreateOptions{Name: name}); err != nil {
		return nil, err
	}
	defer t.engine.VolumeRemove(ctx, name, client.VolumeRemoveOptions{Force: true})
	select {
	case <-seen:
	case <-t.done:
		return nil, errors.New("the engine's event stream has ended")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.created), nil
}

// ContainersOf returns the containers that were created from the given images.
func (t *Trace) ContainersOf(ctx context.Context, images []Made) ([]Made, error) {
	from := map[string]bool{}
	for _, i := range images {
		from[i.ID] = true
	}
	made, err := t.Containers(ctx)
	return slices.DeleteFunc(made, func(c Made) bool {
		return !from[strings.TrimPrefix(c.Parent, "sha256:")]
	}), err
}
