package intake

import "net/http"

const (
	// freeHead is how much of a request's head takes nothing of the budget.
	freeHead = 16 << 10

	// headField is what a field of a head takes besides its text.
	headField = 100
)

// Head takes memory for the head of a request, which the server holds until the request
// ends. It does not wait, because the head is there already.
func (s *Share) Head(r *http.Request) error {
	n := len(r.RequestURI)
	for name, values := range r.Header {
		n += headField + len(name)
		for _, value := range values {
			n += len(value) + 16
		}
	}
	if n <= freeHead {
		return nil
	}
	if ok, _ := heads.try(s.owner, n); !ok {
		return heads.full()
	}
	return s.took(heads, n)
}
