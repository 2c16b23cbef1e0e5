package dockerfile_test

import (
	"errors"
	"fmt"

	"sockguard/rewrite"
	"sockguard/rewrite/dockerfile"
)

// Every stage gets the label, and the caller sees every image.
func ExampleRewrite() {
	const text = `ARG VERSION=1.26
FROM golang:${VERSION} AS build
RUN go build -o /app .
FROM scratch
COPY --from=build /app /
COPY --from=certs:latest /etc/ssl /etc/ssl
`
	s, err := dockerfile.Rewrite("Dockerfile", []byte(text), dockerfile.Options{
		Labels:  []rewrite.Label{{Key: "owner", Value: "team-a"}},
		Guarded: []string{"owner"},
		Image: func(ref dockerfile.ImageRef) (dockerfile.Image, error) {
			fmt.Printf("line %d uses %s\n", ref.Line, ref.Ref)
			return dockerfile.Image{}, nil
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s", s.Text)
	// Output:
	// line 2 uses golang:1.26
	// line 6 uses certs:latest
	// ARG VERSION=1.26
	// FROM golang:${VERSION} AS build
	// LABEL 'owner'='team-a'
	// RUN go build -o /app .
	// FROM scratch
	// LABEL 'owner'='team-a'
	// COPY --from=build /app /
	// COPY --from=certs:latest /etc/ssl /etc/ssl
}

// A file that sets a guarded key itself is refused.
func ExampleRewrite_refusal() {
	_, err := dockerfile.Rewrite("Dockerfile", []byte("FROM alpine\nLABEL \"own\"er=me\n"), dockerfile.Options{
		Guarded: []string{"owner"},
	})
	var refusal *rewrite.Refusal
	if errors.As(err, &refusal) {
		fmt.Println(refusal.File, refusal.Line)
		fmt.Println(refusal.Reason)
	}
	// Output:
	// Dockerfile 2
	// LABEL may not set owner: sockguard sets it; remove it
}
