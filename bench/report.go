package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A report is everything that a run found out.
type report struct {
	Machine  machine       `json:"machine"`
	Took     string        `json:"took"`
	Skipped  []skipped     `json:"skipped"`
	Targets  []target      `json:"targets"`
	Memory   []memoryPoint `json:"memory"`
	Contexts []line        `json:"contexts"`
	Requests []line        `json:"requests"`
	Streams  []line        `json:"streams"`
	Rewrite  string        `json:"rewrite"` // the output of go test -bench
}

// write writes the report to a directory, and publishes it in another one unless
// publish is empty.
func (r *report) write(dir, publish string) error {
	r.Targets = r.judge()
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	files := map[string]string{"report.json": string(text) + "\n", "report.md": r.markdown()}
	if len(r.Memory) > 0 {
		files["memory.svg"] = r.memoryPlot()
	}
	if len(r.Contexts) > 0 {
		files["throughput.svg"] = r.throughputPlot()
	}
	if len(r.Requests) > 0 {
		files["requests.svg"] = r.requestsPlot()
	}
	if r.Rewrite != "" {
		files["rewrite.txt"] = r.Rewrite
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	fmt.Print(files["report.md"])
	if publish == "" {
		return nil
	}
	return r.publish(publish, files)
}

// publish writes the report, as benchmarks.md, and the plots to a directory of
// documents.
func (r *report) publish(dir string, files map[string]string) error {
	title, rest, _ := strings.Cut(files["report.md"], "\n")
	text := title + "s\n"
	for _, name := range []string{"memory", "throughput", "requests"} {
		plot, drawn := files[name+".svg"]
		if !drawn {
			continue
		}
		text += fmt.Sprintf("\n![%s](%s.svg)\n", name, name)
		if err := os.WriteFile(filepath.Join(dir, name+".svg"), []byte(plot), 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, "benchmarks.md"), []byte(text+rest), 0o644)
}

const reportText = `
The contenders do the same work in turns, in front of an engine that reads and
checks what it gets. Only sockguard changes build contexts. Each ratio is the
median over the rounds of one run: "of direct" is to the engine's own socket,
"sockguard's" is sockguard's rate to that of the contender in the line.
`

// markdown writes the report for people.
func (r *report) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Benchmark\n\nMeasured on %s, in %s.\n%s\n", r.Machine, r.Took, reportText)
	for _, s := range r.Skipped {
		line, _, _ := strings.Cut(s.Why, "\n")
		fmt.Fprintf(&b, "- **Not measured: %s**: %s\n", s.Name, line)
	}
	table(&b, "Targets", "Target|Measured|Met", r.Targets, func(t target) string {
		return fmt.Sprintf("%s|%s|%s", t.What, t.Got, map[bool]string{true: "yes", false: "**no**"}[t.Met])
	})
	table(&b, "Peak memory", "Work|Contender|RSS", r.Memory, func(m memoryPoint) string {
		return fmt.Sprintf("%s|%s|%s", m.What, m.Contender, or(m.Error, bytesText(m.Bytes)))
	})
	linesTable(&b, "Build contexts", "MiB", r.Contexts)
	linesTable(&b, "Requests", "request", r.Requests)
	linesTable(&b, "Streams", "unit", r.Streams)
	if r.Rewrite != "" {
		fmt.Fprintf(&b, "\n## The rewrite alone\n\n```\n%s```\n", r.Rewrite)
	}
	return b.String()
}

// linesTable writes a table of lines, ratios first.
func linesTable(b *strings.Builder, title, unit string, lines []line) {
	head := fmt.Sprintf("What|Contender|Of direct|sockguard's|Rate|p50, us|p99, us|CPU of a %s, us|The engine's", unit)
	table(b, title, head, lines, func(l line) string {
		if l.Rate == 0 {
			return fmt.Sprintf("%s|%s|%s||||||", l.What, l.Contender, or(l.Error, ""))
		}
		p50, p99 := "", ""
		if l.P50 > 0 {
			p50, p99 = fmt.Sprintf("%.0f", l.P50*1e6), fmt.Sprintf("%.0f", l.P99*1e6)
		}
		ofDirect := strings.TrimSpace(fmt.Sprintf("%.2f %s", l.OfDirect, or(l.Error, "")))
		return fmt.Sprintf("%s|%s|%s|%.2f|%s|%s|%s|%.1f|%.1f", l.What, l.Contender, ofDirect, l.Guard, l.rateText(), p50, p99, l.CPU*1e6, l.EngineCPU*1e6)
	})
}

// or returns the first line of the problem, if there is one, otherwise the value.
func or(problem, value string) string {
	if problem == "" {
		return value
	}
	line, _, _ := strings.Cut(problem, "\n")
	return line
}

// table writes a Markdown table. The cells of head and rows are separated by bars.
func table[T any](b *strings.Builder, title, head string, rows []T, row func(T) string) {
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(b, "\n## %s\n\n| %s |\n|%s\n", title, strings.ReplaceAll(head, "|", " | "), strings.Repeat("---|", strings.Count(head, "|")+1))
	for _, r := range rows {
		fmt.Fprintf(b, "| %s |\n", strings.ReplaceAll(row(r), "|", " | "))
	}
}
