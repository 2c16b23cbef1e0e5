package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/spf13/pflag"
)

// config is everything that serve is told.
type config struct {
	Defaults  settings `yaml:",inline"`
	LogLevel  string   `yaml:"log-level"`
	LogFormat string   `yaml:"log-format"`
	// Guards are several guards of one process. Each has the settings above
	// where it has none of its own.
	Guards []ast.Node `yaml:"guards"`
}

func (c *config) register(f *pflag.FlagSet) {
	c.Defaults.register(f)
	f.StringVar(&c.LogLevel, "log-level", "info", "debug, info, warn or error")
	f.StringVar(&c.LogFormat, "log-format", "", "text or json (default: text on a terminal, json off it)")
}

// load returns the configuration and the settings of each guard. A flag beats a
// variable, a variable beats the file, and the file beats the default; the
// guards of a file beat all of them, for they are the more special.
func load(file string, flags *pflag.FlagSet, environ func(string) (string, bool)) (*config, []settings, error) {
	c := &config{}
	fresh := pflag.NewFlagSet("", pflag.ContinueOnError)
	c.register(fresh)
	if file != "" {
		if err := c.read(file); err != nil {
			return nil, nil, err
		}
	}
	var errs []error
	fresh.VisitAll(func(f *pflag.Flag) {
		if given := flags.Lookup(f.Name); given != nil && given.Changed {
			errs = append(errs, copyFlag(f, given))
		} else if text, ok := environ(variable(f.Name)); ok {
			errs = append(errs, setFlag(f, text))
		}
	})
	if err := errors.Join(errs...); err != nil {
		return nil, nil, err
	}
	guards := []settings{c.Defaults}
	if len(c.Guards) > 0 {
		guards = nil
	}
	for _, node := range c.Guards {
		s := c.Defaults
		if err := yaml.NodeToValue(node, &s, yaml.Strict()); err != nil {
			return nil, nil, fmt.Errorf("%s: %s", file, yaml.FormatError(err, false, true))
		}
		guards = append(guards, s)
	}
	return c, guards, nil
}

// read adds a YAML file. Its errors show the line.
func (c *config) read(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	err = yaml.NewDecoder(f, yaml.Strict()).Decode(c)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: %s", file, yaml.FormatError(err, false, true))
	}
	return nil
}

// variable is the environment variable of a flag.
func variable(flag string) string {
	return "SOCKGUARD_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// setFlag sets a flag from a variable; lists are separated by commas.
func setFlag(f *pflag.Flag, text string) error {
	var err error
	if list, ok := f.Value.(pflag.SliceValue); ok {
		err = list.Replace(strings.Split(text, ","))
	} else {
		err = f.Value.Set(text)
	}
	if err != nil {
		return fmt.Errorf("%s=%s: %w", variable(f.Name), text, err)
	}
	return nil
}

func copyFlag(to, from *pflag.Flag) error {
	if list, ok := from.Value.(pflag.SliceValue); ok {
		return to.Value.(pflag.SliceValue).Replace(list.GetSlice())
	}
	return to.Value.Set(from.Value.String())
}
