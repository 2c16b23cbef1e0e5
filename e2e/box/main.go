// Box is the userland of the images that the end-to-end suite makes for itself:
// a POSIX shell and the few commands that its Dockerfiles and containers use,
// in one static binary, so that the suite needs no image registry.
//
// Called as sh it runs "sh -c SCRIPT", "sh FILE" or a script on standard input;
// under any other name, or as "box NAME", it runs that one command.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/term"
	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"
	"mvdan.cc/sh/x/coreutils"
)

func main() {
	err := run(context.Background(), filepath.Base(os.Args[0]), os.Args[1:])
	if status, ok := errors.AsType[interp.ExitStatus](err); ok {
		os.Exit(int(status))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "box:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, name string, args []string) error {
	if name == "box" {
		if len(args) == 0 {
			return errors.New("no command")
		}
		name, args = filepath.Base(args[0]), args[1:]
	}
	if name == "sh" {
		return shell(ctx, args)
	}
	return script(ctx, strings.NewReader(`"$@"`), append([]string{"--", name}, args...))
}

func shell(ctx context.Context, args []string) error {
	var options []string
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		option := args[0]
		args = args[1:]
		before, command := strings.CutSuffix(option, "c")
		if before != "-" && before != "" {
			options = append(options, before)
		}
		if !command {
			continue
		}
		if len(args) == 0 {
			return errors.New("sh -c: no script")
		}
		// The word after the script is $0, which the interpreter sets itself.
		return script(ctx, strings.NewReader(args[0]), append(append(options, "--"), args[min(2, len(args)):]...))
	}
	if len(args) > 0 {
		f, err := os.Open(args[0])
		if err != nil {
			return err
		}
		defer f.Close()
		return script(ctx, f, append(append(options, "--"), args[1:]...))
	}
	return dialogue(ctx, options)
}

func script(ctx context.Context, src io.Reader, params []string) error {
	file, err := syntax.NewParser().Parse(src, "sh")
	if err != nil {
		return err
	}
	r, err := newRunner(params)
	if err != nil {
		return err
	}
	return r.Run(ctx, file)
}

// dialogue runs standard input line by line, with a prompt on a terminal.
func dialogue(ctx context.Context, params []string) error {
	r, err := newRunner(params)
	if err != nil {
		return err
	}
	prompt := func() {
		if term.IsTerminal(int(os.Stdin.Fd())) {
			fmt.Print("$ ")
		}
	}
	var last error
	prompt()
	for stmts, err := range syntax.NewParser().InteractiveSeq(os.Stdin) {
		if err != nil {
			return err
		}
		for _, stmt := range stmts {
			if last = r.Run(ctx, stmt); r.Exited() {
				return last
			}
		}
		prompt()
	}
	return last
}

func newRunner(params []string) (*interp.Runner, error) {
	return interp.New(
		interp.Params(params...),
		interp.StdIO(os.Stdin, os.Stdout, os.Stderr),
		interp.ExecHandlers(applets, quiet(coreutils.ExecHandler)),
	)
}

// quiet turns a command's failure, which the command has printed, into a status.
func quiet(middleware func(interp.ExecHandlerFunc) interp.ExecHandlerFunc) func(interp.ExecHandlerFunc) interp.ExecHandlerFunc {
	return func(next interp.ExecHandlerFunc) interp.ExecHandlerFunc {
		h := middleware(next)
		return func(ctx context.Context, args []string) error {
			if err := h(ctx, args); err != nil {
				if status, ok := errors.AsType[interp.ExitStatus](err); ok {
					return status
				}
				return interp.ExitStatus(1)
			}
			return nil
		}
	}
}
