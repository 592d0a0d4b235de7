package desk

import (
	"cmp"
	"context"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/internal/feeds"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mql/check"
	"github.com/sekisho/sekisho/mql/eval"
	"github.com/sekisho/sekisho/mql/value"
)

// RulesBenchSchema names the shape of a [RulesBench] in JSON.
const RulesBenchSchema = "sekisho.rules-bench/v1"

// RulesBench says what some rules cost on some messages, on one processor.
type RulesBench struct {
	Schema   string  `json:"schema"`
	Rules    int     `json:"rules"`    // that can run
	Messages int     `json:"messages"` // that could be read
	Bytes    int64   `json:"bytes"`
	LoadMS   float64 `json:"load_ms"` // reading, parsing, checking and compiling

	// Of a message, in milliseconds. Model is the building of the data model;
	// what rules alone ask for is built when they ask and counts as rules.
	Parse Spread `json:"parse_ms"`
	Model Spread `json:"model_ms"`
	Eval  Spread `json:"rules_ms"`
	Whole Spread `json:"whole_ms"`

	// TenthRatio is what all rules cost over what a random tenth of them does:
	// the mean of five tenths. 0 where there are too few rules or messages.
	TenthRatio float64 `json:"tenth_ratio"`

	Slowest []RuleCost  `json:"slowest"`       // at most MaxSlowest
	Short   int         `json:"cut_short"`     // messages for which the budget was not enough for all rules
	Open    []RulesNeed `json:"undecided_for"` // rules never decided, by what they lack
}

// Spread is the distribution of a time.
type Spread struct {
	Median float64 `json:"median"`
	P90    float64 `json:"p90"`
	P99    float64 `json:"p99"`
	Max    float64 `json:"max"`
}

// RuleCost is what one rule took. A rule pays for what it asks first and others
// ask again.
type RuleCost struct {
	ID        string  `json:"id"`
	Name      string  `json:"name"`
	File      string  `json:"file"`
	MeanMS    float64 `json:"mean_ms"` // for a message
	Share     float64 `json:"share"`   // of what all rules took, 0 to 1
	Matched   int     `json:"matched"`
	Undecided int     `json:"undecided"`
}

// Bounds on a measurement.
const (
	MaxSlowest    = 10
	maxBenchBytes = 256 << 20 // of messages that are kept
)

// BenchInput is what [BenchRules] measures.
type BenchInput struct {
	Load     func(context.Context) (*feeds.Set, error)
	Items    iter.Seq[Item]
	Messages int                                      // at most so many, from the beginning
	Seed     uint64                                   // of the tenths
	Unread   func(file string, index int, f *Failure) // told of a message that cannot be read; may be nil
	Progress func(done, of int)                       // may be nil
}

// BenchRules measures rules. Clock is a running clock.
func BenchRules(ctx context.Context, in BenchInput, deps QueryDeps, clock func() time.Time) (*RulesBench, error) {
	start := clock()
	set, err := in.Load(ctx)
	if err != nil {
		return nil, err
	}
	out := &RulesBench{Schema: RulesBenchSchema, Rules: set.Compiled.Len(), LoadMS: ms(clock().Sub(start)), Slowest: []RuleCost{}, Open: []RulesNeed{}}
	var raws [][]byte
	for it := range in.Items {
		if it.Err != nil {
			if in.Unread != nil {
				in.Unread(it.File, it.Index, renderer{words: cmp.Or(deps.Words, lang.Default())}.failure(it.Err))
			}
			continue
		}
		raws = append(raws, it.Raw)
		out.Bytes += int64(len(it.Raw))
		if len(raws) == in.Messages || out.Bytes > maxBenchBytes {
			break
		}
	}
	out.Messages = len(raws)
	b := bench{deps: deps, clock: clock, named: namedLists(&deps.Facts, deps.Lists, set.ListNames()), seen: newSeen(deps.History)}
	costs := make([]ruleTime, out.Rules)
	var parse, model, rules, whole []float64
	for i, raw := range raws {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		t := b.message(set.Compiled, raw, costs)
		if t.short {
			out.Short++
		}
		parse, model, rules, whole = append(parse, ms(t.parse)), append(model, ms(t.model)), append(rules, ms(t.rules)), append(whole, ms(t.parse+t.model+t.rules))
		if in.Progress != nil {
			in.Progress(i+1, len(raws))
		}
	}
	out.Parse, out.Model, out.Eval, out.Whole = spread(parse), spread(model), spread(rules), spread(whole)
	out.slowest(set, costs)
	out.open(costs)
	if out.Rules >= 50 && len(raws) > 0 {
		if out.TenthRatio, err = b.tenths(ctx, set, raws, sum(model)+sum(rules), in.Seed); err != nil {
			return nil, err
		}
	}
	return out, nil
}

