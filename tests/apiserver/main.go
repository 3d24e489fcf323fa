// Command apiserver is a real, if small, Kubernetes control plane for tests:
// one binary that holds etcd, kube-apiserver, kube-controller-manager and
// kubectl.
//
//	apiserver serve --dir DIR    run the control plane; see README.md for the protocol
//	apiserver kubectl ARGS...    run kubectl
//	apiserver version            print the Kubernetes version
//
// "serve" runs each server as a child process of itself, through the
// sub-commands etcd, kube-apiserver and kube-controller-manager. These are
// internal: they end when their standard input does.
package main

import (
	"fmt"
	"io"
	"os"

	"k8s.io/component-base/cli"
	"k8s.io/component-base/version"
	"k8s.io/kubectl/pkg/cmd"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
	kubeapiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
)

// Names of the servers: sub-commands, log files and words in messages.
const (
	etcdName              = "etcd"
	apiServerName         = "kube-apiserver"
	controllerManagerName = "kube-controller-manager"
)

const usage = `usage:
  apiserver serve --dir DIR    run etcd, kube-apiserver and kube-controller-manager
  apiserver kubectl ARGS...    run kubectl
  apiserver version            print the Kubernetes version
`

func main() {
	if len(os.Args) < 2 {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	// From here on each command looks as if it were a program of its own.
	os.Args = os.Args[1:]
	switch os.Args[0] {
	case "serve":
		os.Exit(serve(os.Args[1:]))
	case "kubectl":
		if err := cli.RunNoErrOutput(cmd.NewDefaultKubectlCommand()); err != nil {
			cmdutil.CheckErr(err)
		}
	case "version":
		fmt.Println(version.Get().GitVersion)
	case etcdName:
		exitWithParent()
		os.Exit(etcd(os.Args[1:]))
	case apiServerName:
		exitWithParent()
		os.Exit(cli.Run(kubeapiserver.NewAPIServerCommand()))
	case controllerManagerName:
		exitWithParent()
		os.Exit(cli.Run(controllermanager.NewControllerManagerCommand()))
	case "help", "-h", "--help":
		fmt.Print(usage)
	default:
		fmt.Fprintf(os.Stderr, "apiserver: unknown command %q\n%s", os.Args[0], usage)
		os.Exit(2)
	}
}

// exitWithParent ends this process when the pipe that serve holds on its
// standard input is closed, which the system does however serve ended.
func exitWithParent() {
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(1)
	}()
}
