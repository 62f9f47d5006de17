package servers

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Certificate names the files that a server needs for TLS: a certificate for 127.0.0.1 and
// localhost, its key, and the certificate of the authority that signed it.
type Certificate struct{ Authority, Chain, Key string }

// Certificates makes an authority and a server's certificate. The files are gone when the test has
// ended.
func Certificates(t testing.TB) Certificate {
	t.Helper()
	if !supported {
		missing(t, "server", errors.New("servers in tests need Linux"))
	}
	dir, err := plot("certificates", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	c := Certificate{
		Authority: filepath.Join(dir, "authority.pem"),
		Chain:     filepath.Join(dir, "server.pem"),
		Key:       filepath.Join(dir, "server.key"),
	}
	if err := errors.Join(os.Chmod(dir, 0o755), c.write()); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c Certificate) write() error {
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority of a test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	server := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: authority.NotBefore, NotAfter: authority.NotAfter,
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	caKey, err1 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	key, err2 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	root, err1 := x509.CreateCertificate(rand.Reader, authority, authority, &caKey.PublicKey, caKey)
	leaf, err2 := x509.CreateCertificate(rand.Reader, server, authority, &key.PublicKey, caKey)
	secret, err3 := x509.MarshalPKCS8PrivateKey(key)
	return errors.Join(err1, err2, err3,
		writePEM(c.Authority, "CERTIFICATE", root, 0o644),
		writePEM(c.Chain, "CERTIFICATE", leaf, 0o644),
		writePEM(c.Key, "PRIVATE KEY", secret, 0o600),
		c.hand(unprivileged()))
}

// hand gives the key to the user that PostgreSQL runs as, which refuses one that others can read.
// Redis runs as root where that is not the test's own user.
func (c Certificate) hand(to *account) error {
	if to == nil {
		return nil
	}
	return os.Chown(c.Key, int(to.uid), int(to.gid))
}

func writePEM(file, kind string, content []byte, mode os.FileMode) error {
	return os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), mode)
}

// Redis returns the lines of a configuration for [Engine.Start] with TLS and nothing else. Clients
// need no certificate.
func (c Certificate) Redis() []string {
	return []string{
		"tls-cert-file " + c.Chain, "tls-key-file " + c.Key, "tls-ca-cert-file " + c.Authority,
		"tls-auth-clients no", "tls-replication yes", "tls-cluster yes",
	}
}

// Postgres returns the lines of a configuration for [NewPostgres] with TLS.
func (c Certificate) Postgres() []string {
	return []string{
		"ssl = on", "ssl_cert_file = '" + c.Chain + "'", "ssl_key_file = '" + c.Key + "'",
		"ssl_ca_file = '" + c.Authority + "'",
	}
}

// TLS returns how a client trusts the server.
func (c Certificate) TLS(t testing.TB) *tls.Config {
	t.Helper()
	config, err := trusting(c.Authority)
	if err != nil {
		t.Fatal(err)
	}
	return config
}

// trusting returns the configuration of a client that trusts the authority in a file.
func trusting(authority string) (*tls.Config, error) {
	text, err := os.ReadFile(authority)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, errors.New(authority + " holds no certificate")
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, nil
}
