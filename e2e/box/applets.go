package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/term"
	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"
)

// An applet is a command of box that neither the shell nor its core utilities have.
type applet func(ctx context.Context, c interp.HandlerContext, args []string) error

func applets(next interp.ExecHandlerFunc) interp.ExecHandlerFunc {
	table := map[string]applet{
		"env":       env,
		"grep":      grep,
		"httpd":     httpd,
		"id":        id,
		"registry":  registry,
		"sha256sum": sha256sum,
		"sleep":     sleep,
		"tree":      tree,
		"tty":       tty,
		"wc":        wc,
		"wget":      wget,
	}
	return func(ctx context.Context, args []string) error {
		run, ok := table[args[0]]
		if !ok {
			return next(ctx, args)
		}
		c := interp.HandlerCtx(ctx)
		err := run(ctx, c, args[1:])
		if _, ok := errors.AsType[interp.ExitStatus](err); ok || err == nil {
			return err
		}
		fmt.Fprintf(c.Stderr, "%s: %v\n", args[0], err)
		return interp.ExitStatus(1)
	}
}

func env(_ context.Context, c interp.HandlerContext, _ []string) error {
	c.Env.Each(func(name string, v expand.Variable) bool {
		if v.Exported {
			fmt.Fprintf(c.Stdout, "%s=%s\n", name, v.Str)
		}
		return true
	})
	return nil
}

// grep prints the lines that contain a fixed text.
func grep(_ context.Context, c interp.HandlerContext, args []string) error {
	if len(args) == 0 {
		return errors.New("no text")
	}
	found := false
	err := each(c, args[1:], func(_ string, r io.Reader) error {
		b, err := io.ReadAll(r)
		for line := range strings.Lines(string(b)) {
			if strings.Contains(line, args[0]) {
				found = true
				io.WriteString(c.Stdout, line)
			}
		}
		return err
	})
	if err == nil && !found {
		return interp.ExitStatus(1)
	}
	return err
}

// httpd serves the directory args[1] on the address args[0].
func httpd(_ context.Context, c interp.HandlerContext, args []string) error {
	if len(args) != 2 {
		return errors.New("usage: httpd ADDRESS DIRECTORY")
	}
	fmt.Fprintln(c.Stdout, "httpd: serving")
	return http.ListenAndServe(args[0], http.FileServer(http.Dir(args[1])))
}

func id(_ context.Context, c interp.HandlerContext, _ []string) error {
	fmt.Fprintf(c.Stdout, "%d:%d\n", os.Getuid(), os.Getgid())
	return nil
}

func sha256sum(_ context.Context, c interp.HandlerContext, args []string) error {
	return each(c, args, func(name string, r io.Reader) error {
		h := sha256.New()
		_, err := io.Copy(h, r)
		fmt.Fprintf(c.Stdout, "%x  %s\n", h.Sum(nil), name)
		return err
	})
}

func sleep(ctx context.Context, _ interp.HandlerContext, args []string) error {
	if len(args) != 1 {
		return errors.New("usage: sleep SECONDS")
	}
	seconds, err := strconv.ParseFloat(args[0], 64)
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Duration(seconds * float64(time.Second))):
		return nil
	}
}

// tree prints every path below a directory, one on a line, in order.
func tree(_ context.Context, c interp.HandlerContext, args []string) error {
	if len(args) != 1 {
		return errors.New("usage: tree DIRECTORY")
	}
	root := args[0]
	if !filepath.IsAbs(root) {
		root = filepath.Join(c.Dir, root)
	}
	return filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err == nil && path != root {
			fmt.Fprintln(c.Stdout, strings.TrimPrefix(path, root+"/"))
		}
		return err
	})
}

func tty(_ context.Context, c interp.HandlerContext, _ []string) error {
	if !term.IsTerminal(int(os.Stdout.Fd())) {
		fmt.Fprintln(c.Stdout, "not a tty")
		return interp.ExitStatus(1)
	}
	width, height, err := term.GetSize(int(os.Stdout.Fd()))
	fmt.Fprintf(c.Stdout, "tty %dx%d\n", width, height)
	return err
}

// wc counts bytes, or lines with -l.
func wc(_ context.Context, c interp.HandlerContext, args []string) error {
	lines := slices.Contains(args, "-l")
	args = slices.DeleteFunc(slices.Clone(args), func(a string) bool { return strings.HasPrefix(a, "-") })
	return each(c, args, func(_ string, r io.Reader) error {
		b, err := io.ReadAll(r)
		n := len(b)
		if lines {
			n = strings.Count(string(b), "\n")
		}
		fmt.Fprintln(c.Stdout, n)
		return err
	})
}

// wget prints what a URL answers, trying for ten seconds to reach it.
func wget(ctx context.Context, c interp.HandlerContext, args []string) error {
	if len(args) != 1 {
		return errors.New("usage: wget URL")
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, args[0], nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil && time.Now().Before(deadline) {
			continue
		}
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return errors.New(resp.Status)
		}
		_, err = io.Copy(c.Stdout, resp.Body)
		return err
	}
}

// each calls f on every named file, or on standard input.
func each(c interp.HandlerContext, names []string, f func(name string, r io.Reader) error) error {
	if len(names) == 0 {
		return f("-", c.Stdin)
	}
	for _, name := range names {
		path := name
		if !filepath.IsAbs(path) {
			path = filepath.Join(c.Dir, path)
		}
		r, err := os.Open(path)
		if err != nil {
			return err
		}
		err = f(name, r)
		r.Close()
		if err != nil {
			return err
		}
	}
	return nil
}
