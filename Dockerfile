# sockguard alone: one static binary, no shell, no files, no tmpfs.
#
# The binary is compiled on the host, so the image is built without a registry:
#
#   CGO_ENABLED=0 go build -o bin/ ./cmd/sockguard
#   docker build -t sockguard .
#
# It runs as any user; give it the group of the engine's socket
# (--group-add "$(stat -c %g /var/run/docker.sock)").
FROM scratch
COPY bin/sockguard /sockguard
USER 65534:65534
ENTRYPOINT ["/sockguard"]
CMD ["serve"]
