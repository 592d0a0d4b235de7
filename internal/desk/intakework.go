package desk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/eml"
)

// How work on accepted mail goes on.
const (
	DefaultPatience = time.Minute // that one mail may take

	leaseSlack   = 30 * time.Second       // for keeping what was judged, before another worker takes the mail for abandoned
	idlePause    = 250 * time.Millisecond // between looks into an empty queue
	troublePause = 5 * time.Second        // after something went wrong that is no mail's fault
	retryPause   = 10 * time.Second       // before a mail that failed is tried again; it doubles
	stopPatience = 15 * time.Second       // that a mail may take on when work is to end
	judgeMemory  = 5 * time.Second        // how long what judging needs is believed to be unchanged
)

// Work judges the mails that were accepted and keeps them, until ctx ends. Any
// number of programs may work on one queue.
//
// A mail on which judging fails, or takes longer than it may, is tried
// [MaxAttempts] times and is then a dead letter; see [IntakeState]. Trouble of the
// stores is no mail's fault: the mail waits until they answer again.
func Work(ctx context.Context, deps *IntakeDeps) error {
	w := &worker{deps: *deps}
	if w.deps.Patience <= 0 {
		w.deps.Patience = DefaultPatience
	}
	w.deps.Judge = remembered(deps.Judge, judgeMemory)
	n := deps.Workers
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() { w.run(ctx) })
	}
	wg.Wait()
	return nil
}

// remembered returns what f returned last for a while, prepared for judging
// mails one by one.
func remembered(f func(context.Context) (JudgeDeps, error), d time.Duration) func(context.Context) (JudgeDeps, error) {
	var mu sync.Mutex
	var last JudgeDeps
	var until time.Time
	return func(ctx context.Context) (JudgeDeps, error) {
		mu.Lock()
		defer mu.Unlock()
		if time.Now().Before(until) {
			return last, nil
		}
		fresh, err := f(ctx)
		if err != nil {
			return JudgeDeps{}, err
		}
		last, until = fresh.keeping(), time.Now().Add(d)
		return last, nil
	}
}

type worker struct {
	deps IntakeDeps
}

