package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"syscall"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
)

// etcd runs a single etcd member until a signal ends it, and returns the exit
// code of the process.
func etcd(args []string) int {
	flags := flag.NewFlagSet(etcdName, flag.ExitOnError)
	dir := flags.String("data-dir", "", "where the data is kept")
	client := flags.String("listen-client-url", "", "where clients connect to")
	_ = flags.Parse(args)

	if err := runEtcd(*dir, *client); err != nil {
		fmt.Fprintln(os.Stderr, "etcd:", err)
		return 1
	}
	return 0
}

func runEtcd(dir, client string) error {
	clientURL, err := url.Parse(client)
	if err != nil {
		return err
	}
	// A single member has no peers; port 0 keeps the listener, which etcd
	// insists on, out of everybody's way.
	peerURL := url.URL{Scheme: "http", Host: "127.0.0.1:0"}

	config := embed.NewConfig()
	config.Name = "tests"
	config.Dir = dir
	config.LogLevel = "warn"
	config.WarningUnaryRequestDuration = embed.DefaultWarningUnaryRequestDuration // zero would log all
	// What is written outlives the process, if not the machine.
	config.UnsafeNoFsync = true
	config.ListenClientUrls = []url.URL{*clientURL}
	config.AdvertiseClientUrls = config.ListenClientUrls
	config.ListenPeerUrls = []url.URL{peerURL}
	config.AdvertisePeerUrls = config.ListenPeerUrls
	config.InitialCluster = config.InitialClusterFromName(config.Name)

	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)

	server, err := embed.StartEtcd(config)
	if err != nil {
		return err
	}
	defer server.Close()
	select {
	case <-signals:
		return nil
	case <-server.Server.StopNotify():
		return errors.New("the server stopped")
	case err := <-server.Err():
		return err
	}
}

// compactEtcd makes the etcd at endpoint forget everything before its current
// revision, through etcd's JSON gateway.
func compactEtcd(ctx context.Context, endpoint string) error {
	var current struct {
		Header struct {
			Revision string `json:"revision"`
		} `json:"header"`
	}
	key := []byte("any") // it need not exist
	if err := callEtcd(ctx, endpoint+"/v3/kv/range", map[string]any{"key": key}, &current); err != nil {
		return err
	}
	request := map[string]any{"revision": current.Header.Revision, "physical": true}
	err := callEtcd(ctx, endpoint+"/v3/kv/compaction", request, &struct{}{})
	if failed := (*etcdError)(nil); errors.As(err, &failed) && failed.Code == outOfRange {
		return nil // compacted before, and nothing was written since
	}
	return err
}

// outOfRange is the gRPC status of a compaction to a compacted revision.
const outOfRange = 11

// etcdError is what etcd answers when it cannot do something.
type etcdError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func (e *etcdError) Error() string { return e.Message }

// callEtcd posts a request to etcd's JSON gateway and decodes the answer.
func callEtcd(ctx context.Context, url string, request, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()

	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	post, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(post)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	decoder := json.NewDecoder(response.Body)
	if response.StatusCode == http.StatusOK {
		return decoder.Decode(answer)
	}
	failed := &etcdError{}
	if err := decoder.Decode(failed); err != nil {
		return errors.New(response.Status)
	}
	return failed
}
