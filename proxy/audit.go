package proxy

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"sockguard/policy"
)

// logged logs the decision behind resp and returns resp.
func (g *Guard) logged(r *http.Request, x *exchange, resp *http.Response) *http.Response {
	g.log(r, x, resp.StatusCode, nil)
	return resp
}

// log writes the one line of a decision. It holds no query, no body and no
// header: build arguments and credentials travel there.
func (g *Guard) log(r *http.Request, x *exchange, status int, err error) {
	level, verdict := slog.LevelInfo, "allow"
	switch {
	case err != nil:
		level, verdict = slog.LevelWarn, "deny"
	case x.excused != nil:
		level, verdict, err = slog.LevelWarn, "would deny", x.excused
	}
	if !g.Log.Enabled(context.Background(), level) {
		return
	}
	attrs := make([]slog.Attr, 0, 8)
	attrs = append(attrs,
		slog.String("verdict", verdict),
		slog.String("method", r.Method),
		slog.String("route", routeOf(x, r)),
		slog.String("owner", g.Policy.Owner),
		slog.Int("status", status),
		slog.Int64("took_us", time.Since(x.start).Microseconds()),
	)
	if d, ok := errors.AsType[*policy.Denied](err); ok {
		attrs = append(attrs, slog.String("rule", d.Rule))
	}
	if err != nil {
		attrs = append(attrs, slog.String("reason", err.Error()))
	}
	g.Log.LogAttrs(context.Background(), level, "request", attrs...)
}

// routeOf names what was asked for: the pattern of a route, or the path as it
// came when there is no route.
func routeOf(x *exchange, r *http.Request) string {
	if x.request == nil {
		return r.URL.Path
	}
	return x.request.Route.Pattern
}
