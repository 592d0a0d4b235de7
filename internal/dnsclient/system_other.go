//go:build !windows

package dnsclient

import (
	"fmt"
	"net"

	"github.com/miekg/dns"
)

// System returns the addresses of the DNS servers that the system uses, from
// /etc/resolv.conf. The error wraps [ErrNoServer] if that file names none, or
// says why it cannot be read.
func System() ([]string, error) { return readConfig("/etc/resolv.conf") }

func readConfig(path string) ([]string, error) {
	config, err := dns.ClientConfigFromFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	var out []string
	for _, host := range config.Servers {
		if address, err := ParseServer(net.JoinHostPort(host, config.Port)); err == nil {
			out = append(out, address)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("reading %s: %w", path, ErrNoServer)
	}
	return out, nil
}
