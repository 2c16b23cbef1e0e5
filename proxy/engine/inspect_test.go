package engine

import (
	"strings"
	"testing"

	"sockguard/policy/verdict"
)

// Only what begins as engines begin the answer about a container is known by it.
func TestLookUpKnown(t *testing.T) {
	idA, idB := strings.Repeat("a", 64), strings.Repeat("b", 64)
	c := NewClient(nil)
	c.objects.put(verdict.Container, verdict.Object{ID: idA})
	c.objects.put(verdict.Image, verdict.Object{ID: idA})
	for answer, want := range map[string]bool{
		`{"Id":"` + idA + `","Name":"/web"}`: true,
		`{"Id":"` + idB + `","Name":"/web"}`: false,
		`{"Id":"` + idA + `0"}`:              false,
		`{"Id":"` + idA:                      false,
		`{"Id":"` + idA[:63] + `"}`:          false,
		`{"Name":"` + idA + `"}`:             false,
		``:                                   false,
	} {
		if o, ok := c.known(verdict.Container, []byte(answer)); ok != want || ok && o.ID != idA {
			t.Errorf("%s: known %v, want %v", answer, ok, want)
		}
	}
	if _, ok := c.known(verdict.Image, []byte(`{"Id":"`+idA+`"}`)); ok {
		t.Error("an image is known; its tags change")
	}
}
