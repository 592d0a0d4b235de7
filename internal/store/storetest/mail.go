package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

// MailStore is a store of mails that can be closed.
type MailStore interface {
	desk.MailStore
	Close() error
}

func mailRecord(n int, word desk.Word, subject string) *desk.MailRecord {
	date := at(n)
	v := &desk.Verdict{
		Schema: desk.VerdictSchema, Verdict: word, Score: n % 100, Subject: subject, Date: &date, Size: 100 + n,
		From: &desk.Mailbox{Name: "経理部", Address: fmt.Sprintf("keiri%d@Supplier.test", n)}, To: []desk.Mailbox{{Name: "佐藤", Address: "sato@kiso-works.example"}},
		Reason: lang.Text{JA: "理由", EN: "reason"}, Findings: []desk.Finding{}, Links: []desk.Link{}, Attachments: []desk.Attachment{}, NotChecked: []desk.Unchecked{},
	}
	return desk.NewMailRecord(v, string(desk.MailIDOf(fmt.Appendf(nil, "mail %d", n), nil)), desk.SourceUpload, nil, at(1000))
}

// Mails is the suite of [desk.MailStore].
func Mails(t *testing.T, open func(t *testing.T, dir string) MailStore) {
	t.Run("Keep", func(t *testing.T) { keepMails(t, open) })
	t.Run("Queries", func(t *testing.T) { queryMails(t, open) })
	t.Run("Pages", func(t *testing.T) { pageMails(t, open) })
	t.Run("LabelAndDelete", func(t *testing.T) { changeMails(t, open) })
}

func keepMails(t *testing.T, open func(t *testing.T, dir string) MailStore) {
	dir := t.TempDir()
	s := open(t, dir)
	r := mailRecord(1, desk.Malicious, "至急: 請求書")
	keep := func(s MailStore, r *desk.MailRecord, want bool) {
		t.Helper()
		added, err := s.KeepMail(t.Context(), r)
		noErr(t, err)
		if added != want {
			t.Errorf("added is %v, want %v", added, want)
		}
	}
	keep(s, r, true)
	other := *r
	other.Verdict = desk.Clean
	keep(s, &other, false)
	_, err := s.KeepMail(cancelled(t), mailRecord(2, desk.Clean, "late"))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
	noErr(t, s.Close())

	s = open(t, dir)
	got, err := s.Mail(t.Context(), r.ID)
	noErr(t, err)
	if diff := cmp.Diff(r, got); diff != "" {
		t.Error(diff)
	}
	if got, err := s.Mail(t.Context(), "nobody"); err != nil || got != nil {
		t.Errorf("%v %v", got, err)
	}
	// The same bytes to others are another mail with the same blob.
	e := &desk.MailEnvelope{From: "", To: []string{"sato@kiso-works.example"}}
	second := desk.NewMailRecord(r.Judged, r.Blob, desk.SourceUpload, e, at(1000))
	keep(s, second, true)
	got, err = s.Mail(t.Context(), second.ID)
	noErr(t, err)
	if diff := cmp.Diff(e, got.Envelope); diff != "" {
		t.Error(diff)
	}
	// While the second mail has the blob nothing takes it away; after that both
	// ways do, and an error of whoever deletes it leaves the mail.
	var dropped []string
	drop := func(blob string) error { dropped = append(dropped, blob); return nil }
	noErr(t, s.DeleteMail(t.Context(), r.ID, drop))
	if ok, err := s.ReleaseBlob(t.Context(), r.Blob, drop); err != nil || ok || dropped != nil {
		t.Errorf("the blob that another mail has was dropped: %v %v %v", ok, dropped, err)
	}
	full := errors.New("the disk fails")
	if err := s.DeleteMail(t.Context(), second.ID, func(string) error { return full }); !errors.Is(err, full) {
		t.Errorf("the error is %v", err)
	}
	if got, err := s.Mail(t.Context(), second.ID); err != nil || got == nil {
		t.Errorf("the mail whose blob is there is gone: %v", err)
	}
	noErr(t, s.DeleteMail(t.Context(), second.ID, drop))
	if ok, err := s.ReleaseBlob(t.Context(), r.Blob, drop); err != nil || !ok {
		t.Errorf("%v %v", ok, err)
	}
	if diff := cmp.Diff([]string{r.Blob, r.Blob}, dropped); diff != "" {
		t.Error(diff)
	}

	// Many at once, each one twice, are each one once.
	var wg sync.WaitGroup
	var mu sync.Mutex
	added := 0
	for i := range 20 {
		wg.Go(func() {
			ok, err := s.KeepMail(context.WithoutCancel(t.Context()), mailRecord(10+i%10, desk.Clean, "together"))
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			if ok {
				added++
			}
		})
	}
	wg.Wait()
	if added != 10 {
		t.Errorf("%d are new, want 10", added)
	}
	noErr(t, s.Close())
}

