package main

// ballastSize lets the collector of garbage wait until 12 MiB of heap are in
// use, where it would run at 4 MiB, hundreds of times a second on a busy socket.
const ballastSize = 4 << 20

// ballast is memory that counts and is never touched, so that it takes none. A
// higher GOGC would do the same to a small heap, but let a large one grow in
// proportion.
var ballast = make([]byte, ballastSize)
