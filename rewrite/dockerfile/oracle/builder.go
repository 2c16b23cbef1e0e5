package main

import (
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// A builder finds the images of a Dockerfile as the classic builder does.
type builder struct {
	*request
	escape rune
	vars   env
	stages []stage
	names  map[string]int
	refs   []ref
}

// A stage is a FROM and what follows it.
type stage struct {
	line int
	*instructions.Stage
	commands []command
}

type command struct {
	line int
	any
}

// build reads all instructions, then resolves the stages up to the target.
func (b *builder) build(nodes []*parser.Node) error {
	b.vars, b.names = env{}, map[string]int{}
	for k, v := range b.Args {
		if strings.HasSuffix(strings.ToLower(k), "_proxy") && v != nil {
			b.vars[k] = *v
		}
	}
	var metas []*instructions.ArgCommand
	for _, n := range nodes {
		cmd, err := instruction(n)
		if err != nil {
			return err
		}
		from, isFrom := cmd.(*instructions.Stage)
		meta, isArg := cmd.(*instructions.ArgCommand)
		switch {
		case isFrom:
			b.stages = append(b.stages, stage{line: n.StartLine, Stage: from})
		case len(b.stages) > 0:
			s := &b.stages[len(b.stages)-1]
			s.commands = append(s.commands, command{n.StartLine, cmd})
		case isArg:
			metas = append(metas, meta)
		default:
			return errors.New("no build stage in current context")
		}
	}
	if len(b.stages) == 0 {
		return errors.New("no build stage")
	}
	if err := b.cutAtTarget(); err != nil {
		return err
	}
	for _, m := range metas {
		if err := b.meta(m); err != nil {
			return err
		}
	}
	for i := range b.stages {
		if err := b.resolve(i); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) cutAtTarget() error {
	if b.Target == "" {
		return nil
	}
	for i, s := range b.stages {
		if strings.EqualFold(s.Name, b.Target) {
			b.stages = b.stages[:i+1]
			return nil
		}
	}
	return errors.New("no target")
}

// meta evaluates an ARG before the first FROM.
func (b *builder) meta(m *instructions.ArgCommand) error {
	seen := maps.Clone(b.vars)
	err := m.Expand(func(word string) (string, error) { return expand(word, b.escape, seen) })
	if err != nil {
		return err
	}
	for _, a := range m.Args {
		switch v := b.Args[a.Key]; {
		case v != nil:
			b.vars[a.Key] = *v
		case a.Value != nil:
			b.vars[a.Key] = *a.Value
		default:
			delete(b.vars, a.Key)
		}
	}
	return nil
}

// resolve finds the images of one stage.
func (b *builder) resolve(i int) error {
	s := &b.stages[i]
	if _, taken := b.names[s.Name]; taken && s.Name != "" {
		return errors.New("name taken")
	}
	platform, err := expand(s.Platform, b.escape, b.vars)
	if err != nil || platform == "" && s.Platform != "" {
		return fmt.Errorf("platform %v", err)
	}
	base, err := expand(s.BaseName, b.escape, b.vars)
	if err != nil || base == "" {
		return fmt.Errorf("base %v", err)
	}
	if from, ok := b.names[strings.ToLower(base)]; ok {
		triggers := b.stages[from].commands
		b.stages[from].commands = nil // once is enough: what is a stage stays one
		if err := b.triggers(triggers, i); err != nil {
			return err
		}
	} else if base != "scratch" {
		b.refs = append(b.refs, ref{s.line, base, platform, true})
	}
	for _, c := range s.commands {
		if err := b.copied(c, i); err != nil {
			return err
		}
	}
	if s.Name != "" {
		b.names[s.Name] = i
	}
	return nil
}

// triggers runs the ONBUILDs of a stage that stage i starts from.
func (b *builder) triggers(commands []command, i int) error {
	for _, c := range commands {
		on, ok := c.any.(*instructions.OnbuildCommand)
		if !ok {
			continue
		}
		r, err := parser.Parse(strings.NewReader(on.Expression))
		if err != nil || len(r.AST.Children) != 1 {
			return fmt.Errorf("trigger %v", err)
		}
		cmd, err := instruction(r.AST.Children[0])
		if err != nil {
			return err
		}
		if err := b.copied(command{c.line, cmd}, i); err != nil {
			return err
		}
	}
	return nil
}

// copied notes the image of a COPY --from in stage i.
func (b *builder) copied(c command, i int) error {
	cmd, ok := c.any.(*instructions.CopyCommand)
	if !ok || cmd.From == "" {
		return nil
	}
	if _, ok := b.names[strings.ToLower(cmd.From)]; ok {
		return nil
	}
	if n, err := strconv.ParseInt(cmd.From, 10, 0); err == nil {
		if n < 0 || int(n) >= i {
			return errors.New("index")
		}
		return nil
	}
	b.refs = append(b.refs, ref{Line: c.line, Ref: cmd.From})
	return nil
}
