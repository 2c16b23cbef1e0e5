package proxy

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"sockguard/policy/verdict"
	"sockguard/rewrite"
)

// logged logs an exchange that resp answers, and returns resp.
func (g *Guard) logged(r *http.Request, x *exchange, resp *http.Response) *http.Response {
	g.log(r, x, resp.StatusCode, nil)
	return resp
}

// log writes the one line of a decision. The line has no query, body or header:
// they may contain build arguments and credentials.
func (g *Guard) log(r *http.Request, x *exchange, status int, err error) {
	level, met := slog.LevelInfo, "allow"
	switch {
	case err != nil:
		level, met = slog.LevelWarn, "deny"
	case x.excused != nil:
		level, met, err = slog.LevelWarn, "would deny", x.excused
	}
	if !g.Log.Enabled(context.Background(), level) {
		return
	}
	// A Logger would look up the caller's address for each line.
	now := time.Now()
	line := slog.NewRecord(now, level, "request", 0)
	line.AddAttrs(
		slog.String("verdict", met),
		slog.String("method", r.Method),
		slog.String("route", routeOf(x, r)),
		slog.Int("status", status),
		slog.Int64("took_us", now.Sub(x.start).Microseconds()),
	)
	if d, ok := errors.AsType[*verdict.Denied](err); ok {
		line.AddAttrs(slog.String("rule", d.Rule))
	}
	if err != nil {
		line.AddAttrs(slog.String("reason", rewrite.Clip(err.Error())))
	}
	g.Log.Handler().Handle(context.Background(), line)
}

// logCut logs why an upload or an answer ended early after the decision was logged,
// unless a denial has logged it or the client has left.
func (g *Guard) logCut(r *http.Request, x *exchange) {
	for what, body := range map[string]*rewrite.Body{"upload": x.upload, "answer": x.answer} {
		if body != nil && body.Err() != nil && !x.denied && x.Err() == nil {
			g.Log.Warn("cut", "what", what, "method", r.Method, "route", routeOf(x, r), "reason", rewrite.Clip(body.Err().Error()))
		}
	}
}

// routeOf returns the pattern of the route, or the path if there is no route.
func routeOf(x *exchange, r *http.Request) string {
	if x.request == nil {
		return rewrite.Clip(r.URL.Path)
	}
	return x.request.Route.Pattern
}