func (w *worker) run(ctx context.Context) {
	for ctx.Err() == nil {
		now := w.deps.Now()
		leases, err := w.deps.Queue.Lease(ctx, 1, now, now.Add(w.deps.Patience+leaseSlack))
		switch {
		case err != nil:
			w.trouble(ctx, err)
		case len(leases) == 0:
			pause(ctx, idlePause)
		}
		for i := range leases {
			w.one(ctx, &leases[i])
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

func (w *worker) problem(err error) {
	if w.deps.Problem != nil {
		w.deps.Problem(err)
	}
}

func (w *worker) trouble(ctx context.Context, err error) {
	if ctx.Err() == nil {
		w.problem(err)
		pause(ctx, troublePause)
	}
}

// blame is an error that comes from the mail itself.
type blame struct{ error }

func (b blame) Unwrap() error { return b.error }

var (
	errSlow    = errors.New("desk: judging took longer than it may")
	errStopped = errors.New("desk: work ended")
)

// one works on one mail and says in the queue what became of it.
func (w *worker) one(ctx context.Context, l *Lease) {
	left, err := w.watched(ctx, l)
	// The word on what is finished is said even while work ends.
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopPatience)
	defer cancel()
	now := w.deps.Now()
	if err == nil {
		if err := w.deps.Queue.Done(late, l, now); err != nil && !isConflict(err) {
			w.problem(err) // it is given out again and found to be kept
		} else if left {
			if _, err := w.deps.Mails.ReleaseBlob(late, l.Blob, w.deps.dropBlob(late)); err != nil {
				w.problem(err) // a sweep deletes it
			}
		}
		return
	}
	reason, again := "", now.Add(troublePause)
	if _, ok := errors.AsType[blame](err); ok {
		reason, again = err.Error(), now.Add(retryPause<<(l.Attempt-1))
		if l.Attempt >= MaxAttempts {
			again = time.Time{}
		}
	} else if errors.Is(err, errStopped) {
		again = now
	}
	if err := w.deps.Queue.Fail(late, l, reason, now, again); err != nil && !isConflict(err) {
		w.problem(err)
	}
	if reason == "" {
		w.trouble(ctx, err)
	}
}

// isConflict reports that somebody else has taken the mail meanwhile.
func isConflict(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Kind == Conflict
}

// watched works on a mail and gives it up when it takes too long. What was given
// up cannot be stopped; it ends by its budget, and what it may still keep is what
// the next attempt would. left reports that nothing needs the bytes any more.
func (w *worker) watched(ctx context.Context, l *Lease) (left bool, err error) {
	working, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.deps.Patience)
	defer cancel()
	type outcome struct {
		left bool
		err  error
	}
	done := make(chan outcome, 1)
	go func() {
		var o outcome
		defer func() {
			if p := recover(); p != nil {
				o.err = blame{fmt.Errorf("panic: %v", p)}
			}
			done <- o
		}()
		o.left, o.err = w.work(working, l)
	}()
	select {
	case o := <-done:
		if o.err != nil && working.Err() != nil {
			o.err = blame{errSlow}
		}
		return o.left, o.err
	case <-working.Done():
		return false, blame{errSlow}
	case <-ctx.Done():
	}
	t := time.AfterFunc(stopPatience, cancel)
	defer t.Stop()
	select {
	case o := <-done:
		return o.left, o.err
	case <-working.Done():
		return false, errStopped
	}
}

// work takes a mail out of what carries it, judges it and keeps it.
func (w *worker) work(ctx context.Context, l *Lease) (left bool, err error) {
	d := &w.deps
	raw, err := d.Blobs.Blob(ctx, l.Blob)
	if err != nil {
		// Bytes that are gone or changed on the disk will not come back.
		if e, ok := errors.AsType[*Error](err); ok && (e.Kind == NotFound || e.Kind == Invalid) {
			return false, blame{err}
		}
		return false, err
	}
	it := Item{Raw: raw, Form: FormMessage}
	if l.Remote.IsValid() && l.Envelope != nil {
		it.Handover = &Handover{IP: l.Remote, HELO: l.HELO, MailFrom: l.Envelope.From}
	}
	envelope := l.Envelope
	m := eml.Parse(raw, &eml.Options{Budget: budget.New(nil)})
	if inside, e, ok := journal(m); ok {
		it, envelope = Item{Raw: inside, Form: FormMessage}, e
		m = eml.Parse(inside, &eml.Options{Budget: budget.New(nil)})
	}
	judging, err := d.Judge(ctx)
	if err != nil {
		return false, err
	}
	only := Word("")
	if d.Reports != nil && bringsReport(m) {
		found, err := w.ingest(ctx, &it, &judging)
		if err != nil {
			return false, err
		}
		if found {
			// A report is no mail for anybody to look at, unless something else came
			// along with it.
			only = Suspicious
		}
	}
	kept, err := keepIf(ctx, it, KeepMailInput{Source: l.Source, Envelope: envelope}, judging, d.MailDeps, only)
	if err != nil {
		return false, err
	}
	if f := kept.Verdict.Error; f != nil {
		return false, blame{errors.New(f.Text.EN)}
	}
	// An attempt before this one may have ended between keeping the mail and telling
	// of it.
	if (kept.New || l.Attempt > 1 && kept.ID != "") && d.Kept != nil {
		d.Kept(ctx, &l.QueueEntry, &kept)
	}
	return kept.ID == "" || !bytes.Equal(it.Raw, raw), nil
}

// keepIf judges a mail and keeps it if the verdict is at least that bad.
func keepIf(ctx context.Context, it Item, in KeepMailInput, judging JudgeDeps, deps MailDeps, least Word) (KeptMail, error) {
	if least == "" {
		return keepOne(ctx, it, in, judging, deps)
	}
	v := judgeOne(ctx, it, judging)
	if v == nil {
		return KeptMail{}, ctx.Err()
	}
	if v.Error != nil || rankOf(v.Verdict) < rankOf(least) {
		return KeptMail{Verdict: v}, nil
	}
	return keepJudged(ctx, it, v, in, judging, deps)
}

// judgeOne returns nil if the context ended.
func judgeOne(ctx context.Context, it Item, judging JudgeDeps) *Verdict {
	for v := range Judge(ctx, func(yield func(Item) bool) { yield(it) }, judging) {
		return v
	}
	return nil
}

// bringsReport reports whether a message looks as if it brought a report on
// DMARC or TLS, by the media types of RFC 8460 and RFC 5965 and the names that
// RFC 9990 gives to attached reports. Only then is it worth to unpack.
func bringsReport(m *eml.Message) bool {
	if root := m.Root(); root.MediaType() == "multipart/report" &&
		slices.Contains([]string{"tlsrpt", "feedback-report"}, strings.ToLower(root.Param("report-type"))) {
		return true
	}
	for p := range m.Parts() {
		switch p.MediaType() {
		case "application/tlsrpt+gzip", "application/tlsrpt+json", "message/feedback-report":
			return true
		}
		if !p.IsLeaf() {
			continue
		}
		name := strings.ToLower(p.Filename())
		for _, end := range []string{".xml", ".xml.gz", ".gz", ".zip", ".json.gz", ".json"} {
			if strings.HasSuffix(name, end) {
				return true
			}
		}
		switch p.MediaType() {
		case "application/gzip", "application/x-gzip", "application/zip", "application/x-zip-compressed", "application/xml", "text/xml":
			return true
		}
	}
	return false
}

// ingest takes the reports of a message in, and reports whether there were any.
func (w *worker) ingest(ctx context.Context, it *Item, judging *JudgeDeps) (bool, error) {
	file := ReportFile{Casual: true, Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(it.Raw)), nil }}
	got, err := IngestReports(ctx, slices.Values([]ReportFile{file}), ReportIntake{
		Store: w.deps.Reports, Facts: judging.Facts, Now: w.deps.Now(), Words: judging.Words, Resolver: judging.Resolver, Handover: it.Handover,
	})
	if err != nil {
		return false, err
	}
	return got.Reports+got.Replaced+got.Duplicates+got.Outranked+got.Failures+got.TLS > 0, ctx.Err()
}

// IntakeState says how the work on mail that comes in stands, with up to limit
// dead letters, the newest first.
func IntakeState(ctx context.Context, limit int, deps *IntakeDeps) (*QueueState, error) {
	return deps.Queue.State(ctx, limit)
}

// SettleLetter tries a dead letter again, or drops it with its bytes.
func SettleLetter(ctx context.Context, id MailID, how Settlement, who string, deps *IntakeDeps) error {
	act := ActLetterRetried
	if how == SettleDrop {
		act = ActLetterDropped
	}
	e, err := deps.Queue.Settle(ctx, id, how, deps.Now())
	if err != nil {
		return err
	}
	if how == SettleDrop {
		if _, err := deps.Mails.ReleaseBlob(ctx, e.Blob, deps.dropBlob(ctx)); err != nil {
			return err
		}
	}
	return deps.Audit.AppendAudit(ctx, AuditEntry{At: deps.Now(), Who: who, Act: act, Object: string(id)})
}

// dropBlob deletes bytes that nothing needs.
func (d *MailDeps) dropBlob(ctx context.Context) func(blob string) error {
	return func(blob string) error { return d.Blobs.DeleteBlob(ctx, blob) }
}
