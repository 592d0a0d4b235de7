package resolve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
)

// ErrRecorderFull means that more was asked than a [Recorder] keeps.
var ErrRecorderFull = errors.New("resolve: too many questions to record")

// maxRecorded is the number of questions that a Recorder keeps.
const maxRecorded = 1_000_000

// Recorder keeps the answer to each question so that a run can be repeated. A
// question that is asked again gets the answer that was recorded, because a
// repetition could not tell two answers apart.
type Recorder struct {
	next Resolver

	mu      sync.Mutex
	answers map[question]Answer
	full    bool
}

// NewRecorder returns a recorder over next.
func NewRecorder(next Resolver) *Recorder {
	return &Recorder{next: next, answers: map[question]Answer{}}
}

// Lookup implements [Resolver].
func (r *Recorder) Lookup(ctx context.Context, name string, t Type) (Answer, error) {
	n, ok := Normalize(name)
	if !ok {
		return unasked(ctx, name, t, FormErr) // a repetition needs no record to say the same
	}
	q := question{n, t}
	r.mu.Lock()
	a, ok := r.answers[q]
	r.mu.Unlock()
	if ok {
		return a, nil
	}
	a, err := r.next.Lookup(ctx, n, t)
	if err != nil {
		return a, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if first, ok := r.answers[q]; ok {
		return first, nil
	}
	if len(r.answers) >= maxRecorded {
		r.full = true
		return a, nil
	}
	r.answers[q] = a
	return a, nil
}

// WriteZone writes what was recorded in the format that package resolve/zone
// reads, ordered by name. Whatever is not a plain answer becomes a directive in
// a comment, such as "; !nxdomain a.example. TXT 300", which stands for exactly
// that question. Sources and times are not kept.
//
// The error is [ErrRecorderFull] if questions are missing, else that of w.
func (r *Recorder) WriteZone(w io.Writer) error {
	r.mu.Lock()
	all := slices.SortedFunc(maps.Values(r.answers), func(a, b Answer) int {
		// Answers without a chain first: they settle what a name holds, and an
		// alias that led to something else is then written out.
		return cmp.Or(cmp.Compare(min(len(a.Chain), 1), min(len(b.Chain), 1)), strings.Compare(a.Name, b.Name), cmp.Compare(a.Type, b.Type))
	})
	full := r.full
	r.mu.Unlock()
	z := zoneWriter{sets: map[question]recordedSet{}}
	for _, a := range all {
		z.answer(a)
	}
	var b strings.Builder
	b.WriteString("; DNS answers recorded by sekisho\n")
	for _, q := range slices.SortedFunc(maps.Keys(z.sets), func(a, b question) int {
		return cmp.Or(strings.Compare(a.name, b.name), cmp.Compare(a.t, b.t))
	}) {
		b.WriteString(z.sets[q].text)
	}
	slices.Sort(z.flags)
	for _, f := range z.flags {
		b.WriteString(f)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("writing the recorded answers: %w", err)
	}
	if full {
		return ErrRecorderFull
	}
	return nil
}

// zoneWriter collects the lines for each name and type.
type zoneWriter struct {
	sets  map[question]recordedSet
	flags []string // lines that are of no set
}

// recordedSet is what is written for one name and type.
type recordedSet struct {
	says string // without times to live, which differ from question to question
	text string
}

func (z *zoneWriter) answer(a Answer) {
	if a.RCode == FormErr {
		return
	}
	if a.AD {
		z.flags = append(z.flags, fmt.Sprintf("; !ad %s %s\n", FileName(a.Name), a.Type))
	}
	own := question{a.Name, a.Type}
	if a.RCode == Loop || !z.agrees(a) {
		z.put(own, a, a.Name)
		return
	}
	from := a.Name
	for _, to := range a.Chain {
		link := Answer{Type: TypeCNAME, Records: []Record{{Type: TypeCNAME, TTL: a.TTL, Host: to}}}
		z.put(question{from, TypeCNAME}, link, from)
		from = to
	}
	z.put(question{from, a.Type}, a, from)
}

// agrees reports whether the links of the chain and what stands at its end can
// be written beside what is written already.
func (z *zoneWriter) agrees(a Answer) bool {
	from := a.Name
	for _, to := range a.Chain {
		if old, ok := z.sets[question{from, TypeCNAME}]; ok && old.says != says(Answer{Records: []Record{{Type: TypeCNAME, Host: to}}}) {
			return false
		}
		from = to
	}
	old, ok := z.sets[question{from, a.Type}]
	return !ok || old.says == says(a)
}

func (z *zoneWriter) put(q question, a Answer, owner string) {
	if _, ok := z.sets[q]; !ok {
		z.sets[q] = recordedSet{says(a), lines(a, owner)}
	}
}

// says writes code and records without owner and times.
func says(a Answer) string {
	var b strings.Builder
	b.WriteString(a.RCode.String())
	for _, r := range a.Records {
		b.WriteString("\n" + r.Data())
	}
	return b.String()
}

// lines writes the records of a at owner, or the directive that says why there
// are none.
func lines(a Answer, owner string) string {
	if a.RCode == NoError && len(a.Records) > 0 {
		var b strings.Builder
		for _, r := range a.Records {
			r.Name = owner
			b.WriteString(r.String() + "\n")
		}
		return b.String()
	}
	word := strings.ToLower(a.RCode.String())
	if a.RCode == NoError {
		word = "nodata"
	}
	return fmt.Sprintf("; !%s %s %s %s\n", word, FileName(owner), a.Type, seconds(a.TTL))
}
