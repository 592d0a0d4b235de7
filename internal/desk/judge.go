package desk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"iter"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/campaign"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/history"
	"github.com/sekisho/sekisho/impersonation"
	"github.com/sekisho/sekisho/internal/feeds"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/m365"
	"github.com/sekisho/sekisho/org"
	"github.com/sekisho/sekisho/resolve"
)

// JudgeDeps is what [Judge] needs from outside.
type JudgeDeps struct {
	Facts      org.Facts
	Exceptions []Exception
	Words      *lang.Catalogue  // nil: the built-in one
	Now        func() time.Time // nil: the system's clock
	Workers    int              // messages judged at once; 0 is one for each processor

	// Resolver answers DNS questions, so that mail is verified rather than the
	// header believed. Nil asks nothing.
	Resolver resolve.Resolver

	// Rules are asked about every message; see [LoadRules]. Nil: none.
	Rules *feeds.Set
	// Lists are those that rules may name beside the ones that sekisho carries.
	// Nil: none.
	Lists *feeds.Lists
	// History knows who wrote before. Nil: nothing is known.
	History *history.Book

	// Made once for all messages.
	brands []impersonation.Brand
	rules  *ruleBook
	digest func() string     // of the rules and lists; see [RulesDigest]
	traits *campaign.Options // not nil where verdicts are to have their Traits
	ready  bool
}

// Prepared returns the same with all that is made once done, for whoever judges
// messages one by one.
func (d JudgeDeps) Prepared() JudgeDeps { return d.withDefaults() }

// Judge judges every item and yields one verdict for each, in order. An item
// that could not be read yields a verdict with an Error. Reading, judging and
// the consumer run at the same time; at most a few messages are in memory.
func Judge(ctx context.Context, items iter.Seq[Item], deps JudgeDeps) iter.Seq[*Verdict] {
	deps = deps.withDefaults()
	return func(yield func(*Verdict) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		queue := make(chan chan *Verdict, deps.Workers)
		slots := make(chan struct{}, deps.Workers)
		go func() {
			defer close(queue)
			for it := range items {
				done := make(chan *Verdict, 1)
				select {
				case slots <- struct{}{}:
				case <-ctx.Done():
					return
				}
				go func() {
					done <- judgeSafely(ctx, it, deps)
					<-slots
				}()
				select {
				case queue <- done:
				case <-ctx.Done():
					return
				}
			}
		}()
		for done := range queue {
			if !yield(<-done) {
				return
			}
		}
	}
}

func (d JudgeDeps) withDefaults() JudgeDeps {
	if d.ready {
		return d
	}
	d.ready = true
	if d.Words == nil {
		d.Words = lang.Default()
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	d.brands = []impersonation.Brand{microsoft()}
	d.rules = newRuleBook(d.Rules, &d.Facts, d.Lists)
	if d.rules != nil {
		d.rules.seen = newSeen(d.History)
	}
	d.digest = sync.OnceValue(func() string { return RulesDigest(d.Rules, d.Lists) })
	if d.Workers <= 0 {
		d.Workers = min(runtime.GOMAXPROCS(0), 8)
	}
	return d
}

// judgeSafely turns a panic into an error about that message. The engines are
// written not to panic; if one does on a message nobody thought of, the other
// ten thousand are still judged.
func judgeSafely(ctx context.Context, it Item, deps JudgeDeps) (v *Verdict) {
	defer func() {
		if p := recover(); p != nil {
			v = failed(it, internalError(it.File, p), deps.Words)
		}
	}()
	if it.Err != nil {
		return failed(it, it.Err, deps.Words)
	}
	return judgeItem(ctx, it, deps)
}

// judgeItem judges one input.
func judgeItem(ctx context.Context, it Item, deps JudgeDeps) *Verdict {
	start := time.Now()
	if deps.Resolver != nil {
		deps.Resolver = bounded(deps.Resolver)
	}
	b := budget.New(nil)
	m := eml.Parse(it.Raw, &eml.Options{Budget: b})
	read := time.Since(start)
	all := candidates(m, it.Form, b)
	all[0].handover = it.Handover
	assessed := make([]*assessment, 0, len(all))
	presumed := ""
	for i, c := range all {
		assessed = append(assessed, assess(ctx, c, b, presumed, deps))
		if i == 0 && len(deps.Facts.Domains.Value()) == 0 {
			presumed = assessed[0].givenAway()
		}
	}
	chosen := choose(assessed)
	r := renderer{words: deps.Words, now: deps.Now(), own: deps.Facts.Domains.Value()}
	v := r.verdict(chosen)
	v.File, v.Index, v.Form, v.Size = it.File, it.Index, it.Form, len(it.Raw)
	if v.Form == "" {
		v.Form = FormMessage
	}
	sum := sha256.Sum256(it.Raw)
	v.SHA256 = hex.EncodeToString(sum[:])
	r.context(v, chosen, assessed)
	if h := it.Handover; h != nil && h.StampAs != "" && assessed[0].verification != nil {
		// A name that cannot stand in a field was refused when it was configured.
		v.Stamp, _ = assessed[0].verification.stamp(h.StampAs)
	}
	if deps.traits != nil {
		v.Traits = traitsOf(it, v.SHA256, assessed, &deps)
	}
	v.Timings = Timings{Read: milliseconds(read), Judge: milliseconds(time.Since(start) - read)}
	return v
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// choose returns the message that the verdict is about: the worst of those that
// were attached, or the one that carries them if it is worse itself or a
// delivery report, whose attachment is only what it reports about.
func choose(all []*assessment) *assessment {
	root := all[0]
	if len(all) == 1 || root.decision.Verdict == m365.NDR || isDeliveryReport(root.msg) {
		return root
	}
	best := all[1]
	for _, a := range all[2:] {
		if rank(a) > rank(best) {
			best = a
		}
	}
	if rank(root) > rank(best) && root.alarming() {
		return root
	}
	return best
}

func isDeliveryReport(m *eml.Message) bool {
	root := m.Root()
	return root.MediaType() == "multipart/report" && strings.EqualFold(root.Param("report-type"), "delivery-status")
}

// rank orders verdicts by how much they matter, and alike ones by their score,
// which is 100 at the most.
func rank(a *assessment) int { return rankOf(a.row.verdict)*1000 + a.row.score }

func rankOf(w Word) int {
	return slices.Index([]Word{Clean, Undecided, Spam, Suspicious, Malicious}, w)
}

// alarming reports whether the verdict is one to act on.
func (a *assessment) alarming() bool { return rankOf(a.row.verdict) >= rankOf(Suspicious) }

// failed is the verdict on an input that could not be read.
func failed(it Item, err error, words *lang.Catalogue) *Verdict {
	failure := renderer{words: words}.failure(err)
	return &Verdict{
		Schema: VerdictSchema, File: it.File, Index: it.Index, Verdict: Undecided, Row: "error", Reason: failure.Text,
		Judged:   Judged{How: "message"},
		Findings: []Finding{}, Links: []Link{}, Attachments: []Attachment{}, NotChecked: []Unchecked{},
		Error: failure,
	}
}
