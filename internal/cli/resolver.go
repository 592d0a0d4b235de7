package cli

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/resolve"
	"github.com/sekisho/sekisho/resolve/zone"
)

// DNSOptions say whom to ask.
type DNSOptions struct {
	Server  string        // host and port; empty is the system's
	Timeout time.Duration // for one question; 0 is the default
}

// maxZone bounds a zone file that is read.
const maxZone = 32 << 20

// resolver returns the resolver that the flags and the configuration ask for,
// nil for none. A command that is about DNS asks by itself; one that is not
// asks only if told to.
func (r *run) resolver(byItself bool) (resolve.Resolver, error) {
	f := r.flags
	var out resolve.Resolver
	switch server := f.DNS; {
	case f.DNSZone != "":
		z, err := readZone(f.DNSZone)
		if err != nil {
			return nil, err
		}
		out = z
	case f.Offline:
		return nil, nil
	default:
		if server == "" {
			server = r.config.DNS.Server
		}
		if server == "" && !byItself {
			return nil, nil
		}
		if server == "system" {
			server = ""
		}
		dns, err := r.DNS(DNSOptions{Server: server, Timeout: r.config.DNS.Timeout})
		if err != nil {
			return nil, &desk.Error{Kind: desk.Invalid, Message: lang.M("cli.error.dns", "error", err.Error()), Hint: lang.M("cli.hint.dns"), Err: err}
		}
		out = resolve.NewCache(dns, r.Now, nil)
	}
	if f.DNSRecord != "" {
		r.recorder = resolve.NewRecorder(out)
		out = r.recorder
	}
	return out, nil
}

func readZone(name string) (*zone.Zone, error) {
	file, err := os.Open(name)
	if err != nil {
		kind, key := desk.Denied, "cli.error.zone-unreadable"
		if errors.Is(err, fs.ErrNotExist) {
			kind, key = desk.NotFound, "cli.error.zone-missing"
		}
		return nil, &desk.Error{Kind: kind, Message: lang.M(key, "file", name), Hint: lang.M("cli.hint.zone"), Err: err}
	}
	defer func() { _ = file.Close() }() // it was only read
	if st, err := file.Stat(); err == nil && st.Size() > maxZone {
		return nil, &desk.Error{Kind: desk.Limit, Message: lang.M("cli.error.zone-large", "file", name), Hint: lang.M("cli.hint.zone")}
	}
	z, err := zone.Parse(file)
	if err != nil {
		return nil, &desk.Error{Kind: desk.Invalid, Message: lang.M("cli.error.zone", "file", name, "error", err.Error()), Hint: lang.M("cli.hint.zone"), Err: err}
	}
	z.Source = name
	return z, nil
}

// saveDNS writes what was asked and answered, if the user wants it.
func (r *run) saveDNS() error {
	if r.recorder == nil {
		return nil
	}
	file, err := os.Create(r.flags.DNSRecord)
	if err == nil {
		err = errors.Join(r.recorder.WriteZone(file), file.Close())
	}
	if err != nil {
		return &desk.Error{Kind: desk.Denied, Message: lang.M("cli.error.dns-record", "file", r.flags.DNSRecord, "error", err.Error()), Err: err}
	}
	return nil
}
