package dnsclient

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"unsafe"

	"golang.org/x/sys/windows"
)

// System returns the addresses of the DNS servers that the system uses: those
// of the network adapters that are up, the preferred adapter first. The error
// wraps [ErrNoServer] if they name none, or says why they cannot be listed.
func System() ([]string, error) {
	first, err := adapters()
	if err != nil {
		return nil, fmt.Errorf("listing network adapters: %w", err)
	}
	var up []*windows.IpAdapterAddresses
	for a := first; a != nil; a = a.Next {
		if a.OperStatus == windows.IfOperStatusUp {
			up = append(up, a)
		}
	}
	slices.SortStableFunc(up, func(a, b *windows.IpAdapterAddresses) int {
		return cmp.Compare(min(a.Ipv4Metric, a.Ipv6Metric), min(b.Ipv4Metric, b.Ipv6Metric))
	})
	// Windows fills these in where no server is set (RFC 3879 deprecates them).
	siteLocal := netip.MustParsePrefix("fec0::/10")
	var out []string
	for _, a := range up {
		for d := a.FirstDnsServerAddress; d != nil; d = d.Next {
			addr, ok := netip.AddrFromSlice(d.Address.IP())
			if !ok || addr.IsUnspecified() || siteLocal.Contains(addr) {
				continue
			}
			if addr.Is6() && addr.IsLinkLocalUnicast() {
				addr = addr.WithZone(strconv.FormatUint(uint64(a.Ipv6IfIndex), 10))
			}
			address, err := ParseServer(addr.String())
			if err == nil && !slices.Contains(out, address) {
				out = append(out, address)
			}
		}
	}
	if len(out) == 0 {
		return nil, ErrNoServer
	}
	return out, nil
}

// adapters returns the list of network adapters. Microsoft's page on
// GetAdaptersAddresses asks for a buffer of 15 KB at first, and to try again
// where the list has grown meanwhile.
func adapters() (*windows.IpAdapterAddresses, error) {
	const flags = windows.GAA_FLAG_SKIP_UNICAST | windows.GAA_FLAG_SKIP_ANYCAST | windows.GAA_FLAG_SKIP_MULTICAST
	size := uint32(15_000)
	var err error
	for range 4 {
		// The structures hold pointers and 64-bit fields, so the buffer is
		// aligned to eight bytes.
		buffer := make([]uint64, size/8+1)
		first := (*windows.IpAdapterAddresses)(unsafe.Pointer(&buffer[0]))
		if err = windows.GetAdaptersAddresses(windows.AF_UNSPEC, flags, 0, first, &size); err == nil {
			return first, nil
		}
		if err != windows.ERROR_BUFFER_OVERFLOW {
			break
		}
	}
	return nil, err
}
