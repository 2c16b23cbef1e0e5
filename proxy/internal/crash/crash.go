// Package crash keeps a panic to the exchange that it happens in. A panic that is not
// recovered ends the process, with the exchanges of all guards.
//
// Its functions are for defer statements, at the start of a goroutine or of a function
// that another package calls in a goroutine of its own.
package crash

import (
	"fmt"
	"log/slog"
	"runtime/debug"
)

// Log logs a panic and ends it.
func Log(log *slog.Logger) {
	if v := recover(); v != nil {
		log.Error("panic", "value", fmt.Sprint(v), "stack", string(debug.Stack()))
	}
}

// Error makes a panic the error of a function and ends it.
func Error(err *error) {
	if v := recover(); v != nil {
		*err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
	}
}