type ruleTime struct {
	took                        time.Duration
	decided, matched, undecided int
	gaps                        map[string]bool
}

type bench struct {
	deps  QueryDeps
	clock func() time.Time
	named map[string]*value.List
	seen  *seen
}

type messageTime struct {
	parse, model, rules time.Duration
	short               bool
}

// message runs rules on one message. Costs may be nil.
func (b *bench) message(rules *eval.Rules, raw []byte, costs []ruleTime) messageTime {
	var out messageTime
	t0 := b.clock()
	budget := budget.New(nil)
	m := eml.Parse(raw, &eml.Options{Budget: budget})
	t1 := b.clock()
	share, settle := budget.Share(eval.MessageCost)
	defer settle()
	run := rules.Start(b.deps.messageEnv(m, b.named, b.seen, share))
	defer run.Done()
	t2 := b.clock()
	last := t2
	for i := range rules.Len() {
		res := run.Rule(i)
		if costs == nil {
			continue
		}
		now := b.clock()
		c := &costs[i]
		c.took += now.Sub(last)
		last = now
		switch res.Verdict {
		case eval.Match:
			c.matched++
			c.decided++
		case eval.NoMatch:
			c.decided++
		case eval.Undecided:
			c.undecided++
			if c.gaps == nil {
				c.gaps = map[string]bool{}
			}
			for _, g := range res.Missing {
				c.gaps[g.Capability] = true
				out.short = out.short || g.Capability == "budget"
			}
		}
	}
	out.parse, out.model, out.rules = t1.Sub(t0), t2.Sub(t1), b.clock().Sub(t2)
	return out
}

// tenths returns how many times what a random tenth of the rules costs, all
// cost: the mean of five tenths.
func (b *bench) tenths(ctx context.Context, set *feeds.Set, raws [][]byte, all float64, seed uint64) (float64, error) {
	const rounds = 5
	random := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // a sample that can be drawn again
	total := 0.0
	for range rounds {
		var programs []*check.Program
		for _, i := range random.Perm(set.Compiled.Len())[:set.Compiled.Len()/10] {
			programs = append(programs, set.Compiled.Program(i))
		}
		some, err := eval.Compile(programs)
		if err != nil {
			return 0, err
		}
		took := time.Duration(0)
		for _, raw := range raws {
			if err := ctx.Err(); err != nil {
				return 0, err
			}
			t := b.message(some, raw, nil)
			took += t.model + t.rules
		}
		total += ms(took)
	}
	if total == 0 {
		return 0, nil
	}
	return all / (total / rounds), nil
}

func (out *RulesBench) slowest(set *feeds.Set, costs []ruleTime) {
	total := time.Duration(0)
	order := make([]int, len(costs))
	for i := range costs {
		order[i] = i
		total += costs[i].took
	}
	if total == 0 || out.Messages == 0 {
		return
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(costs[b].took, costs[a].took) })
	for _, i := range order[:min(MaxSlowest, len(order))] {
		r, c := &set.Rules[set.Usable[i]], &costs[i]
		out.Slowest = append(out.Slowest, RuleCost{
			ID: r.ID(), Name: r.Name(), File: r.File, MeanMS: ms(c.took) / float64(out.Messages), Share: float64(c.took) / float64(total),
			Matched: c.matched, Undecided: c.undecided,
		})
	}
}

// open counts the rules that no message decided, by what they lack.
func (out *RulesBench) open(costs []ruleTime) {
	c := coverage{needs: map[string]int{}}
	for i := range costs {
		if costs[i].decided == 0 {
			for g := range costs[i].gaps {
				c.needs[g]++
			}
		}
	}
	out.Open = append(out.Open, c.view().Needs...)
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func sum(list []float64) float64 {
	t := 0.0
	for _, x := range list {
		t += x
	}
	return t
}

// spread is zero for no values. A quantile is the least value that so many are
// not above.
func spread(list []float64) Spread {
	if len(list) == 0 {
		return Spread{}
	}
	sorted := slices.Sorted(slices.Values(list))
	at := func(q float64) float64 { return sorted[max(0, int(math.Ceil(q*float64(len(sorted))))-1)] }
	return Spread{Median: at(0.5), P90: at(0.9), P99: at(0.99), Max: sorted[len(sorted)-1]}
}
