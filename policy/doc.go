// Package policy decides what a client of the guarded socket may do. It knows
// the Engine API: which routes exist, which identifiers a request holds and
// where, which fields reach the host. It does no I/O of its own; what exists on
// the engine it asks an [Inspector].
//
// A [Request] goes in, in canonical form. Out comes a [Decision], from which the
// upstream request is built anew, or an error that wraps [Denied].
package policy
