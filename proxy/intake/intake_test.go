package intake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sockguard/policy/verdict"
	"sockguard/rewrite/rawjson"
)

// post returns a request with a body of a length, -1 for one that is not known.
func post(ctx context.Context, body io.Reader, length int64) *http.Request {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://guard/containers/create", io.NopCloser(body))
	if err != nil {
		panic(err)
	}
	r.ContentLength = length
	return r
}

func text(n int) string { return `{"Image":"` + strings.Repeat("a", n-12) + `"}` }

// empty checks that all was given back.
func empty(t *testing.T) {
	t.Helper()
	for _, r := range []*budget{small, large, heads, uploads, answers} {
		if r.free != r.size || len(r.held) > 0 {
			t.Errorf("%s: %d of %d bytes are free; held: %v", r.what, r.free, r.size, r.held)
		}
	}
}

func TestJSON(t *testing.T) {
	many := `[` + strings.Repeat("1,", maxValues) + `1]`
	for _, tt := range []struct {
		name, body, want string
		small, large     int // what is held then
	}{
		{"none", " \n", "", 2, 0},
		{"short", `{"a":1}`, "", 7, 0},
		{"as small bodies may be", text(smallBody), "", smallBody, 0},
		{"large", text(smallBody + 1), "", 0, smallBody + 1},
		{"the largest", text(maxBody), "", 0, maxBody},
		{"too large", text(maxBody + 1), "more than 4 MiB", 0, maxBody},
		{"of many values", many, "more than 50000 names and values", 0, len(many)},
	} {
		for _, known := range []bool{true, false} {
			s, length := NewShare("a"), int64(-1)
			if known {
				length = int64(len(tt.body))
			}
			body, err := s.JSON(post(t.Context(), strings.NewReader(tt.body), length))
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s, length %d: got %v, want %q", tt.name, length, err, tt.want)
			}
			if err == nil && string(body) != strings.TrimSpace(tt.body) {
				t.Errorf("%s, length %d: got another body, of %d bytes", tt.name, length, len(body))
			}
			small, large := small.held["a"], large.held["a"]
			if tt.name == "as small bodies may be" && !known {
				small, large = large, small // whether it ends is known only from the next byte
			}
			if refusedUnread := known && len(tt.body) > maxBody; !refusedUnread && (small != tt.small || large != tt.large) {
				t.Errorf("%s, length %d: holds %d bytes for small and %d for large bodies, want %d and %d", tt.name, length, small, large, tt.small, tt.large)
			}
			s.Release()
			empty(t)
		}
	}
}

// A client that never finishes its bodies has half of the room at most. It does not
// keep out small bodies of its own nor large ones of others, and what it held is free
// when it leaves. The rest of its bodies are refused.
func TestDribblers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, leave := context.WithCancel(t.Context())
		var all sync.WaitGroup
		var mu sync.Mutex
		var busy int
		for i := range 300 {
			length := int64(-1)
			if i%2 == 0 {
				length = maxBody
			}
			all.Go(func() {
				s := NewShare("hostile")
				defer s.Release()
				_, err := s.JSON(post(ctx, io.MultiReader(strings.NewReader(text(maxBody-1000)), stuck{ctx}), length))
				if d, ok := errors.AsType[*verdict.Denied](err); ok && d.Status == http.StatusServiceUnavailable {
					mu.Lock()
					busy++
					mu.Unlock()
				} else if !errors.Is(err, context.Canceled) {
					t.Errorf("got %v", err)
				}
			})
		}
		time.Sleep(time.Hour)
		runtime.GC()
		var m runtime.MemStats
		if runtime.ReadMemStats(&m); m.HeapAlloc > 48<<20 {
			t.Errorf("300 bodies of 4 MiB hold %d MiB", m.HeapAlloc>>20)
		}
		mu.Lock()
		if busy != 300-2 {
			t.Errorf("%d of 300 bodies were refused, want all but 2", busy)
		}
		mu.Unlock()
		for _, tt := range []struct {
			owner string
			size  int
		}{{"hostile", 1000}, {"hostile", smallBody}, {"other", maxBody}} {
			s := NewShare(tt.owner)
			if _, err := s.JSON(post(t.Context(), strings.NewReader(text(tt.size)), int64(tt.size))); err != nil {
				t.Errorf("%s cannot send %d bytes: %v", tt.owner, tt.size, err)
			}
			s.Release()
		}
		leave()
		all.Wait()
		empty(t)
	})
}

