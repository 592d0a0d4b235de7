package source

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"

	"github.com/sekisho/sekisho/domain"
)

// Kind says what a service does.
type Kind string

// The kinds.
const (
	Sender  Kind = "sender"  // sends for its customers: newsletters, tickets, invoices
	Mailbox Kind = "mailbox" // has the mailboxes of its customers, and passes mail on for them
	Gateway Kind = "gateway" // filters mail for its customers, in and out
	List    Kind = "list"    // runs mailing lists
	Hosting Kind = "hosting" // rents servers to anybody: a name, and no more than that
)

// Entry is a service and how its mail is told.
type Entry struct {
	ID, Name string
	Kind     Kind
	DKIM     []domain.Name // signs with these or below, as itself
	SPF      []domain.Name // its envelope senders are these or below
	PTR      []domain.Name // its hosts are these or below
	Networks []netip.Prefix
	Source   string // page of the service about it
	Date     string // on which the entry was written, YYYY-MM-DD
}

// ErrCatalogue means that a table of services or sources cannot be used.
var ErrCatalogue = errors.New("source: bad table")

// Catalogue finds services. It is immutable; the zero Catalogue knows none.
type Catalogue struct {
	entries        []Entry
	dkim, spf, ptr map[domain.Name]int
	networks       []network
}

type network struct {
	prefix netip.Prefix
	entry  int
}

// catalogueHeader are the columns of a table of services.
var catalogueHeader = [...]string{"id", "name", "kind", "dkim", "spf", "ptr", "networks", "source", "date"}

// ParseCatalogue reads a table of services: CSV with the columns id, name,
// kind, dkim, spf, ptr, networks, source and date. Several names or networks
// in a field are separated by spaces; lines with # are comments. The error is
// [ErrCatalogue] with the line.
func ParseCatalogue(r io.Reader) (*Catalogue, error) {
	rows, err := table(r, catalogueHeader[:])
	if err != nil {
		return nil, err
	}
	c := &Catalogue{dkim: map[domain.Name]int{}, spf: map[domain.Name]int{}, ptr: map[domain.Name]int{}}
	ids := map[string]bool{}
	for _, row := range rows {
		f := row.fields
		e := Entry{ID: f[0], Name: f[1], Kind: Kind(f[2]), Source: f[7], Date: f[8]}
		if e.ID == "" || e.Name == "" || ids[e.ID] || !slices.Contains([]Kind{Sender, Mailbox, Gateway, List, Hosting}, e.Kind) {
			return nil, row.bad(e.ID + ", " + f[2])
		}
		ids[e.ID] = true
		for _, x := range []struct {
			text string
			into *[]domain.Name
			at   map[domain.Name]int
		}{{f[3], &e.DKIM, c.dkim}, {f[4], &e.SPF, c.spf}, {f[5], &e.PTR, c.ptr}} {
			for s := range strings.FieldsSeq(x.text) {
				n, err := domain.Parse(s)
				if _, dup := x.at[n]; err != nil || dup {
					return nil, row.bad(s)
				}
				*x.into = append(*x.into, n)
				x.at[n] = len(c.entries)
			}
		}
		for s := range strings.FieldsSeq(f[6]) {
			p, err := netip.ParsePrefix(s)
			if err != nil {
				return nil, row.bad(s)
			}
			e.Networks = append(e.Networks, p.Masked())
			c.networks = append(c.networks, network{p.Masked(), len(c.entries)})
		}
		c.entries = append(c.entries, e)
	}
	return c, nil
}

// Entries returns all services.
func (c *Catalogue) Entries() []Entry { return slices.Clone(c.entries) }

func (c *Catalogue) find(at map[domain.Name]int, n domain.Name) *Entry {
	for ; n != ""; n = n.Parent() {
		if i, ok := at[n]; ok {
			return &c.entries[i]
		}
	}
	return nil
}

func (c *Catalogue) network(ip netip.Addr) *Entry {
	for _, n := range c.networks {
		if n.prefix.Contains(ip) {
			return &c.entries[n.entry]
		}
	}
	return nil
}

// By says by what a source is recognised.
type By string

// The ways.
const (
	ByAddress By = "ip"   // an address or a network
	BySigner  By = "dkim" // a signature of the domain that passed
	BySPF     By = "spf"  // an envelope sender that passed SPF
	ByPTR     By = "ptr"  // the name of the host, confirmed forwards and backwards
	ByFrom    By = "from" // the author domain
)

// Verdict is what the owner of a domain says of a source.
type Verdict struct {
	By     By
	Name   domain.Name  // for all ways but ByAddress: itself or below
	Prefix netip.Prefix // for ByAddress
	Class  Class
	Label  string // for people; may be empty
}

// ParseVerdicts reads what an owner says of sources: CSV with the columns
// match, class and name, where match is ip:192.0.2.0/24, dkim:mail.example,
// spf:mail.example, ptr:mail.example or from:news.kiso-works.example. The first
// line that matches decides. The error is [ErrCatalogue] with the line.
func ParseVerdicts(r io.Reader) ([]Verdict, error) {
	rows, err := table(r, []string{"match", "class", "name"})
	if err != nil {
		return nil, err
	}
	var out []Verdict
	for _, row := range rows {
		by, what, _ := strings.Cut(row.fields[0], ":")
		v := Verdict{By: By(strings.ToLower(strings.TrimSpace(by))), Class: Class(strings.ToLower(row.fields[1])), Label: row.fields[2]}
		what = strings.TrimSpace(what)
		if !slices.Contains(Classes(), v.Class) {
			return nil, row.bad(row.fields[1])
		}
		switch v.By {
		case ByAddress:
			v.Prefix, err = netip.ParsePrefix(what)
			if err != nil {
				var ip netip.Addr
				if ip, err = netip.ParseAddr(what); err == nil {
					v.Prefix = netip.PrefixFrom(ip.Unmap(), ip.Unmap().BitLen())
				}
			}
		case BySigner, BySPF, ByPTR, ByFrom:
			v.Name, err = domain.Parse(what)
		default:
			err = ErrCatalogue
		}
		if err != nil {
			return nil, row.bad(row.fields[0])
		}
		out = append(out, v)
	}
	return out, nil
}

// maxTable bounds a table that is read.
const maxTable = 4 << 20

type tableRow struct {
	line   int
	fields []string
}

func (r *tableRow) bad(what string) error {
	return fmt.Errorf("%w: line %d: %q", ErrCatalogue, r.line, what)
}

// table reads CSV with a header that has to be there.
func table(r io.Reader, header []string) ([]tableRow, error) {
	c := csv.NewReader(io.LimitReader(r, maxTable))
	c.Comment, c.TrimLeadingSpace, c.FieldsPerRecord = '#', true, len(header)
	var out []tableRow
	for first := true; ; first = false {
		fields, err := c.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrCatalogue, err)
		}
		line, _ := c.FieldPos(0)
		for i := range fields {
			fields[i] = strings.TrimSpace(fields[i])
		}
		fields[0] = strings.TrimPrefix(fields[0], "\ufeff") // written by spreadsheets
		if first {
			if !slices.Equal(fields, header) {
				return nil, fmt.Errorf("%w: the first line must be %s", ErrCatalogue, strings.Join(header, ","))
			}
			continue
		}
		out = append(out, tableRow{line, fields})
	}
}
