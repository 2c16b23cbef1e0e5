// Package config holds the settings of all commands and runs what serve is told.
//
// A setting has one name in three places: the flag --socket-mode, the variable
// SOCKGUARD_SOCKET_MODE and the key socket-mode of a YAML file. A flag beats a
// variable, a variable beats the file, and the file beats the default. The file
// may list several guards; the settings of one guard beat all of these.
//
// A [Source] collects the settings of a command line, [Serve] runs the guards
// they describe and follows changes of the file.
package config

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

// A Source is where the settings of one command line come from.
type Source struct {
	flags     *pflag.FlagSet
	lookupEnv func(string) (string, bool)
	file      string // "" for none
	debug     bool
	legacy    bool // the command line is one of buildkite/sockguard
}

// NewSource registers all settings as flags of a command, and --config. The
// flags get their values when args, the whole command line, is parsed.
func NewSource(flags *pflag.FlagSet, args []string) *Source {
	s := &Source{flags: flags, lookupEnv: os.LookupEnv, legacy: isLegacy(args)}
	new(document).register(flags)
	flags.StringVar(&s.file, "config", os.Getenv("SOCKGUARD_CONFIG"), "YAML file with the same names")
	flags.BoolVar(&s.debug, "debug", false, "log-level debug")
	flags.MarkHidden("debug")
	flags.SetNormalizeFunc(renameFlag)
	return s
}

// A Config is what serve is told.
type Config struct {
	LogLevel  string
	LogFormat string
	Guards    []Settings // at least one
}

// Load reads the file and returns the settings as they are now.
func (s *Source) Load() (*Config, error) {
	d := &document{}
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	d.register(flags)
	if s.file != "" {
		if err := d.read(s.file); err != nil {
			return nil, err
		}
	}
	var errs []error
	flags.VisitAll(func(f *pflag.Flag) {
		if given := s.flags.Lookup(f.Name); given.Changed {
			errs = append(errs, copyFlag(f, given))
		} else if text, ok := s.lookupEnv(variable(f.Name)); ok {
			errs = append(errs, setFlag(f, text))
		}
	})
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	c := &Config{LogLevel: d.LogLevel, LogFormat: d.LogFormat}
	if s.debug {
		c.LogLevel = "debug"
	}
	if len(d.Guards) == 0 {
		c.Guards = []Settings{d.Defaults}
	}
	for _, node := range d.Guards {
		g := d.Defaults
		if err := yaml.NodeToValue(node, &g, yaml.Strict()); err != nil {
			return nil, fmt.Errorf("%s: %s", s.file, yaml.FormatError(err, false, true))
		}
		c.Guards = append(c.Guards, g)
	}
	for i := range c.Guards {
		c.Guards[i].complete(s.legacy)
	}
	return c, nil
}

// A document is the YAML file.
type document struct {
	Defaults  Settings   `yaml:",inline"`
	LogLevel  string     `yaml:"log-level"`
	LogFormat string     `yaml:"log-format"`
	Guards    []ast.Node `yaml:"guards"` // each a Settings over Defaults
}

func (d *document) register(f *pflag.FlagSet) {
	d.Defaults.register(f)
	f.StringVar(&d.LogLevel, "log-level", "info", "debug, info, warn or error")
	f.StringVar(&d.LogFormat, "log-format", "", "text or json (default: text on a terminal, json off it)")
}

// read adds a YAML file. Its errors show the line.
func (d *document) read(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	err = yaml.NewDecoder(f, yaml.Strict()).Decode(d)
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
