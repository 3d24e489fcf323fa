package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/component-base/version"
)

// stopGrace is how long a server that is asked to end may take.
const stopGrace = 2 * time.Second

// errEnd is why the context of serve is cancelled when a signal comes.
var errEnd = errors.New("ended by a signal")

func init() {
	// Keeps main on the main thread, which startProcess needs.
	runtime.LockOSThread()
}

// serve runs the control plane until it is told to end, and returns the exit
// code of the process. All that it says goes to standard output, in JSON.
func serve(args []string) int {
	flags := flag.NewFlagSet("serve", flag.ExitOnError)
	dir := flags.String("dir", "", "folder for data, credentials, kubeconfigs and logs (required)")
	_ = flags.Parse(args)
	if *dir == "" || flags.NArg() > 0 {
		flags.Usage()
		return 2
	}

	ctx, fail := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	go func() {
		<-signals
		fail(errEnd)
	}()

	c, err := newControlPlane(*dir, fail)
	if err == nil {
		err = c.run(ctx)
		c.end()
	}
	if err != nil && !errors.Is(err, errEnd) {
		say(failure{Error: err.Error()})
		return 1
	}
	return 0
}

// controlPlane is the three servers and what they need.
type controlPlane struct {
	dir   string
	lock  *os.File
	creds credentials
	ports ports
	files kubeconfigs
	admin *kubernetes.Clientset
	fail  context.CancelCauseFunc // ends the run

	etcd, apiServer, controllerManager *process
}

// newControlPlane prepares dir. Nothing runs yet.
func newControlPlane(dir string, fail context.CancelCauseFunc) (*controlPlane, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	c := &controlPlane{dir: dir, fail: fail}
	if c.lock, err = lockDir(dir); err != nil {
		return nil, err
	}
	if c.creds, err = ensureCredentials(dir); err != nil {
		return nil, err
	}
	if c.ports, err = ensurePorts(dir); err != nil {
		return nil, err
	}
	if c.files, err = writeKubeconfigs(dir, c.creds, c.url()); err != nil {
		return nil, err
	}
	c.admin, err = newClient(c.files.Admin)
	return c, err
}

func (c *controlPlane) url() string     { return fmt.Sprintf("https://127.0.0.1:%d", c.ports.APIServer) }
func (c *controlPlane) etcdURL() string { return fmt.Sprintf("http://127.0.0.1:%d", c.ports.Etcd) }

// Answers on standard output, one line each.
type (
	readiness struct {
		Ready bool   `json:"ready"`
		URL   string `json:"url"`
		kubeconfigs
		Dir     string `json:"dir"`
		Version string `json:"version"`
	}
	stopped struct {
		Stopped bool `json:"stopped"`
	}
	compacted struct {
		Compacted bool `json:"compacted"`
	}
	failure struct {
		Error string `json:"error"`
	}
)

func say(answer any) {
	_ = json.NewEncoder(os.Stdout).Encode(answer)
}

func (c *controlPlane) sayReady() {
	say(readiness{Ready: true, URL: c.url(), kubeconfigs: c.files, Dir: c.dir, Version: version.Get().GitVersion})
}

// run starts the servers and obeys the commands on standard input until there
// are no more or ctx ends, whose cause it then returns.
func (c *controlPlane) run(ctx context.Context) error {
	commands := make(chan string)
	go func() {
		defer close(commands)
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			commands <- strings.TrimSpace(lines.Text())
		}
	}()

	if err := c.start(ctx); err != nil {
		return err
	}
	c.sayReady()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case command, more := <-commands:
			if !more || command == "quit" {
				return nil
			}
			if err := c.obey(ctx, command); err != nil {
				return err
			}
		}
	}
}

// obey carries out one command. An error ends the run.
func (c *controlPlane) obey(ctx context.Context, command string) error {
	switch command {
	case "":
	case "stop":
		c.apiServer.stop(stopGrace)
		c.apiServer = nil
		say(stopped{Stopped: true})
	case "kill":
		c.apiServer.stop(0)
		c.apiServer = nil
		say(stopped{Stopped: true})
	case "start":
		if err := c.startAPIServer(ctx); err != nil {
			return err
		}
		c.sayReady()
	case "compact":
		if err := compactEtcd(ctx, c.etcdURL()); err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			say(failure{Error: "compact: " + err.Error()})
			return nil
		}
		say(compacted{Compacted: true})
	default:
		say(failure{Error: fmt.Sprintf("unknown command %q; there are stop, start, kill, compact and quit", command)})
	}
	return nil
}

