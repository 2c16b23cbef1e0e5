package main

// ballast is memory that counts and is never touched, so that it takes none. It
// lets the collector of garbage wait until 10 MiB of heap are in use beside it,
// where it would run at 4 MiB, hundreds of times a second on a busy socket. A
// higher GOGC would do the same to a small heap, but let a large one grow in
// proportion.
func ballast() []byte { return make([]byte, 5<<20) }
