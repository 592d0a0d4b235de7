package desk

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"time"

	"github.com/sekisho/sekisho/impersonation"
	"github.com/sekisho/sekisho/lang"
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

	knownBrands []impersonation.Brand
}

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
	if d.Words == nil {
		d.Words = lang.Default()
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	d.knownBrands = []impersonation.Brand{microsoft()}
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
			v = failed(it, &Error{
				Kind: Internal, Message: lang.M("judge.error.internal", "file", it.File), Hint: lang.M("judge.hint.internal"),
				Err: fmt.Errorf("panic: %v", p),
			}, deps.Words)
		}
	}()
	if it.Err != nil {
		return failed(it, it.Err, deps.Words)
	}
	return judgeItem(ctx, it, deps)
}

// failed is the verdict on an input that could not be read.
func failed(it Item, err error, words *lang.Catalogue) *Verdict {
	e := asError(err)
	text := words.Render(e.Message)
	return &Verdict{
		Schema: VerdictSchema, File: it.File, Index: it.Index, Verdict: Undecided, Score: 0, Row: "error", Reason: text,
		Judged:   Judged{Part: "", How: "message"},
		Findings: []Finding{}, Links: []Link{}, Attachments: []Attachment{}, NotChecked: []Unchecked{},
		Error: &Failure{Kind: e.Kind, Text: text, Hint: words.Render(e.Hint)},
	}
}
