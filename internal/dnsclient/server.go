package dnsclient

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/sekisho/sekisho/domain"
)

// Errors about servers.
var (
	// ErrServer means that a text is not the address of a server.
	ErrServer = errors.New("dnsclient: not the address of a DNS server")
	// ErrNoServer means that the system names no DNS server.
	ErrNoServer = errors.New("dnsclient: the system has no DNS server")
)

// port is where DNS servers listen (RFC 1035 section 4.2).
const port = "53"

// ParseServer reads the address of a server and returns it with its port, which
// is 53 unless it is given: "127.0.0.1", "127.0.0.1:5353", "::1", "[::1]:53",
// "resolver.example". The error is [ErrServer].
func ParseServer(s string) (string, error) {
	host, p := strings.TrimSpace(s), port
	if _, err := netip.ParseAddr(host); err != nil {
		switch inner, bracketed := strings.CutPrefix(host, "["); {
		case bracketed && strings.HasSuffix(inner, "]"):
			host = strings.TrimSuffix(inner, "]")
			if a, err := netip.ParseAddr(host); err != nil || !a.Is6() {
				return "", fmt.Errorf("%q: %w", s, ErrServer)
			}
		case strings.Contains(host, ":"):
			if host, p, err = net.SplitHostPort(host); err != nil {
				return "", fmt.Errorf("%q: %w", s, ErrServer)
			}
		}
	}
	n, err := strconv.ParseUint(p, 10, 16)
	if err != nil || n == 0 {
		return "", fmt.Errorf("%q: the port is not between 1 and 65535: %w", s, ErrServer)
	}
	if a, err := netip.ParseAddr(host); err == nil {
		host = a.String()
	} else if name, err := domain.Parse(host); err == nil {
		host = string(name)
	} else {
		return "", fmt.Errorf("%q: %w", s, ErrServer)
	}
	return net.JoinHostPort(host, strconv.FormatUint(n, 10)), nil
}

// isLocal reports whether an address is on this machine.
func isLocal(address string) bool {
	a, err := netip.ParseAddrPort(address)
	return err == nil && a.Addr().Unmap().IsLoopback()
}
