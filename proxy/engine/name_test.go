package engine

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"sockguard/policy/verdict"
)

// A name is given by one request at a time, however it is written. A look that lasts
// keeps nobody from giving another name.
func TestNamesDoNotWaitForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		errLooked := errors.New("looked")
		looking, looked := make(chan struct{}), make(chan struct{})
		give := func(ctx context.Context, ref string, look func()) error {
			return NewClient(nil).Name(ctx, ref, verdict.Object{}, func(string, verdict.Object) error {
				look()
				return errLooked
			})
		}
		go give(t.Context(), "slow", func() { close(looking); <-looked })
		<-looking
		for ref, waits := range map[string]bool{"other": false, "slow:2": false, "slow": true, "docker.io/library/slow:latest": true} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			want := errLooked
			if waits {
				want = context.DeadlineExceeded
			}
			if err := give(ctx, ref, func() {}); err != want {
				t.Errorf("%s: got %v, want %v", ref, err, want)
			}
			cancel()
		}
		close(looked)
		if err := give(t.Context(), "slow", func() {}); err != errLooked {
			t.Errorf("after the look: got %v", err)
		}
		if len(naming.locked) > 0 {
			t.Errorf("names stay locked: %v", naming.locked)
		}
	})
}
