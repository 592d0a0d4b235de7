// Package imap reads a folder of a mailbox over IMAP (RFC 3501, RFC 9051). It
// only reads: the folder is opened with EXAMINE and mails are fetched with
// BODY.PEEK, so that nothing is marked as read.
//
// A place in a folder is UIDVALIDITY and the last UID. When UIDVALIDITY changes,
// the server has numbered all mails anew, and reading starts over. A server that
// can IDLE (RFC 2177) tells of new mail at once; others are asked.
package imap

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

// TLS says when a connection is encrypted.
type TLS = desk.MailboxTLS

// The ways.
const (
	Implicit = desk.MailboxTLSImplicit
	StartTLS = desk.MailboxStartTLS
	None     = desk.MailboxNoTLS
)

// Options says which folder to read, and how.
type Options struct {
	Server string // host and port
	TLS    TLS    // "" is Implicit
	User   string
	Folder string // "" is INBOX; folders in folders are parted by slashes

	// Password returns the password. Token returns an OAuth token in its place;
	// Renew is told of one that was refused.
	Password func(ctx context.Context) (string, error)
	Token    func(ctx context.Context) (string, error)
	Renew    func(token string)

	MaxMessage  int64          // bytes of a mail; 0 is that of package budget
	Timeout     time.Duration  // for an answer without mails; 0 is 1 minute
	ListTimeout time.Duration  // for a list of mails, and for one mail; 0 is 5 minutes
	RootCAs     *x509.CertPool // who may vouch for the server; nil: those of the system

	// Poll asks for new mail from time to time even where the server would tell.
	Poll bool

	// Dial connects; nil uses the network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

const (
	maxChatter = 1 << 20  // bytes of answers without mail
	maxList    = 64 << 20 // bytes of a list of mails
	maxListed  = 500_000  // mails of one look; the next goes on from there

	// longIdle is how long IDLE goes on without a word. A connection that died
	// is noticed then.
	longIdle = 9 * time.Minute
)

// Reader reads a folder. It is for one goroutine.
type Reader struct {
	o        *Options
	conn     *meter
	client   *imapclient.Client
	validity uint32
	news     chan struct{} // gets a value when the server tells of mail
}

var _ desk.MailboxReader = (*Reader)(nil)

// Open connects, signs in and opens the folder. Errors are [*desk.Error].
func Open(ctx context.Context, o *Options) (*Reader, error) {
	d := *o
	o = &d
	o.TLS = cmp.Or(o.TLS, Implicit)
	o.Folder = cmp.Or(o.Folder, "INBOX")
	o.MaxMessage = cmp.Or(o.MaxMessage, budget.DefaultBytes)
	o.Timeout = cmp.Or(o.Timeout, time.Minute)
	o.ListTimeout = cmp.Or(o.ListTimeout, 5*time.Minute)
	if o.Dial == nil {
		o.Dial = (&net.Dialer{Timeout: 30 * time.Second}).DialContext
	}
	if _, _, err := net.SplitHostPort(o.Server); err != nil {
		return nil, o.failure(err)
	}
	r, err := o.open(ctx)
	if errors.Is(err, errRefusedToken) { // it may have been revoked before its time
		r, err = o.open(ctx)
	}
	if err != nil {
		return nil, o.failure(err)
	}
	return r, nil
}

func (o *Options) open(ctx context.Context) (*Reader, error) {
	conn, err := o.dial(ctx)
	if err != nil {
		return nil, err
	}
	r := &Reader{o: o, conn: conn, news: make(chan struct{}, 1)}
	err = r.within(ctx, o.Timeout, maxChatter, func() error { return r.start(ctx) })
	if err == nil {
		err = r.examine(ctx)
	}
	if err != nil {
		_ = r.Close() // the error says more
		return nil, err
	}
	return r, nil
}

// start greets, encrypts and signs in.
func (r *Reader) start(ctx context.Context) error {
	options := &imapclient.Options{UnilateralDataHandler: &imapclient.UnilateralDataHandler{
		Mailbox: func(d *imapclient.UnilateralDataMailbox) {
			if d.NumMessages != nil {
				select {
				case r.news <- struct{}{}:
				default:
				}
			}
		},
	}}
	if r.o.TLS == StartTLS {
		options.TLSConfig = r.o.tls()
		client, err := imapclient.NewStartTLS(r.conn, options)
		if err != nil {
			return fmt.Errorf("starting TLS: %w", err)
		}
		r.client = client
	} else {
		r.client = imapclient.New(r.conn, options)
	}
	if err := r.client.WaitGreeting(); err != nil {
		return err
	}
	if r.client.State() == imap.ConnStateAuthenticated {
		return nil
	}
	// What a server said before TLS does not count.
	caps, err := r.client.Capability().Wait()
	if err != nil {
		return err
	}
	return r.signIn(ctx, caps)
}

// errRefusedToken is a token that the server does not take.
var errRefusedToken = errors.New("imap: the token was refused")

func (r *Reader) signIn(ctx context.Context, caps imap.CapSet) error {
	if r.o.Token != nil {
		token, err := r.o.Token(ctx)
		if err != nil {
			return err
		}
		var mechanism sasl.Client = &xoauth2{r.o.User, token}
		if !caps.Has(imap.AuthCap("XOAUTH2")) && caps.Has(imap.AuthCap(sasl.OAuthBearer)) {
			host, _, _ := net.SplitHostPort(r.o.Server) // checked before
			mechanism = sasl.NewOAuthBearerClient(&sasl.OAuthBearerOptions{Username: r.o.User, Token: token, Host: host})
		}
		err = r.client.Authenticate(mechanism)
		if isNo(err) {
			if r.o.Renew != nil {
				r.o.Renew(token)
			}
			return fmt.Errorf("%w: %w", errRefusedToken, err)
		}
		return err
	}
	password, err := r.o.Password(ctx)
	if err != nil {
		return err
	}
	switch {
	case caps.Has(imap.AuthCap(sasl.Plain)):
		err = r.client.Authenticate(sasl.NewPlainClient("", r.o.User, password))
	case !caps.Has(imap.CapLoginDisabled):
		err = r.client.Login(r.o.User, password).Wait()
	default:
		return errNoMechanism
	}
	if isNo(err) {
		return fmt.Errorf("%w: %w", errPassword, err)
	}
	return err
}

var errPassword = errors.New("imap: user and password were refused")

func isNo(err error) bool {
	e, ok := errors.AsType[*imap.Error](err)
	return ok && e.Type == imap.StatusResponseTypeNo
}

// examine opens the folder to read.
func (r *Reader) examine(ctx context.Context) error {
	return r.within(ctx, r.o.Timeout, maxChatter, func() error {
		data, err := r.client.Select(r.folder(), &imap.SelectOptions{ReadOnly: true}).Wait()
		if isNo(err) {
			return fmt.Errorf("%w: %w", errFolder, err)
		}
		if err != nil {
			return err
		}
		if data.UIDValidity == 0 {
			return errNoUIDs
		}
		r.validity = data.UIDValidity
		return nil
	})
}

var (
	errFolder = errors.New("imap: the folder cannot be opened")
	errNoUIDs = errors.New("imap: the server does not keep the numbers of mails (UIDVALIDITY)")
)

func (r *Reader) folder() string {
	if strings.EqualFold(r.o.Folder, "inbox") {
		return "INBOX"
	}
	return r.o.Folder
}

// Check returns how many mails are in the folder.
func (r *Reader) Check() *desk.MailboxFolderInfo {
	info := &desk.MailboxFolderInfo{Folder: r.folder()}
	if m := r.client.Mailbox(); m != nil {
		info.Mails = int(m.NumMessages)
	}
	return info
}

// listed is a mail in a list.
type listed struct {
	uid  imap.UID
	size int64
	at   time.Time
}

// place writes a cursor.
func place(validity uint32, uid imap.UID) string {
	return strconv.FormatUint(uint64(validity), 10) + ":" + strconv.FormatUint(uint64(uid), 10)
}

// after returns the last UID of a cursor, 0 where it is one of other numbers.
func after(cursor string, validity uint32) imap.UID {
	v, u, _ := strings.Cut(cursor, ":")
	if n, err := strconv.ParseUint(v, 10, 32); err != nil || uint32(n) != validity {
		return 0
	}
	n, err := strconv.ParseUint(u, 10, 32)
	if err != nil {
		return 0
	}
	return imap.UID(n)
}

// Mails implements [desk.MailboxReader].
func (r *Reader) Mails(ctx context.Context, cursor string) iter.Seq2[desk.MailboxStep, error] {
	return func(yield func(desk.MailboxStep, error) bool) {
		select {
		case <-r.news: // what it tells of is listed now
		default:
		}
		list, err := r.list(ctx, after(cursor, r.validity))
		if err != nil {
			yield(desk.MailboxStep{}, r.o.failure(err))
			return
		}
		for _, l := range list {
			at := place(r.validity, l.uid)
			step := desk.MailboxStep{Cursor: at, Mail: &desk.MailboxMail{Key: at, Received: l.at, Raw: func(ctx context.Context) ([]byte, error) { return r.raw(ctx, l) }}}
			if !yield(step, nil) {
				return
			}
		}
	}
}

// list returns the mails after a UID, in the order of those.
func (r *Reader) list(ctx context.Context, last imap.UID) ([]listed, error) {
	if last == 1<<32-1 {
		return nil, nil
	}
	var out []listed
	err := r.within(ctx, r.o.ListTimeout, maxList, func() error {
		set := imap.UIDSet{}
		set.AddRange(last+1, 0) // up to the newest
		cmd := r.client.Fetch(set, &imap.FetchOptions{UID: true, RFC822Size: true, InternalDate: true})
		for m := cmd.Next(); m != nil; m = cmd.Next() {
			var l listed
			for item := m.Next(); item != nil; item = m.Next() {
				switch item := item.(type) {
				case imapclient.FetchItemDataUID:
					l.uid = item.UID
				case imapclient.FetchItemDataRFC822Size:
					l.size = item.Size
				case imapclient.FetchItemDataInternalDate:
					l.at = item.Time
				}
			}
			// A server answers "n:*" with its newest mail even if that is before n.
			if l.uid > last && len(out) < maxListed {
				out = append(out, l)
			}
		}
		return cmd.Close()
	})
	slices.SortFunc(out, func(a, b listed) int { return cmp.Compare(a.uid, b.uid) })
	return out, err
}

// raw fetches a mail. A mail that was not listed in one piece with the rest is
// fetched in a later look: UIDs only grow.
func (r *Reader) raw(ctx context.Context, l listed) ([]byte, error) {
	tooLarge := &desk.Error{Kind: desk.Limit, Message: lang.M("mailboxes.error.large", "mib", r.o.MaxMessage>>20), Hint: lang.M("mailboxes.hint.large")}
	if l.size > r.o.MaxMessage {
		return nil, tooLarge
	}
	var body []byte
	found, large := false, false
	// A mail may be longer than what the server said of its size.
	err := r.within(ctx, r.o.ListTimeout, r.o.MaxMessage+maxChatter, func() error {
		cmd := r.client.Fetch(imap.UIDSetNum(l.uid), &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{{Peek: true}}})
		var read error
		for m := cmd.Next(); m != nil; m = cmd.Next() {
			for item := m.Next(); item != nil; item = m.Next() {
				b, ok := item.(imapclient.FetchItemDataBodySection)
				if !ok || b.Literal == nil || found {
					continue
				}
				found = true
				if body, read = io.ReadAll(io.LimitReader(b.Literal, r.o.MaxMessage+1)); int64(len(body)) > r.o.MaxMessage {
					large = true
				}
			}
		}
		return errors.Join(read, cmd.Close())
	})
	switch {
	case large:
		return nil, tooLarge
	case isNo(err) || err == nil && !found:
		return nil, &desk.Error{Kind: desk.NotFound, Message: lang.M("mailboxes.error.gone"), Err: err}
	case err != nil:
		return nil, r.o.failure(err)
	}
	return body, nil
}

// Wait implements [desk.MailboxReader].
func (r *Reader) Wait(ctx context.Context, d time.Duration) error {
	if r.o.Poll || !r.client.Caps().Has(imap.CapIdle) {
		return r.pause(ctx, d)
	}
	var idle *imapclient.IdleCommand
	err := r.within(ctx, r.o.Timeout, maxChatter, func() (err error) {
		idle, err = r.client.Idle()
		return err
	})
	if err != nil {
		return r.o.failure(err)
	}
	err = r.pause(ctx, max(d, longIdle))
	end := r.within(ctx, r.o.Timeout, maxChatter, func() error {
		if err := idle.Close(); err != nil {
			return err
		}
		return idle.Wait()
	})
	if err == nil && end != nil {
		err = r.o.failure(end)
	}
	return err
}

// pause waits for a word of the server, the time, or the end.
func (r *Reader) pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-r.client.Closed():
		return r.o.failure(io.ErrUnexpectedEOF)
	case <-r.news:
	case <-t.C:
	}
	return nil
}

// Close implements [desk.MailboxReader].
func (r *Reader) Close() error {
	if r.client == nil {
		return r.conn.Close()
	}
	return r.client.Close()
}
