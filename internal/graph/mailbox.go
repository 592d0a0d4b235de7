package graph

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"strings"
	"time"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

// Mailbox reads a folder of a mailbox by delta queries
// (https://learn.microsoft.com/graph/delta-query-messages). Its cursor is the
// link that the last page gave.
type Mailbox struct {
	c      *Client
	folder string
	id     string // of the folder, once it was looked up
}

var _ desk.MailboxReader = (*Mailbox)(nil)

const (
	maxPages   = 1000 // of one look; the next goes on from there
	maxDepth   = 10   // of folders
	maxKey     = 500  // bytes of the ID of a mail
	maxPerPage = 2000 // mails; more than 1,000 is never sent
)

// Mailbox returns a reader of a folder: a well-known name such as "inbox", an
// ID, or names as Outlook shows them, parted by slashes: "Inbox/Reported".
func (c *Client) Mailbox(folder string) *Mailbox { return &Mailbox{c: c, folder: folder} }

type folderAnswer struct {
	ID    string `json:"id"`
	Name  string `json:"displayName"`
	Mails int    `json:"totalItemCount"`
}

// Check looks the folder up and returns what is in it.
func (m *Mailbox) Check(ctx context.Context) (*desk.MailboxFolderInfo, error) {
	f, err := m.lookUp(ctx)
	if err != nil {
		return nil, err
	}
	return &desk.MailboxFolderInfo{Folder: clip(f.Name), Mails: f.Mails}, nil
}

// wellKnown are the folders that have a name in every language
// (https://learn.microsoft.com/graph/api/resources/mailfolder).
func wellKnown(name string) bool {
	switch strings.ToLower(name) {
	case "inbox", "archive", "junkemail", "deleteditems", "sentitems", "drafts", "outbox", "msgfolderroot", "recoverableitemsdeletions":
		return true
	}
	return false
}

// wellKnownName returns such a name as the service has it, and an ID as it is.
func wellKnownName(name string) string {
	if wellKnown(name) {
		return strings.ToLower(name)
	}
	return name
}

func (m *Mailbox) lookUp(ctx context.Context) (*folderAnswer, error) {
	names := strings.Split(m.folder, "/")
	if len(names) > maxDepth {
		return nil, m.noFolder()
	}
	query := url.Values{"$select": {"id,displayName,totalItemCount"}}
	var f folderAnswer
	for i, name := range names {
		if i == 0 && (wellKnown(name) || len(name) > 60) { // an ID is longer than any name
			if err := m.c.json(ctx, m.c.address(query, "mailFolders", wellKnownName(name)), &f); err != nil {
				return nil, err
			}
			continue
		}
		query := url.Values{"$select": query["$select"], "$filter": {"displayName eq '" + strings.ReplaceAll(name, "'", "''") + "'"}}
		address := m.c.address(query, "mailFolders")
		if i > 0 {
			address = m.c.address(query, "mailFolders", f.ID, "childFolders")
		}
		var page struct {
			Value []folderAnswer `json:"value"`
		}
		if err := m.c.json(ctx, address, &page); err != nil {
			return nil, err
		}
		if len(page.Value) == 0 {
			return nil, m.noFolder()
		}
		f = page.Value[0]
	}
	if f.ID == "" || len(f.ID) > maxKey {
		return nil, m.c.badAnswer(errors.New("graph: a folder without ID"))
	}
	return &f, nil
}

func (m *Mailbox) noFolder() error {
	return &desk.Error{Kind: desk.NotFound, Message: lang.M("mailboxes.error.folder", "folder", m.folder), Hint: lang.M("mailboxes.hint.folder")}
}

type page struct {
	Value []struct {
		ID       string    `json:"id"`
		Received time.Time `json:"receivedDateTime"`
		Removed  *struct{} `json:"@removed"`
	} `json:"value"`
	Next  string `json:"@odata.nextLink"`
	Delta string `json:"@odata.deltaLink"`
}

// Mails implements [desk.MailboxReader]. Changes of mails, such as being read,
// come as well and are told apart by the marks of the desk. A server that gives
// the same page again is stopped with [desk.ErrCursor].
func (m *Mailbox) Mails(ctx context.Context, cursor string) iter.Seq2[desk.MailboxStep, error] {
	return func(yield func(desk.MailboxStep, error) bool) {
		link, err := m.start(ctx, cursor)
		if err != nil {
			yield(desk.MailboxStep{}, err)
			return
		}
		seen := map[[sha256.Size]byte]bool{}
		for range maxPages {
			sum := sha256.Sum256([]byte(link))
			if seen[sum] {
				yield(desk.MailboxStep{}, fmt.Errorf("graph: the list leads in a circle: %w", desk.ErrCursor))
				return
			}
			seen[sum] = true
			var p page
			if err := m.c.json(ctx, link, &p); err != nil {
				yield(desk.MailboxStep{}, err)
				return
			}
			if len(p.Value) > maxPerPage {
				yield(desk.MailboxStep{}, m.c.badAnswer(errors.New("graph: too many mails on a page")))
				return
			}
			for _, v := range p.Value {
				if v.Removed != nil || v.ID == "" || len(v.ID) > maxKey {
					continue
				}
				if !yield(desk.MailboxStep{Mail: &desk.MailboxMail{Key: v.ID, Received: v.Received, Raw: m.raw(v.ID)}}, nil) {
					return
				}
			}
			last := p.Next == ""
			if last {
				p.Next = p.Delta
			}
			if link, err = m.c.follow(p.Next); err != nil {
				yield(desk.MailboxStep{}, err)
				return
			}
			if !yield(desk.MailboxStep{Cursor: link}, nil) || last {
				return
			}
		}
	}
}

// start returns the first link to ask.
func (m *Mailbox) start(ctx context.Context, cursor string) (string, error) {
	if cursor != "" {
		// One of another cloud, after the setting was changed.
		if link, err := m.c.follow(cursor); err == nil {
			return link, nil
		}
	}
	if m.id == "" {
		f, err := m.lookUp(ctx)
		if err != nil {
			return "", err
		}
		m.id = f.ID
	}
	return m.c.address(url.Values{"$select": {"id,receivedDateTime"}}, "mailFolders", m.id, "messages", "delta"), nil
}

// raw fetches a mail as MIME
// (https://learn.microsoft.com/graph/outlook-get-mime-message).
func (m *Mailbox) raw(id string) func(context.Context) ([]byte, error) {
	return func(ctx context.Context) ([]byte, error) {
		body, kind, err := m.c.get(ctx, m.c.address(nil, "messages", id, "$value"), m.c.o.MaxMessage)
		switch {
		case errors.Is(err, errTooLarge):
			return nil, &desk.Error{Kind: desk.Limit, Message: lang.M("mailboxes.error.large", "mib", m.c.o.MaxMessage>>20), Hint: lang.M("mailboxes.hint.large"), Err: err}
		case err != nil:
			return nil, err
		case len(body) == 0 || kind == "text/html" || kind == "application/json":
			return nil, m.c.badAnswer(fmt.Errorf("graph: content type %q, %d bytes in place of a mail", clip(kind), len(body)))
		}
		return body, nil
	}
}

// Wait implements [desk.MailboxReader].
func (m *Mailbox) Wait(ctx context.Context, d time.Duration) error { return m.c.o.Sleep(ctx, d) }

// Close implements [desk.MailboxReader].
func (m *Mailbox) Close() error {
	m.c.o.client().CloseIdleConnections()
	return nil
}
