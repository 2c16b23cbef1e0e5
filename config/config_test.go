package config

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

// loadText loads a YAML text with flags and variables, as serve does.
func loadText(t *testing.T, text string, args []string, environ map[string]string) ([]Settings, error) {
	t.Helper()
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	source := NewSource(flags, nil)
	source.lookupEnv = func(name string) (string, bool) { v, ok := environ[name]; return v, ok }
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	if text != "" {
		source.file = filepath.Join(t.TempDir(), "sockguard.yaml")
		if err := os.WriteFile(source.file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := source.Load()
	if err != nil {
		return nil, err
	}
	return c.Guards, nil
}

func TestPrecedence(t *testing.T) {
	for _, tt := range []struct {
		name, file string
		args       []string
		environ    map[string]string
		want       []string // owner and binds of each guard
	}{
		{name: "flag", args: []string{"--owner", "flag"}, environ: map[string]string{"SOCKGUARD_OWNER": "env"}, file: "owner: file", want: []string{"flag []"}},
		{name: "variable", environ: map[string]string{"SOCKGUARD_OWNER": "env", "SOCKGUARD_ALLOW_BIND": "/a,/b"}, file: "owner: file", want: []string{"env [/a /b]"}},
		{name: "file", file: "owner: file\nallow-bind: [/a]", want: []string{"file [/a]"}},
		{name: "empty file", file: "# nothing\n", want: []string{" []"}},
		{name: "guards", file: "allow-bind: [/a]\nguards:\n- owner: one\n- owner: two\n  allow-bind: [/b]\n", want: []string{"one [/a]", "two [/b]"}},
		{name: "old names", args: []string{"--owner-label", "old", "--allow-host-mode-networking"}, want: []string{"old []"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			guards, err := loadText(t, tt.file, tt.args, tt.environ)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, g := range guards {
				got = append(got, g.Owner+" ["+strings.Join(g.AllowBind, " ")+"]")
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A mistake in the file is shown where it stands.
func TestFileErrorsShowTheLine(t *testing.T) {
	for file, want := range map[string]string{
		"owner: a\nownr: b\n":                    "[2:1] unknown field \"ownr\"",
		"owner: a\nguards:\n- listen: x\n  a: b": "[4:3] unknown field \"a\"",
		"owner: [a]\n":                           "[1:8]",
		"owner: a\nowner: b\n":                   "[2:1]",
	} {
		if _, err := loadText(t, file, nil, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", file, err, want)
		}
	}
}

func TestSettingsAreChecked(t *testing.T) {
	for args, want := range map[string]string{
		"":                            "no owner",
		"--owner a --label-key a=b":   "label key",
		"--owner a --allow-bind work": "absolute path",
		"--owner a --allow-port 0":    "port or a range",
		"--owner a --allow-tag [":     "write a repository",
		"--owner a --allow-tag a/* --allow-tag b":   "",
		"--owner a --allow-port 9-8":                "port or a range",
		"--owner a --allow-subnet 10.0.0.1":         "write a range",
		"--owner a --max-memory lots":               "write a size",
		"--owner a --max-cpus -1":                   "number of CPUs",
		"--owner a --max-pids -1":                   "cannot be negative",
		"--owner a --link x --join-network y":       "joins networks already",
		"--owner a --join-alias y":                  "name the container",
		"--owner a --link a:b:c":                    "CONTAINER:ALIAS",
		"--owner a --allow-bind /w:ro --link x:y":   "",
		"--owner-label a -- ":                       "",
		"--owner a --max-memory 2g --allow-port 80": "",
	} {
		guards, err := loadText(t, "", strings.Fields(args), nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = guards[0].policy()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v, want %q", args, err, want)
		}
	}
}

// The command lines of buildkite/sockguard mean what they meant.
func TestModernize(t *testing.T) {
	for in, want := range map[string]string{
		"-filename=x -mode 0660 -gid -1":      "serve --filename=x --mode 0660 --gid -1",
		"--owner-label a":                     "serve --owner-label a",
		"serve --owner a":                     "serve --owner a",
		"rewrite --owner a":                   "rewrite --owner a",
		"-h":                                  "-h",
		"-debug -upstream-socket /run/d.sock": "serve --debug --upstream-socket /run/d.sock",
	} {
		if got := strings.Join(Modernize(strings.Fields(in)), " "); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

// TestReferenceNamesEverySetting: docs/configuration.md has the settings that
// serve has.
func TestReferenceNamesEverySetting(t *testing.T) {
	text, err := os.ReadFile("../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	page, _, _ := strings.Cut(string(text), "## Coming from")
	named := map[string]bool{}
	for _, m := range regexp.MustCompile("`([a-z]+(?:-[a-z]+)*)`").FindAllStringSubmatch(page, -1) {
		named[m[1]] = true
	}
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	new(document).register(flags)
	flags.VisitAll(func(f *pflag.Flag) {
		if !named[f.Name] {
			t.Errorf("%s is not in the reference", f.Name)
		}
	})
	for _, m := range regexp.MustCompile(`(?m)^\| .*? \|`).FindAllString(page, -1) {
		for _, name := range regexp.MustCompile("`([a-z-]+)`").FindAllStringSubmatch(m, -1) {
			if flags.Lookup(name[1]) == nil {
				t.Errorf("the reference has %s, serve has not", name[1])
			}
		}
	}
}
