package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"syscall"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
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
	config.Dir = dir
	config.LogLevel = "warn"
	config.UnsafeNoFsync = true // written data outlives the process, not the machine
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

// compactEtcd makes etcd forget everything before its current revision.
func compactEtcd(ctx context.Context, endpoint string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()

	client, err := clientv3.New(clientv3.Config{Endpoints: []string{endpoint}})
	if err != nil {
		return err
	}
	defer client.Close()

	current, err := client.Get(ctx, "revision", clientv3.WithCountOnly())
	if err != nil {
		return err
	}
	_, err = client.Compact(ctx, current.Header.Revision, clientv3.WithCompactPhysical())
	if errors.Is(err, rpctypes.ErrCompacted) {
		return nil // nothing was written since the last time
	}
	return err
}
