package desk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"iter"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/campaign"
	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/extract"
	"github.com/sekisho/sekisho/extract/filetype"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/m365"
	"github.com/sekisho/sekisho/m365/trace"
	"github.com/sekisho/sekisho/org"
)

// MailIndex finds mails that may be like others.
type MailIndex interface {
	// LikeMails yields mails that may be like one of the given ones. An index may
	// leave out those that cannot be, and need not.
	LikeMails(ctx context.Context, like []campaign.Mail) iter.Seq[*IndexedMail]
}

// IndexedMail is a mail of an index.
type IndexedMail struct {
	campaign.Mail

	File      string // or what the index calls its place
	Index     int    // in a mailbox, from 1
	Line      int    // of a message trace
	Part      string // of the mail that it is attached to
	SHA256    string // of the whole message; empty where there is only a trace of it
	NetworkID string // of Exchange Online; empty if it is not known
	Outcomes  []trace.Recipient
}

// mailFacts are the facts of a message by which it is compared.
func mailFacts(m *eml.Message, content *extract.Content, facts *org.Facts) (out campaign.Mail, networkID string) {
	path := m365.NewPath(m.Header(), facts)
	stamps := m365.ReadStamps(m, path)
	auth := m365.Authenticate(m, path)
	out = campaign.Mail{
		Subject: strings.ToValidUTF8(m.Subject().Text, ""), MessageID: strings.Trim(m.MessageID(), "<>"), Proven: auth.DMARC.Result == "pass",
		Inside: stamps.AuthAs.Is("Internal"),
	}
	if t, ok := m.Date(); ok {
		out.Time = t.UTC()
	}
	out.IP, out.Helo = clientOf(path)
	if !out.IP.IsValid() {
		out.IP = auth.ClientIP
	}
	if f, ok := m.Header().First("Return-Path"); ok {
		out.MailFrom = strings.ToLower(strings.Trim(f.Value(), "<> "))
	}
	if !strings.Contains(out.MailFrom, "@") {
		out.MailFrom = ""
		if auth.MailFrom != "" {
			out.MailFrom = "@" + strings.ToLower(auth.MailFrom)
		}
	}
	if from := m.From(); len(from) > 0 {
		out.From, out.Name = strings.ToLower(from[0].Addr()), from[0].Name
	}
	for _, d := range auth.DKIM {
		if n, err := domain.Parse(d.Domain); err == nil && d.Result == "pass" {
			out.Signers = append(out.Signers, n)
		}
	}
	for _, name := range []string{"To", "Cc"} {
		for _, a := range m.Addresses(name) {
			if len(out.Recipients) < maxListedTo {
				out.Recipients = append(out.Recipients, strings.ToLower(a.Addr()))
			}
		}
	}
	for i := range content.Links {
		l := &content.Links[i]
		if l.Source == extract.FromHeader || l.Target.Host == "" || !l.Target.IsWeb() {
			continue
		}
		out.Links = append(out.Links, campaign.Link{Host: l.Target.Host, Path: l.Target.Path, Query: l.Target.Query})
	}
	for _, a := range content.Attachments {
		f := campaign.File{Name: a.Name, SHA256: a.SHA256}
		if a.Type.Class() == filetype.Image && a.Inline || a.Size == 0 {
			continue // a signature
		}
		out.Files = append(out.Files, f)
	}
	if f, ok := m.Header().First("X-MS-Exchange-Organization-Network-Message-Id"); ok {
		networkID = strings.ToLower(strings.TrimSpace(f.Value()))
	}
	return out, networkID
}

// clientOf returns the address from which the receiving system took a message,
// and what it called itself there. Where Exchange Online did not receive it, it
// is the newest hop from a public address.
func clientOf(path *m365.Path) (netip.Addr, string) {
	if hop, ok := path.SourceHop(); ok {
		return hop.FromIP, hop.From
	}
	if hop, ok := path.IngressHop(); ok {
		return hop.FromIP, hop.From
	}
	for _, hop := range path.Hops {
		if ip := hop.FromIP; ip.IsValid() && ip.IsGlobalUnicast() && !ip.IsPrivate() && !m365.IsMicrosoftHost(hop.From) {
			return ip, hop.From
		}
	}
	return netip.Addr{}, ""
}