func queryMails(t *testing.T, open func(t *testing.T, dir string) MailStore) {
	s := open(t, t.TempDir())
	subjects := []string{
		"至急: 未払い請求書の確認", "Invoice 4711 overdue", "ABC PAYMENT", "請求", "Straße und \"Zitat\" 100%", "plain",
	}
	words := []desk.Word{desk.Malicious, desk.Suspicious, desk.Clean, desk.Malicious, desk.Undecided, desk.Clean}
	for i, subject := range subjects {
		_, err := s.KeepMail(t.Context(), mailRecord(i, words[i], subject))
		noErr(t, err)
	}
	noErr(t, s.LabelMail(t.Context(), mailRecord(3, desk.Malicious, "").ID, desk.LabelNotPhish))
	for _, tc := range []struct {
		name string
		q    desk.MailQuery
		want []int
	}{
		{"All", desk.MailQuery{}, []int{5, 4, 3, 2, 1, 0}},
		{"Verdict", desk.MailQuery{Verdict: desk.Malicious}, []int{3, 0}},
		{"Open", desk.MailQuery{Verdict: desk.Malicious, Unlabelled: true}, []int{0}},
		{"Label", desk.MailQuery{Label: desk.LabelNotPhish}, []int{3}},
		{"From", desk.MailQuery{From: at(4)}, []int{5, 4}},
		{"Until", desk.MailQuery{Until: at(1)}, []int{0}},
		{"KeptUntil", desk.MailQuery{KeptUntil: at(1000)}, nil},
		{"KeptBefore", desk.MailQuery{KeptUntil: at(1001), Limit: 1}, []int{5}},
		{"Japanese", desk.MailQuery{Text: "請求書"}, []int{0}},
		{"JapaneseShort", desk.MailQuery{Text: "請求"}, []int{3, 0}},
		{"JapaneseOne", desk.MailQuery{Text: "払"}, []int{0}},
		{"Case", desk.MailQuery{Text: "invoice OVERDUE"}, []int{1}},
		{"Width", desk.MailQuery{Text: "abc payment"}, []int{2}},
		{"FullWidthQuery", desk.MailQuery{Text: "\uFF29\uFF4E\uFF56\uFF4F\uFF49\uFF43\uFF45"}, []int{1}},
		{"Fold", desk.MailQuery{Text: "STRASSE"}, []int{4}},
		{"Address", desk.MailQuery{Text: "keiri5@supplier.test"}, []int{5}},
		{"Name", desk.MailQuery{Text: "経理部", Verdict: desk.Clean}, []int{5, 2}},
		{"Recipient", desk.MailQuery{Text: "sato@kiso-works.example", Until: at(2)}, []int{1, 0}},
		{"AllWords", desk.MailQuery{Text: "invoice payment"}, nil},
		{"Quote", desk.MailQuery{Text: `"zitat"`}, []int{4}},
		{"Percent", desk.MailQuery{Text: `100%`}, []int{4}},
		{"NoOperators", desk.MailQuery{Text: "invoice OR plain"}, nil},
		{"OnlyQuote", desk.MailQuery{Text: `"`}, []int{4}},
		{"NotUTF8", desk.MailQuery{Text: "inv\xffoice"}, []int{1}},
		{"NotAcrossFields", desk.MailQuery{Text: "plain\n経理部"}, []int{5}},
		{"Limit", desk.MailQuery{Limit: 2}, []int{5, 4}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rows, err := s.Mails(t.Context(), &tc.q)
			noErr(t, err)
			var got []int
			for _, r := range rows {
				got = append(got, int(r.At.Sub(at(0))/time.Hour))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	counts, err := s.MailCounts(t.Context())
	noErr(t, err)
	want := map[desk.Word]desk.MailCount{desk.Malicious: {Mails: 2, Open: 1}, desk.Suspicious: {Mails: 1, Open: 1}, desk.Clean: {Mails: 2, Open: 2}, desk.Undecided: {Mails: 1, Open: 1}}
	if diff := cmp.Diff(want, counts); diff != "" {
		t.Error(diff)
	}
	noErr(t, s.Close())
}

func pageMails(t *testing.T, open func(t *testing.T, dir string) MailStore) {
	s := open(t, t.TempDir())
	want := map[desk.MailID]bool{}
	for i := range 25 {
		r := mailRecord(i, desk.Clean, "page")
		r.At = at(i / 7) // several at the same time
		_, err := s.KeepMail(t.Context(), r)
		noErr(t, err)
		want[r.ID] = true
	}
	q := desk.MailQuery{Limit: 4, Text: "page"}
	var last *desk.MailRow
	for {
		rows, err := s.Mails(t.Context(), &q)
		noErr(t, err)
		if len(rows) == 0 {
			break
		}
		for i := range rows {
			r := &rows[i]
			if !want[r.ID] {
				t.Fatalf("%s comes twice", r.ID)
			}
			delete(want, r.ID)
			if last != nil && (r.At.After(last.At) || r.At.Equal(last.At) && r.ID <= last.ID) {
				t.Fatal("not in order")
			}
			last = r
		}
		q.After = &desk.MailCursor{At: last.At, ID: last.ID}
	}
	if len(want) > 0 {
		t.Errorf("%d are left out", len(want))
	}
	noErr(t, s.Close())
}

func changeMails(t *testing.T, open func(t *testing.T, dir string) MailStore) {
	s := open(t, t.TempDir())
	r := mailRecord(1, desk.Malicious, "秘密の件名")
	wantKind(t, s.LabelMail(t.Context(), r.ID, desk.LabelPhish), desk.NotFound)
	_, err := s.KeepMail(t.Context(), r)
	noErr(t, err)
	noErr(t, s.LabelMail(t.Context(), r.ID, desk.LabelPhish))
	got, err := s.Mail(t.Context(), r.ID)
	noErr(t, err)
	if got.Label != desk.LabelPhish {
		t.Errorf("the label is %q", got.Label)
	}
	for range 2 { // the second time it is gone
		noErr(t, s.DeleteMail(t.Context(), r.ID, func(string) error { return nil }))
	}
	if got, err := s.Mail(t.Context(), r.ID); err != nil || got != nil {
		t.Errorf("%v %v", got, err)
	}
	if rows, err := s.Mails(t.Context(), &desk.MailQuery{Text: "秘密の件名"}); err != nil || len(rows) > 0 {
		t.Errorf("%v %v", rows, err)
	}
	// A new mail in the place of the old one is not found by the old one's words.
	_, err = s.KeepMail(t.Context(), mailRecord(2, desk.Clean, "another"))
	noErr(t, err)
	if rows, err := s.Mails(t.Context(), &desk.MailQuery{Text: "秘密の件名"}); err != nil || len(rows) > 0 {
		t.Errorf("%v %v", rows, err)
	}
	noErr(t, s.Close())
}
