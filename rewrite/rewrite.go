// Package rewrite turns bytes into bytes: Dockerfile text, build-context tars
// and JSON bodies go in as a client sent them and come out as an engine may
// have them. It knows no HTTP and asks nobody: what it cannot decide alone (may
// this base image be used?) it hands to a func field.
//
// Everything streams. Nothing sized by the client is held without a ceiling
// that ends in a [Refusal]; there are no temporary files.
package rewrite