// stuck blocks until its context ends, as the body of a client that leaves does.
type stuck struct{ ctx context.Context }

func (s stuck) Read([]byte) (int, error) {
	<-s.ctx.Done()
	return 0, s.ctx.Err()
}

// A request waits for room for a while, no longer than its client, and gets it as soon
// as there is some.
func TestRoomIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newBudget("tests", 100)
		if err := r.take(t.Context(), "a", 50); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		err := r.take(t.Context(), "a", 1)
		if _, ok := errors.AsType[*verdict.Denied](err); !ok || time.Since(start) != patience {
			t.Errorf("without room: got %v after %v", err, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := r.take(ctx, "a", 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("when the client leaves: got %v", err)
		}
		time.AfterFunc(2*time.Second, func() { r.give("a", 50) })
		start = time.Now()
		if err := r.take(t.Context(), "a", 40); err != nil || time.Since(start) != 2*time.Second {
			t.Errorf("when there is room: got %v after %v", err, time.Since(start))
		}
		for _, owner := range []string{"b", "c", "d"} {
			if ok, _ := r.try(owner, 7); !ok {
				t.Errorf("no room for another owner, %s", owner)
			}
		}
	})
}

// Long heads, or heads of many fields, take room. Others take none.
func TestHead(t *testing.T) {
	fields := func(n int) *http.Request {
		r := post(t.Context(), strings.NewReader(""), 0)
		for i := range n {
			r.Header.Set(fmt.Sprint("X-", i), "")
		}
		return r
	}
	var all []*Share
	took := 0
	for range 1000 {
		s := NewShare("a")
		all = append(all, s)
		if err := s.Head(fields(10_000)); err == nil {
			took++
		}
		if err := NewShare("a").Head(fields(50)); err != nil {
			t.Fatal(err)
		}
	}
	if took == 0 || took > 8 {
		t.Errorf("%d requests of 10,000 fields each have room", took)
	}
	long := post(t.Context(), strings.NewReader(""), 0)
	long.Header.Set("X-Registry-Config", strings.Repeat("x", 100<<10))
	s := NewShare("b")
	if err := s.Head(long); err != nil || heads.held["b"] < 100<<10 {
		t.Errorf("another owner has %d bytes for a long head: %v", heads.held["b"], err)
	}
	for _, s := range append(all, s) {
		s.Release()
	}
	empty(t)
}

// A share that has ended takes no more: an upload may outlive its exchange.
func TestShareEnds(t *testing.T) {
	s := NewShare("a")
	if err := s.Upload(t.Context(), 1<<20); err != nil {
		t.Fatal(err)
	}
	s.Release()
	empty(t)
	if err := s.Upload(t.Context(), 1<<20); err != errEnded {
		t.Errorf("got %v", err)
	}
	s.Uploaded()
	empty(t)
}

// An answer that goes on after a large object gives back what that took. So an owner
// cannot make the streams of another hold all room.
func TestStreamsGiveBack(t *testing.T) {
	large := `{"x":"` + strings.Repeat("x", 6<<20) + `"}`
	for i := range 8 {
		s := NewShare("a")
		defer s.Release()
		answer := s.Answer(t.Context(), io.NopCloser(strings.NewReader(large+"{}")))
		err := rawjson.FilterStream(io.Discard, answer, rawjson.Keep(func(item []byte) (bool, error) {
			if len(item) > 2 && answers.held["a"] < len(item) {
				t.Errorf("%d bytes are held, %d are taken", len(item), answers.held["a"])
			}
			return true, nil
		}))
		if err != nil {
			t.Fatalf("stream %d: %v", i, err)
		}
	}
	empty(t)
}
