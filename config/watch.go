package config

import (
	"io/fs"
	"os"
	"time"
)

// pollInterval is how often the configuration file is looked at. A changed file
// is read when it stays the same for one interval: editors write in several
// steps.
const pollInterval = 500 * time.Millisecond

// A watcher tells whether a file has changed. It compares what the path leads
// to, so it sees a file that is written in place, a file that is replaced by a
// rename, and a symbolic link on the way that is exchanged, as Kubernetes does.
type watcher struct {
	file  string
	taken fs.FileInfo // of the last change that was reported
	last  fs.FileInfo // at the last look
}

// newWatcher returns a watcher of changes from now on, so it is made before the
// file is read.
func newWatcher(file string) *watcher {
	info, _ := os.Stat(file)
	return &watcher{file: file, taken: info, last: info}
}

// changed looks at the file and reports each change once. A file that is missing
// has not changed.
func (w *watcher) changed() bool {
	now, err := os.Stat(w.file)
	if err != nil {
		return false
	}
	settled := same(w.last, now)
	w.last = now
	if !settled || same(w.taken, now) {
		return false
	}
	w.taken = now
	return true
}

func same(a, b fs.FileInfo) bool {
	return a != nil && os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}