// start starts all servers and waits until the cluster can be used.
func (c *controlPlane) start(ctx context.Context) error {
	var err error
	c.etcd, err = c.startServer(etcdName,
		"--data-dir="+filepath.Join(c.dir, "etcd"),
		"--listen-client-url="+c.etcdURL(),
	)
	if err != nil {
		return err
	}
	if err := c.startAPIServer(ctx); err != nil {
		return err
	}
	// It waits for the API server for ten seconds only, so it comes last.
	c.controllerManager, err = c.startServer(controllerManagerName,
		"--kubeconfig="+c.files.Admin,
		"--controllers="+strings.Join([]string{
			"clusterrole-aggregation-controller",
			"garbage-collector-controller",
			"namespace-controller",
			"persistentvolume-protection-controller",
			"persistentvolumeclaim-protection-controller",
			"resourcequota-controller",
			"serviceaccount-controller",
		}, ","),
		"--leader-elect=false",
		"--secure-port=0",
	)
	if err != nil {
		return err
	}
	return populate(ctx, c.admin)
}

// startAPIServer starts kube-apiserver, unless it runs, and waits until it is
// ready.
func (c *controlPlane) startAPIServer(ctx context.Context) error {
	if c.apiServer == nil {
		var err error
		if c.apiServer, err = c.startServer(apiServerName, c.apiServerFlags()...); err != nil {
			return err
		}
	}
	return awaitReady(ctx, c.admin)
}

func (c *controlPlane) apiServerFlags() []string {
	return []string{
		"--etcd-servers=" + c.etcdURL(),
		"--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1",
		"--secure-port=" + strconv.Itoa(c.ports.APIServer),
		"--tls-cert-file=" + c.creds.path("server.crt"),
		"--tls-private-key-file=" + c.creds.path("server.key"),
		"--client-ca-file=" + c.creds.path("ca.crt"),
		"--token-auth-file=" + c.creds.path("tokens.csv"),
		"--authorization-mode=RBAC",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + c.creds.path("service-account.pub"),
		"--service-account-signing-key-file=" + c.creds.path("service-account.key"),
		"--requestheader-client-ca-file=" + c.creds.path("front-proxy-ca.crt"),
		"--requestheader-allowed-names=" + frontProxyUser,
		"--requestheader-username-headers=X-Remote-User",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file=" + c.creds.path("front-proxy.crt"),
		"--proxy-client-key-file=" + c.creds.path("front-proxy.key"),
		"--service-cluster-ip-range=10.0.0.0/24",
		"--endpoint-reconciler-type=none",
		// Nobody makes the tokens that it would mount into pods.
		"--disable-admission-plugins=ServiceAccount",
		// Pods like those of KubeVirt's own components are let in.
		"--allow-privileged=true",
		"--profiling=false",
	}
}

func (c *controlPlane) startServer(name string, args ...string) (*process, error) {
	return startProcess(c.dir, name, args, c.lock, func(p *process, err error) {
		reason := "exit status 0"
		if err != nil {
			reason = err.Error()
		}
		c.fail(fmt.Errorf("%s ended: %s; see %s", p.name, reason, p.log))
	})
}

// end stops all servers. Only etcd has something to put in order before.
func (c *controlPlane) end() {
	c.controllerManager.stop(0)
	c.apiServer.stop(0)
	c.etcd.stop(stopGrace)
}

// lockDir makes sure that one control plane at a time uses dir. The servers
// hold the lock too, so those of a control plane that was killed are gone when
// the next one gets it.
func lockDir(dir string) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return file, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) || time.Now().After(deadline) {
			file.Close()
			return nil, fmt.Errorf("cannot lock %s, is it in use? %w", dir, err)
		}
	}
}

// ports are where the servers listen, on the loopback address.
type ports struct {
	APIServer int `json:"apiserver"`
	Etcd      int `json:"etcd"`
}

// ensurePorts returns the ports kept in dir, chosen on first use.
func ensurePorts(dir string) (ports, error) {
	var p ports
	path := filepath.Join(dir, "ports.json")
	content, err := os.ReadFile(path)
	if err == nil {
		return p, json.Unmarshal(content, &p)
	}
	if !errors.Is(err, os.ErrNotExist) {
		return p, err
	}
	if p.APIServer, err = freePort(); err != nil {
		return p, err
	}
	for p.Etcd = p.APIServer; p.Etcd == p.APIServer; {
		if p.Etcd, err = freePort(); err != nil {
			return p, err
		}
	}
	if content, err = json.Marshal(p); err != nil {
		return p, err
	}
	return p, os.WriteFile(path, append(content, '\n'), 0o600)
}

// freePort returns a port that nobody listens on. It stays below the range
// from which systems choose the local ports of outgoing connections: while the
// API server is stopped, none of its clients can get the port by chance.
func freePort() (int, error) {
	var err error
	for range 100 {
		port := 20000 + rand.IntN(10000)
		var listener net.Listener
		if listener, err = net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			return port, listener.Close()
		}
	}
	return 0, fmt.Errorf("no free port: %w", err)
}
