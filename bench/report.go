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
	Machine    machine       `json:"machine"`
	Took       string        `json:"took"`
	Skipped    []skipped     `json:"skipped"`
	Targets    []target      `json:"targets"`
	Memory     []memoryPoint `json:"memory"`
	Throughput []throughput  `json:"throughput"`
	Requests   []requestRate `json:"requests"`
	Streams    []stream      `json:"streams"`
	Rewrite    string        `json:"rewrite"` // output of go test -bench
	Since      string        `json:"-"`       // a comparison with an earlier run, as Markdown
}

// skipped is what could not be measured.
type skipped struct {
	Name string `json:"name"`
	Why  string `json:"why"`
}

// readReport reads the report of an earlier run.
func readReport(file string) (*report, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	r := new(report)
	return r, json.Unmarshal(text, r)
}

// write puts the report into a directory, and publishes it in another one when
// publish names it.
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
	if len(r.Throughput) > 0 {
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

// publish puts the plots and the report, as benchmarks.md, into a directory of
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

// markdown writes the report for people, ratios first.
func (r *report) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Benchmark\n\nMeasured on %s, in %s.\n\n", r.Machine, r.Took)
	for _, s := range r.Skipped {
		line, _, _ := strings.Cut(s.Why, "\n")
		fmt.Fprintf(&b, "- **Not measured: %s**: %s\n", s.Name, line)
	}
	table(&b, "Targets", "Target|Measured|Met", r.Targets, func(t target) string {
		return fmt.Sprintf("%s|%s|%s", t.What, t.Got, map[bool]string{true: "yes", false: "**no**"}[t.Met])
	})
	b.WriteString(r.Since)
	table(&b, "Peak memory", "Contender|Builds at once|One after the other|Context|Engine|Peak RSS|MiB/s", r.Memory, func(m memoryPoint) string {
		return fmt.Sprintf("%s|%d|%d|%s|%s|%s|%.0f", m.Contender, m.Builds, m.Turns, m.Context, m.Engine, or(m.Error, bytesText(m.Peak)),
			float64(m.Context.Size)*float64(m.Builds*m.Turns)/mib/max(m.Seconds, 1e-9))
	})
	table(&b, "Throughput of contexts", "Contender|Context|Of direct|sockguard, of it|MiB/s|Its CPU, us for a MiB|The engine's", r.Throughput, func(t throughput) string {
		ratio := strings.TrimSpace(fmt.Sprintf("%.2f %s", t.Ratio, or(t.Error, "")))
		return fmt.Sprintf("%s|%s|%s|%.2f|%.0f|%.0f|%.0f", t.Contender, t.Context, ratio, t.Guard, t.MiBs, t.CPU*1e6, t.EngineCPU*1e6)
	})
	table(&b, "Requests", "Contender|Request|Clients|Of direct|sockguard, of it|Its p99, of it|Per second|p50, us|p99, us|Its CPU, us for a request|The engine's", r.Requests, func(q requestRate) string {
		return fmt.Sprintf("%s|%s|%d|%s|%.2f|%.2f|%.0f|%.0f|%.0f|%.0f|%.0f",
			q.Contender, q.Request, q.Clients, or(q.Error, fmt.Sprintf("%.2f", q.Ratio)), q.Guard, q.GuardP99, q.Rate, q.P50*1e6, q.P99*1e6, q.CPU*1e6, q.EngineCPU*1e6)
	})
	table(&b, "Hijacked streams", "Contender|Echo, of direct|MiB/s|Byte there and back p50, us|p99, us|Idle attaches|Memory of each", r.Streams, func(s stream) string {
		return fmt.Sprintf("%s|%s|%.0f|%.0f|%.0f|%d|%s", s.Contender, or(s.Error, fmt.Sprintf("%.2f", s.Ratio)), s.MiBs, s.P50*1e6, s.P99*1e6, s.Idle, bytesText(s.IdleEach))
	})
	r.boundsTable(&b)
	if r.Rewrite != "" {
		fmt.Fprintf(&b, "\n## The rewrite alone\n\n```\n%s```\n", r.Rewrite)
	}
	return b.String()
}

func or(problem, value string) string {
	if problem == "" {
		return value
	}
	line, _, _ := strings.Cut(problem, "\n")
	return line
}

// table writes a Markdown table; head and rows are cells between bars.
func table[T any](b *strings.Builder, title, head string, rows []T, row func(T) string) {
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(b, "\n## %s\n\n| %s |\n|%s\n", title, strings.ReplaceAll(head, "|", " | "), strings.Repeat("---|", strings.Count(head, "|")+1))
	for _, r := range rows {
		fmt.Fprintf(b, "| %s |\n", strings.ReplaceAll(row(r), "|", " | "))
	}
}
