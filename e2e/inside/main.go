// Inside is what the end-to-end suite runs in a client container: it builds a
// directory through DOCKER_HOST with the Engine SDK, runs the image attached,
// and prints what the container said and how many containers it can see.
package main

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "inside:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return errors.New("usage: inside DIRECTORY TAG")
	}
	engine, err := client.New(client.FromEnv)
	if err != nil {
		return err
	}
	defer engine.Close()
	if err := build(ctx, engine, args[0], args[1]); err != nil {
		return err
	}
	created, err := engine.ContainerCreate(ctx, client.ContainerCreateOptions{Image: args[1]})
	if err != nil {
		return err
	}
	said, err := attached(ctx, engine, created.ID)
	if err != nil {
		return err
	}
	fmt.Printf("said %s", said)
	list, err := engine.ContainerList(ctx, client.ContainerListOptions{All: true})
	if err != nil {
		return err
	}
	fmt.Printf("containers listed: %d\n", len(list.Items))
	_, err = engine.ContainerRemove(ctx, created.ID, client.ContainerRemoveOptions{})
	return err
}

func build(ctx context.Context, engine *client.Client, dir, tag string) error {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := errors.Join(w.AddFS(os.DirFS(dir)), w.Close()); err != nil {
		return err
	}
	resp, err := engine.ImageBuild(ctx, &b, client.ImageBuildOptions{Tags: []string{tag}})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err = io.Copy(os.Stdout, resp.Body); err != nil {
		return err
	}
	_, err = engine.ImageInspect(ctx, tag)
	return err
}

// attached starts a container and returns what it says to its end.
func attached(ctx context.Context, engine *client.Client, id string) (string, error) {
	stream, err := engine.ContainerAttach(ctx, id, client.ContainerAttachOptions{Stream: true, Stdout: true})
	if err != nil {
		return "", err
	}
	defer stream.Close()
	wait := engine.ContainerWait(ctx, id, client.ContainerWaitOptions{Condition: container.WaitConditionNextExit})
	if _, err := engine.ContainerStart(ctx, id, client.ContainerStartOptions{}); err != nil {
		return "", err
	}
	var out bytes.Buffer
	if _, err := stdcopy.StdCopy(&out, io.Discard, stream.Reader); err != nil {
		return "", err
	}
	select {
	case err := <-wait.Error:
		return "", err
	case result := <-wait.Result:
		if result.StatusCode != 0 {
			return "", fmt.Errorf("exit status %d", result.StatusCode)
		}
	}
	return out.String(), nil
}