// mailsOf takes an input apart: the message, and those attached to it.
func mailsOf(it Item, facts *org.Facts) []*IndexedMail {
	b := budget.New(nil)
	m := eml.Parse(it.Raw, &eml.Options{Budget: b})
	var out []*IndexedMail
	for i, c := range candidates(m, it.Form, b) {
		x := &IndexedMail{File: it.File, Index: it.Index}
		x.Mail, x.NetworkID = mailFacts(c.msg, extract.Read(c.msg, b), facts)
		if i > 0 {
			x.Part = c.part
		} else {
			handed(&x.Mail, it.Handover)
		}
		sum := sha256.Sum256(it.Raw)
		x.SHA256 = hex.EncodeToString(sum[:])
		out = append(out, x)
	}
	return out
}

// FolderIndex is mail in files, folders and mailboxes.
type FolderIndex struct {
	Items iter.Seq[Item]
	Facts *org.Facts
	Words *lang.Catalogue
	// Unread is told of each input that could not be read. It may be nil.
	Unread func(file string, index int, f *Failure)

	Mails int // read so far
}

// LikeMails implements [MailIndex].
func (x *FolderIndex) LikeMails(ctx context.Context, _ []campaign.Mail) iter.Seq[*IndexedMail] {
	return func(yield func(*IndexedMail) bool) {
		for it := range x.Items {
			if ctx.Err() != nil {
				return
			}
			var mails []*IndexedMail
			if f := onItem(it, x.Words, func() { mails = mailsOf(it, x.Facts) }); f != nil {
				if x.Unread != nil {
					x.Unread(it.File, it.Index, f)
				}
				continue
			}
			x.Mails++
			for _, m := range mails {
				if !yield(m) {
					return
				}
			}
		}
	}
}

// TraceIndex is an exported message trace.
type TraceIndex struct {
	File  ReportFile
	Facts *org.Facts
	Words *lang.Catalogue

	Record *TraceFileRecord // after the mails were yielded
}

// LikeMails implements [MailIndex]. It yields the rows as they are; those of one
// mail are put together by who reads them.
func (x *TraceIndex) LikeMails(ctx context.Context, _ []campaign.Mail) iter.Seq[*IndexedMail] {
	return func(yield func(*IndexedMail) bool) {
		// A reader that has seen enough ends the reading of the file.
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		more := true
		x.Record = readTrace(ctx, x.File, x.Words, func(r *trace.Reader, row *trace.Row) {
			if more = more && yield(tracedMail(r, row, x.File.Name)); !more {
				cancel()
			}
		})
	}
}

func tracedMail(r *trace.Reader, row *trace.Row, file string) *IndexedMail {
	out := &IndexedMail{File: file, Line: row.Line, NetworkID: row.NetworkID, Outcomes: row.Recipients}
	out.Time, out.IP, out.Subject, out.MessageID, out.Name = row.Time, row.IP, row.Subject, row.MessageID, row.Name
	out.MailFrom, out.From = row.MailFrom, row.From
	if row.Sender != "" {
		if out.MailFrom == "" && !r.Knows.MailFrom {
			out.MailFrom = row.Sender
		}
		if out.From == "" {
			out.From = row.Sender
		}
	}
	out.Proven = row.DMARC == "pass"
	out.Inside = row.Direction == trace.Outbound || r.Knows.IP && !row.IP.IsValid()
	for _, to := range row.Recipients[:min(len(row.Recipients), 5)] {
		out.Recipients = append(out.Recipients, to.Address)
	}
	return out
}

// campaignOptions say what many have in common.
func campaignOptions(facts *org.Facts) *campaign.Options {
	services := newMailServices()
	shared := sharedHosts()
	return &campaign.Options{
		Own:           func(n domain.Name) bool { _, ok := facts.Owns(string(n)); return ok },
		SharedDomain:  func(n domain.Name) bool { return shared.mail(n) || services.named(n) != "" },
		SharedHost:    func(n domain.Name) bool { return shared.web(n) || services.named(n) != "" },
		SharedAddress: services.sendsForMany,
	}
}

// outcomeRank orders what became of a mail by how much it matters.
func outcomeRank(o trace.Outcome) int {
	return slices.Index([]trace.Outcome{trace.Delivered, trace.OutcomeUnknown, trace.Junked, trace.Quarantined, trace.Blocked}, o)
}

// earliest returns the earlier of two times that are known.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
