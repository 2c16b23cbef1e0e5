// Sockguard puts a guarded socket in front of a Docker Engine.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := newRoot(os.Args[1:]).ExecuteContext(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "sockguard: %v\n", err)
		os.Exit(1)
	}
}
