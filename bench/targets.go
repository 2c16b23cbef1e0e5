package main

import (
	"fmt"
	"math"
	"slices"
)

// A target is what a figure ought to be, and what it is.
type target struct {
	What string `json:"what"`
	Got  string `json:"got"`
	Met  bool   `json:"met"`
}

// The targets. Ratios are of rates, between contenders of one run.
const (
	maxOneBuild    = 24 * mib // peak RSS
	maxEightBuilds = 40 * mib
	maxRequests    = 32 * mib
	maxIdle        = 32 << 10 // of one attach

	largeOfBest, largeOfDirect = 1.4, 0.7
	smallOfBest, smallOfDirect = 1.2, 0.7
	compressedOfDirect         = 1.0

	requestsOfReverseProxy = 1.0
	requestsOfHAProxy      = 0.8 // geometric mean
	echoOfReverseProxy     = 0.9
)

// judge compares sockguard's figures with the targets. It leaves out those that
// were not measured.
func (r *report) judge() (all []target) {
	for _, l := range slices.Concat(r.Contexts, r.Requests, r.Streams) {
		if l.Contender == guardName && l.Error != "" {
			all = append(all, target{"no failure, " + l.What, l.Error, false})
		}
	}
	all = append(all, r.judgeMemory("one build of any size", maxOneBuild, func(m memoryPoint) bool { return m.Builds == 1 })...)
	all = append(all, r.judgeMemory("8 builds at once", maxEightBuilds, func(m memoryPoint) bool { return m.Builds == 8 })...)
	all = append(all, r.judgeMemory("requests", maxRequests, func(m memoryPoint) bool { return m.Kind == requestsKind })...)
	all = append(all, r.judgeMemory("an idle attach", maxIdle, func(m memoryPoint) bool { return m.Kind == idleKind })...)
	for _, l := range r.Contexts {
		if l.Contender != guardName {
			continue
		}
		ofBest, ofDirect := largeOfBest, largeOfDirect
		switch {
		case l.Context.Codec != "":
			ofBest, ofDirect = 0, compressedOfDirect
		case l.Context.Shape == small:
			ofBest, ofDirect = smallOfBest, smallOfDirect
		}
		all = append(all, atLeast(ofDirect, "of direct, "+l.What, l.OfDirect))
		if name, ratio := bestOther(r.Contexts, l.What); name != "" && ofBest > 0 {
			all = append(all, atLeast(ofBest, fmt.Sprintf("of the best other (%s), %s", name, l.What), ratio))
		}
	}
	all = append(all, r.judgeRequests()...)
	for _, l := range r.Streams {
		if l.Contender == reverseProxyName && l.What == echoName && l.Rate > 0 {
			all = append(all, atLeast(echoOfReverseProxy, "of "+l.Contender+", "+l.What, l.Guard))
		}
	}
	return all
}

// judgeMemory judges the largest of sockguard's points that are wanted. An error is
// larger than any number.
func (r *report) judgeMemory(what string, limit int64, wanted func(memoryPoint) bool) []target {
	worst := memoryPoint{}
	for _, m := range r.Memory {
		if m.Contender == guardName && wanted(m) && (m.Bytes > worst.Bytes || m.Error != "") {
			worst = m
			if m.Error != "" {
				break
			}
		}
	}
	if worst.What == "" {
		return nil
	}
	return []target{{
		fmt.Sprintf("at most %s for %s", bytesText(limit), what),
		fmt.Sprintf("%s (%s)", or(worst.Error, bytesText(worst.Bytes)), worst.What),
		worst.Error == "" && worst.Bytes <= limit,
	}}
}

func (r *report) judgeRequests() (all []target) {
	var sum float64
	var n int
	for _, l := range r.Requests {
		switch {
		case l.Contender == reverseProxyName && l.Rate > 0:
			all = append(all, atLeast(requestsOfReverseProxy, "of "+l.Contender+", "+l.What, l.Guard))
		case l.Contender == haproxyName && l.Rate > 0:
			sum += math.Log(l.Guard)
			n++
		}
	}
	if n > 0 {
		all = append(all, atLeast(requestsOfHAProxy, "of HAProxy, geometric mean of all requests", math.Exp(sum/float64(n))))
	}
	return all
}

// bestOther returns the fastest of the contenders that are no sockguard of ours, and
// sockguard's rate to its.
func bestOther(lines []line, what string) (name string, ratio float64) {
	for _, l := range lines {
		ours := l.Contender == directName || l.Contender == guardName || l.Contender == beforeName
		if l.What == what && !ours && l.Rate > 0 && (name == "" || l.Guard < ratio) {
			name, ratio = l.Contender, l.Guard
		}
	}
	return name, ratio
}

func atLeast(want float64, what string, got float64) target {
	return target{fmt.Sprintf("at least %.2f %s", want, what), fmt.Sprintf("%.2f", got), got >= want}
}
