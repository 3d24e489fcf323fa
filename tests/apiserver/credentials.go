package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/csv"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// Who may use the API server.
const (
	adminUser      = "admin"          // certificate, in adminGroup
	shopUser       = "shop-operator"  // certificate, no group; rights in one namespace only
	tokenUser      = "token-user"     // bearer token, in adminGroup
	frontProxyUser = "front-proxy"    // certificate that the aggregation layer shows
	adminGroup     = "system:masters" // may do everything
)

// credentials is the folder that holds keys, certificates and the token file.
type credentials string

// path returns where one of the folder's files is: NAME.crt and NAME.key for
// NAME in ca, front-proxy-ca, server, admin, shop, front-proxy; the key pair
// service-account.key and service-account.pub; and tokens.csv.
func (c credentials) path(file string) string {
	return filepath.Join(string(c), file)
}

// ensureCredentials returns the credentials kept in dir, made on first use.
func ensureCredentials(dir string) (credentials, error) {
	final := filepath.Join(dir, "pki")
	if _, err := os.Stat(final); err == nil {
		return credentials(final), nil
	}
	// The folder gets its name only when it is complete.
	partial := final + ".new"
	if err := os.RemoveAll(partial); err != nil {
		return "", err
	}
	if err := os.Mkdir(partial, 0o700); err != nil {
		return "", err
	}
	if err := credentials(partial).create(); err != nil {
		return "", err
	}
	return credentials(final), os.Rename(partial, final)
}

// create fills the folder.
func (c credentials) create() error {
	ca, err := c.issue("ca", authorityTemplate("v9s tests"), nil)
	if err != nil {
		return err
	}
	frontProxyCA, err := c.issue("front-proxy-ca", authorityTemplate("v9s tests front proxy"), nil)
	if err != nil {
		return err
	}
	for _, leaf := range []struct {
		name     string
		template *x509.Certificate
		issuer   *issuer
	}{
		{"server", serverTemplate(), ca},
		{"admin", clientTemplate(adminUser, adminGroup), ca},
		{"shop", clientTemplate(shopUser), ca},
		{"front-proxy", clientTemplate(frontProxyUser), frontProxyCA},
	} {
		if _, err := c.issue(leaf.name, leaf.template, leaf.issuer); err != nil {
			return err
		}
	}
	key, err := c.newKey("service-account")
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	if err := writePEM(c.path("service-account.pub"), "PUBLIC KEY", public); err != nil {
		return err
	}
	tokens := fmt.Sprintf("%s,%s,%s,%q\n", rand.Text(), tokenUser, tokenUser, adminGroup)
	return os.WriteFile(c.path("tokens.csv"), []byte(tokens), 0o600)
}

// token reads the bearer token of tokenUser.
func (c credentials) token() (string, error) {
	file, err := os.Open(c.path("tokens.csv"))
	if err != nil {
		return "", err
	}
	defer file.Close()
	record, err := csv.NewReader(file).Read()
	if err != nil {
		return "", err
	}
	return record[0], nil
}

// issuer is a certificate together with its key.
type issuer struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// issue makes a key and a certificate for it, signed by by or, when that is
// nil, by itself, and writes both.
func (c credentials) issue(name string, template *x509.Certificate, by *issuer) (*issuer, error) {
	key, err := c.newKey(name)
	if err != nil {
		return nil, err
	}
	if by == nil {
		by = &issuer{certificate: template, key: key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by.certificate, key.Public(), by.key)
	if err != nil {
		return nil, err
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &issuer{certificate: made, key: key}, writePEM(c.path(name+".crt"), "CERTIFICATE", der)
}

// newKey makes a P-256 key and writes it.
func (c credentials) newKey(name string) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, writePEM(c.path(name+".key"), "PRIVATE KEY", der)
}

func writePEM(path, kind string, der []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}

func authorityTemplate(name string) *x509.Certificate {
	template := leafTemplate(name)
	template.IsCA = true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	return template
}

func serverTemplate() *x509.Certificate {
	template := leafTemplate(apiServerName)
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	template.DNSNames = []string{"localhost", "kubernetes.default.svc"}
	template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(10, 0, 0, 1)}
	return template
}

func clientTemplate(user string, groups ...string) *x509.Certificate {
	template := leafTemplate(user)
	template.Subject.Organization = groups
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	return template
}

func leafTemplate(name string) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)) // rand.Reader never fails
	now := time.Now()
	return &x509.Certificate{
		SerialNumber:          serial.Add(serial, big.NewInt(1)), // zero is not allowed
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.AddDate(10, 0, 0),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true,
	}
}

// kubeconfigs are the paths of the files that tell clients how to get in.
type kubeconfigs struct {
	Admin string `json:"admin"`
	Shop  string `json:"shop"`
	Token string `json:"token"`
}

// writeKubeconfigs writes DIR/admin.kubeconfig, DIR/shop.kubeconfig and
// DIR/token.kubeconfig, each with one context named like the file and with all
// credentials embedded.
func writeKubeconfigs(dir string, c credentials, server string) (kubeconfigs, error) {
	var paths kubeconfigs
	ca, err := os.ReadFile(c.path("ca.crt"))
	if err != nil {
		return paths, err
	}
	token, err := c.token()
	if err != nil {
		return paths, err
	}
	admin, err := c.authInfo("admin")
	if err != nil {
		return paths, err
	}
	shop, err := c.authInfo("shop")
	if err != nil {
		return paths, err
	}
	write := func(name, namespace, user string, auth *clientcmdapi.AuthInfo) string {
		config := clientcmdapi.NewConfig()
		config.Clusters["tests"] = &clientcmdapi.Cluster{Server: server, CertificateAuthorityData: ca}
		config.AuthInfos[user] = auth
		config.Contexts[name] = &clientcmdapi.Context{Cluster: "tests", AuthInfo: user, Namespace: namespace}
		config.CurrentContext = name
		path := filepath.Join(dir, name+".kubeconfig")
		if err == nil {
			err = clientcmd.WriteToFile(*config, path)
		}
		return path
	}
	paths.Admin = write("admin", "", adminUser, admin)
	paths.Shop = write("shop", shopNamespace, shopUser, shop)
	paths.Token = write("token", "", tokenUser, &clientcmdapi.AuthInfo{Token: token})
	return paths, err
}

// authInfo returns what a kubeconfig says about the holder of a certificate.
func (c credentials) authInfo(name string) (*clientcmdapi.AuthInfo, error) {
	certificate, err := os.ReadFile(c.path(name + ".crt"))
	if err != nil {
		return nil, err
	}
	key, err := os.ReadFile(c.path(name + ".key"))
	if err != nil {
		return nil, err
	}
	return &clientcmdapi.AuthInfo{ClientCertificateData: certificate, ClientKeyData: key}, nil
}
