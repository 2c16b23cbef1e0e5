// Package fieldtest tests tables of fields.
package fieldtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"sockguard/policy/field"
)

// Covers reports the members of API types that have no row in the table, such as a
// field that an update of the API module adds.
func Covers[D field.Draft](t *testing.T, table field.Table[D], apis ...any) {
	t.Helper()
	for _, api := range apis {
		for _, name := range JSONNames(reflect.TypeOf(api)) {
			if table.Find(name) == nil {
				t.Errorf("%T.%s has no verdict", api, name)
			}
		}
	}
}

// JSONNames returns the JSON names of the fields of a struct type.
func JSONNames(typ reflect.Type) []string {
	var names []string
	for f := range typ.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-":
		case f.Anonymous && name == "":
			names = append(names, JSONNames(f.Type)...)
		case name == "":
			names = append(names, f.Name)
		default:
			names = append(names, name)
		}
	}
	return names
}

// Complete reports duplicate rows, rows that refuse without a reason, and rows of
// checked fields without a check or with a By that names no function of the
// package under test or of those in dirs.
func Complete[D field.Draft](t *testing.T, table field.Table[D], dirs ...string) {
	t.Helper()
	declared := map[string]bool{}
	for _, dir := range append(dirs, ".") {
		declare(t, dir, declared)
	}
	seen := map[string]bool{}
	for _, f := range table {
		switch checked := f.Verdict == field.Checked; {
		case seen[f.Name]:
			t.Errorf("%s is there twice", f.Name)
		case f.Verdict == field.Refused && f.Why == "":
			t.Errorf("%s is refused without a reason", f.Name)
		case checked != (f.Check != nil || f.By != ""), f.Check != nil && f.By != "":
			t.Errorf("%s needs either a check or the name of what checks it, if it is checked at all", f.Name)
		case f.By != "" && !declared[f.By]:
			t.Errorf("%s is checked by %s, which does not exist", f.Name, f.By)
		}
		seen[f.Name] = true
	}
}

// declare adds the functions and methods that the files of a directory declare.
func declare(t *testing.T, dir string, declared map[string]bool) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok {
				declared[fn.Name.Name] = true
			}
		}
	}
}
