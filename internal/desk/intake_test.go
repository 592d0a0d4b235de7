package desk_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/dmarcreport"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/store/sqlite"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/resolve"
	"github.com/sekisho/sekisho/resolve/zone"
)

// intakeDesk is a desk that takes mail in, over real stores in a folder of the
// test. Its clock runs a thousand times as fast as that of the system, so that
// pauses between attempts are short.
func intakeDesk(t *testing.T) (*desk.IntakeDeps, *sqlite.DB) {
	t.Helper()
	deps, db := mailDesk(t)
	start := time.Now()
	deps.Now = func() time.Time { return now().Add(1000 * time.Since(start)) }
	return &desk.IntakeDeps{
		MailDeps: deps, Queue: db, Workers: 2, Patience: 10 * time.Second,
		Problem: func(err error) { t.Logf("problem: %v", err) },
	}, db
}

// work works until the queue has nothing to do.
func work(t *testing.T, deps *desk.IntakeDeps) *desk.QueueState {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- desk.Work(ctx, deps) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		s, err := desk.IntakeState(t.Context(), 10, deps)
		if err != nil {
			t.Fatal(err)
		}
		if s.Waiting+s.Leased == 0 {
			return s
		}
	}
	t.Fatal("the queue is never empty")
	return nil
}

func accept(t *testing.T, deps *desk.IntakeDeps, d *desk.Delivery) desk.MailID {
	t.Helper()
	if d.Source == "" {
		d.Source = desk.SourceSMTP
	}
	id, err := desk.Accept(t.Context(), d, deps)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func mails(t *testing.T, db *sqlite.DB) []desk.MailRow {
	t.Helper()
	rows, err := db.Mails(t.Context(), &desk.MailQuery{})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func blobCount(t *testing.T, deps *desk.IntakeDeps) int {
	t.Helper()
	n := 0
	for _, err := range deps.Blobs.AllBlobs(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

func TestAcceptAndWork(t *testing.T) {
	deps, db := intakeDesk(t)
	told := map[desk.MailID]int{}
	var mu sync.Mutex
	deps.Kept = func(_ context.Context, e *desk.QueueEntry, k *desk.KeptMail) {
		mu.Lock()
		defer mu.Unlock()
		told[k.ID]++
	}
	env := &desk.MailEnvelope{From: "a@sender.test", To: []string{"report@kiso-works.example"}}
	raw := example(t, "directsend/ds1-high.eml")
	id := accept(t, deps, &desk.Delivery{Raw: raw, Envelope: env})
	if again := accept(t, deps, &desk.Delivery{Raw: raw, Envelope: env}); again != id {
		t.Errorf("%s and %s are one mail", id, again)
	}
	if s := work(t, deps); s.Dead != 0 {
		t.Fatalf("%+v", s)
	}
	r, err := db.Mail(t.Context(), id)
	if err != nil || r == nil {
		t.Fatal(r, err)
	}
	want := judge(t, exampleFacts(t), raw)
	if r.Verdict != want.Verdict || r.Source != desk.SourceSMTP {
		t.Errorf("%s %s, want %s", r.Verdict, r.Source, want.Verdict)
	}
	if diff := cmp.Diff(env, r.Envelope); diff != "" {
		t.Error(diff)
	}
	// A server that never heard the answer sends it again.
	accept(t, deps, &desk.Delivery{Raw: raw, Envelope: env})
	work(t, deps)
	if n := len(mails(t, db)); n != 1 || told[id] != 1 || blobCount(t, deps) != 1 {
		t.Errorf("%d mails, told %d times, %d blobs", n, told[id], blobCount(t, deps))
	}
	if got := acts(t, db); len(got) != 0 {
		t.Errorf("mail that comes by itself is nobody's act: %v", got)
	}
	// Deleted, it comes back by the same bytes but not by the same key.
	keyed := &desk.Delivery{Raw: raw, Envelope: env, Key: "uid 1"}
	accept(t, deps, keyed)
	work(t, deps)
	if err := desk.DeleteMail(t.Context(), id, desk.WhoAdmin, deps.MailDeps); err != nil {
		t.Fatal(err)
	}
	accept(t, deps, keyed)
	work(t, deps)
	if n := len(mails(t, db)); n != 0 {
		t.Errorf("the same delivery again brought %d mails back", n)
	}
	accept(t, deps, &desk.Delivery{Raw: raw, Envelope: env})
	work(t, deps)
	if n := len(mails(t, db)); n != 1 {
		t.Errorf("%d mails after a new delivery", n)
	}
}

func TestAcceptRefuses(t *testing.T) {
	deps, db := intakeDesk(t)
	deps.MaxMessage = 100
	for _, tc := range []struct {
		name string
		d    desk.Delivery
		kind desk.ErrorKind
	}{
		{"Empty", desk.Delivery{}, desk.Invalid},
		{"Large", desk.Delivery{Raw: make([]byte, 101)}, desk.Limit},
		{"ManyRecipients", desk.Delivery{Raw: []byte("x"), Envelope: &desk.MailEnvelope{To: make([]string, desk.MaxRecipients+1)}}, desk.Invalid},
		{"LongRecipient", desk.Delivery{Raw: []byte("x"), Envelope: &desk.MailEnvelope{To: []string{strings.Repeat("a", 2000)}}}, desk.Invalid},
		{"LongKey", desk.Delivery{Raw: []byte("x"), Key: strings.Repeat("a", 2000)}, desk.Invalid},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := desk.Accept(t.Context(), &tc.d, deps)
			if e, ok := errors.AsType[*desk.Error](err); !ok || e.Kind != tc.kind {
				t.Errorf("%v", err)
			}
			if s, err := db.State(t.Context(), 0); err != nil || s.Waiting != 0 || blobCount(t, deps) != 0 {
				t.Errorf("something was kept: %+v %v", s, err)
			}
		})
	}
}

// faulty fails the call with that number, of the stores that Accept uses.
type faulty struct {
	desk.Blobs
	desk.Queue
	calls []string
	fail  int
}

var errFault = errors.New("the disk is gone")

func (f *faulty) call(name string) error {
	f.calls = append(f.calls, name)
	if len(f.calls) == f.fail {
		return errFault
	}
	return nil
}

func (f *faulty) PutBlob(ctx context.Context, b []byte) (string, error) {
	if err := f.call("blob"); err != nil {
		return "", err
	}
	return f.Blobs.PutBlob(ctx, b)
}

func (f *faulty) Enqueue(ctx context.Context, e *desk.QueueEntry) (bool, error) {
	if err := f.call("queue"); err != nil {
		return false, err
	}
	return f.Queue.Enqueue(ctx, e)
}

// Whatever fails, Accept says so, and the same mail again is one mail.
func TestAcceptFaults(t *testing.T) {
	for fail := range 4 {
		t.Run(strconv.Itoa(fail), func(t *testing.T) {
			deps, db := intakeDesk(t)
			f := &faulty{Blobs: deps.Blobs, Queue: db, fail: fail}
			broken := *deps
			broken.Blobs, broken.Queue = f, f
			d := &desk.Delivery{Raw: example(t, "ham/ordinary-en.eml"), Source: desk.SourceSMTP}
			id, err := desk.Accept(t.Context(), d, &broken)
			if fail == 0 {
				if diff := cmp.Diff([]string{"blob", "queue", "blob"}, f.calls); diff != "" || err != nil {
					t.Fatal(err, diff)
				}
				return
			}
			if !errors.Is(err, errFault) || id != "" {
				t.Errorf("%q %v", id, err)
			}
			if s := work(t, deps); fail < 3 && (len(mails(t, db)) != 0 || s.Dead != 0) {
				t.Error("there is a record of a mail that was refused")
			}
			accept(t, deps, d)
			work(t, deps)
			if n := len(mails(t, db)); n != 1 {
				t.Errorf("%d mails after it was sent again", n)
			}
		})
	}
}

// rogue is a resolver on which a mail from panic.test ends its judge, and one
// from slow.test makes it wait.
type rogue struct {
	on    *atomic.Bool
	calls *atomic.Int64
}

func (r rogue) Lookup(ctx context.Context, name string, t resolve.Type) (resolve.Answer, error) {
	r.calls.Add(1)
	switch {
	case !r.on.Load():
	case strings.Contains(name, "panic.test"):
		panic("no such luck")
	case strings.Contains(name, "slow.test"):
		time.Sleep(time.Second)
	}
	return resolve.Answer{Name: name, Type: t, RCode: resolve.NXDomain}, nil
}

func mailFrom(host string) []byte {
	return []byte("From: a@" + host + "\r\nTo: b@kiso-works.example\r\nSubject: hello\r\nDate: Tue, 24 Nov 2026 08:00:00 +0900\r\nMessage-ID: <1@" + host + ">\r\n\r\nhello\r\n")
}

func TestDeadLetters(t *testing.T) {
	deps, db := intakeDesk(t)
	r := rogue{&atomic.Bool{}, &atomic.Int64{}}
	r.on.Store(true)
	deps.Patience = 300 * time.Millisecond
	plain := deps.Judge
	deps.Judge = func(ctx context.Context) (desk.JudgeDeps, error) {
		d, err := plain(ctx)
		d.Resolver = r
		return d, err
	}
	good := accept(t, deps, &desk.Delivery{Raw: mailFrom("good.test")})
	crash := accept(t, deps, &desk.Delivery{Raw: mailFrom("panic.test")})
	slow := accept(t, deps, &desk.Delivery{Raw: mailFrom("slow.test")})
	gone := accept(t, deps, &desk.Delivery{Raw: mailFrom("gone.test")})
	if err := deps.Blobs.DeleteBlob(t.Context(), string(gone)); err != nil {
		t.Fatal(err)
	}
	s := work(t, deps)
	var dead []desk.MailID
	for _, l := range s.Letters {
		dead = append(dead, l.ID)
		if l.Attempts != desk.MaxAttempts || l.Reason == "" {
			t.Errorf("%+v", l)
		}
	}
	want := []desk.MailID{crash, slow, gone}
	slices.Sort(dead)
	slices.Sort(want)
	if diff := cmp.Diff(want, dead); diff != "" {
		t.Error(diff)
	}
	if rows := mails(t, db); len(rows) != 1 || rows[0].ID != good {
		t.Errorf("%v", rows)
	}
	r.on.Store(false)
	for _, x := range []struct {
		id  desk.MailID
		how desk.Settlement
	}{{crash, desk.SettleRetry}, {slow, desk.SettleDrop}, {gone, desk.SettleDrop}} {
		if err := desk.SettleLetter(t.Context(), x.id, x.how, desk.WhoTerminal, deps); err != nil {
			t.Fatal(err)
		}
	}
	s = work(t, deps)
	if rows := mails(t, db); s.Dead != 0 || len(rows) != 2 || blobCount(t, deps) != 2 {
		t.Errorf("%+v %v %d", s, rows, blobCount(t, deps))
	}
	if diff := cmp.Diff([]desk.Act{desk.ActLetterRetried, desk.ActLetterDropped, desk.ActLetterDropped}, acts(t, db)); diff != "" {
		t.Error(diff)
	}
	if err := desk.SettleLetter(t.Context(), good, desk.SettleDrop, desk.WhoTerminal, deps); err == nil {
		t.Error("a mail that is kept is no dead letter")
	}
}

// flaky is a store of mails that does not answer for a while.
type flaky struct {
	desk.MailStore
	left atomic.Int64
}

func (f *flaky) KeepMail(ctx context.Context, r *desk.MailRecord) (bool, error) {
	if f.left.Add(-1) >= 0 {
		return false, &desk.Error{Kind: desk.Unavailable, Message: lang.M("intake.error.empty")}
	}
	return f.MailStore.KeepMail(ctx, r)
}

// Trouble of a store is no mail's fault, however long it lasts.
func TestStoreTrouble(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for pauses")
	}
	deps, db := intakeDesk(t)
	f := &flaky{MailStore: db}
	f.left.Store(1)
	deps.Mails = f
	accept(t, deps, &desk.Delivery{Raw: example(t, "ham/ordinary-en.eml")})
	s := work(t, deps)
	if n := len(mails(t, db)); n != 1 || s.Dead != 0 {
		t.Errorf("%d mails, %+v", n, s)
	}
}

const journalHead = "From: journal@kiso-works.example\r\nTo: sekisho@kiso-works.example\r\nSubject: offer\r\nX-MS-Journal-Report:\r\nMIME-Version: 1.0\r\n" +
	"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" +
	"Sender: a@sender.test\r\nSubject: offer\r\nMessage-Id: <1@sender.test>\r\nTo: sato@kiso-works.example\r\n" +
	"Cc: all@kiso-works.example, Expanded: everybody@kiso-works.example\r\nBcc: <ito@kiso-works.example>\r\nRecipient: sato@kiso-works.example\r\n\r\n" +
	"--b\r\nContent-Type: message/rfc822\r\n\r\n"

func TestJournal(t *testing.T) {
	deps, db := intakeDesk(t)
	raw := mailFrom("sender.test")
	accept(t, deps, &desk.Delivery{
		Raw: []byte(journalHead + string(raw) + "\r\n--b--\r\n"), Envelope: &desk.MailEnvelope{To: []string{"journal@kiso-works.example"}},
		Remote: netip.MustParseAddr("192.0.2.1"), HELO: "mx.test",
	})
	if s := work(t, deps); s.Dead != 0 {
		t.Fatal(s)
	}
	env := &desk.MailEnvelope{From: "a@sender.test", To: []string{"sato@kiso-works.example", "all@kiso-works.example", "ito@kiso-works.example"}}
	r, err := db.Mail(t.Context(), desk.MailIDOf(raw, env))
	if err != nil || r == nil {
		t.Fatalf("%v %v %v", r, err, mails(t, db))
	}
	if diff := cmp.Diff(env, r.Envelope); diff != "" {
		t.Error(diff)
	}
	if kept, err := deps.Blobs.Blob(t.Context(), r.Blob); err != nil || string(kept) != string(raw) || blobCount(t, deps) != 1 {
		t.Errorf("%q %v, %d blobs", kept, err, blobCount(t, deps))
	}
}

// A mail that somebody reported is judged for what it carries.
func TestReported(t *testing.T) {
	deps, db := intakeDesk(t)
	for _, name := range []string{"forward/report-button.eml", "forward/attached-malicious-ja.eml", "forward/attached-msg-ja.eml"} {
		raw := example(t, name)
		id := accept(t, deps, &desk.Delivery{Raw: raw})
		work(t, deps)
		r, err := db.Mail(t.Context(), id)
		if err != nil || r == nil {
			t.Fatal(r, err)
		}
		if r.Judged.Judged.How != "attached" || r.Judged.Wrapper == nil {
			t.Errorf("%s: %+v", name, r.Judged.Judged)
		}
	}
}

// A report on DMARC goes where reports go, with whether the mail that brought it
// was authentic. It is no mail for anybody to look at.
func TestReportMail(t *testing.T) {
	deps, db := intakeDesk(t)
	store := &reportMemory{}
	deps.Reports = store
	z, err := zone.Parse(strings.NewReader("receiver.example. TXT \"v=spf1 ip4:203.0.113.5 -all\"\n_dmarc.receiver.example. TXT \"v=DMARC1; p=reject\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	plain := deps.Judge
	deps.Judge = func(ctx context.Context) (desk.JudgeDeps, error) {
		d, err := plain(ctx)
		d.Resolver = z
		return d, err
	}
	for i, tc := range []struct {
		name string
		from netip.Addr
		want dmarcreport.Carrier
	}{
		{"Authentic", netip.MustParseAddr("203.0.113.5"), dmarcreport.CarrierPass},
		{"Forged", netip.MustParseAddr("198.51.100.7"), dmarcreport.CarrierFail},
		{"HandedOn", netip.Addr{}, dmarcreport.CarrierUnknown},
	} {
		d := &desk.Delivery{
			Raw: []byte(mailOf("receiver.example", "", reportXML(tc.name, "kiso-works.example", "1"))), Remote: tc.from, HELO: "mx.receiver.example",
			Envelope: &desk.MailEnvelope{From: "reports@receiver.example", To: []string{"dmarc@kiso-works.example"}},
		}
		for range 2 {
			accept(t, deps, d)
			if s := work(t, deps); s.Dead != 0 {
				t.Fatalf("%s: %+v", tc.name, s)
			}
		}
		if len(store.have) != i+1 || store.have[i].Carrier != tc.want {
			t.Errorf("%s: %d reports, carrier %v, want %v", tc.name, len(store.have), store.have[len(store.have)-1].Carrier, tc.want)
		}
	}
	if n := len(mails(t, db)); n != 0 || blobCount(t, deps) != 0 {
		t.Errorf("%d mails, %d blobs", n, blobCount(t, deps))
	}
}

// What work has begun it ends, and what it has not begun it leaves.
func TestWorkStops(t *testing.T) {
	deps, db := intakeDesk(t)
	ctx, cancel := context.WithCancel(t.Context())
	var kept atomic.Int64
	deps.Kept = func(context.Context, *desk.QueueEntry, *desk.KeptMail) {
		if kept.Add(1) == 1 {
			cancel()
		}
	}
	const n = 12
	for i := range n {
		accept(t, deps, &desk.Delivery{Raw: mailFrom(fmt.Sprintf("h%d.test", i))})
	}
	if err := desk.Work(ctx, deps); err != nil {
		t.Fatal(err)
	}
	s, err := db.State(t.Context(), 0)
	if err != nil || s.Leased != 0 || s.Waiting+int(kept.Load()) != n || len(mails(t, db)) != int(kept.Load()) {
		t.Errorf("%+v, %d kept, %v", s, kept.Load(), err)
	}
	deps.Kept = nil
	work(t, deps)
	if got := len(mails(t, db)); got != n {
		t.Errorf("%d mails at the end", got)
	}
}

func TestScreen(t *testing.T) {
	deps, db := intakeDesk(t)
	plain := deps.Judge
	z := exampleZone(t)
	deps.Judge = func(ctx context.Context) (desk.JudgeDeps, error) {
		d, err := plain(ctx)
		d.Resolver = z
		return d, err
	}
	in := &desk.ScreenInput{
		Delivery: desk.Delivery{
			Raw: mailFrom("kiso-works.example"), Source: desk.SourceMilter, Remote: netip.MustParseAddr("203.0.113.99"), HELO: "mx.sender.test",
			Envelope: &desk.MailEnvelope{From: "a@kiso-works.example", To: []string{"b@kiso-works.example"}},
		},
		StampAs: "mx.kiso-works.example", Keep: desk.Malicious,
	}
	got, err := desk.Screen(t.Context(), in, deps)
	if err != nil || got.ID != "" || !strings.HasPrefix(got.Verdict.Stamp, "mx.kiso-works.example;") || !strings.Contains(got.Verdict.Stamp, "spf=") {
		t.Errorf("%+v %v", got, err)
	}
	// A host of our own says nothing of the sender, and the header is the sender's.
	in.Raw = append([]byte("Received-SPF: pass client-ip=192.0.2.10; envelope-from=a@kiso-works.example\r\n"), in.Raw...)
	in.Remote, in.Keep = netip.MustParseAddr("10.0.0.1"), ""
	got, err = desk.Screen(t.Context(), in, deps)
	if err != nil || got.ID == "" || strings.Contains(got.Verdict.Stamp, "spf=") {
		t.Errorf("%+v %v", got, err)
	}
	if n := len(mails(t, db)); n != 1 {
		t.Errorf("%d mails", n)
	}
	slow := rogue{&atomic.Bool{}, &atomic.Int64{}}
	slow.on.Store(true)
	deps.Judge = func(ctx context.Context) (desk.JudgeDeps, error) {
		d, err := plain(ctx)
		d.Resolver = slow
		return d, err
	}
	in.Raw = mailFrom("slow.test")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if got, err := desk.Screen(ctx, in, deps); got != nil || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v %v", got, err)
	}
	in.Raw = mailFrom("panic.test")
	if got, err := desk.Screen(t.Context(), in, deps); got != nil || err == nil {
		t.Errorf("%v %v", got, err)
	}
}
