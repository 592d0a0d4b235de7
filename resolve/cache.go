package resolve

import (
	"container/list"
	"context"
	"sync"
	"time"
)

// CacheOptions bounds a [Cache]. A zero field is the default.
type CacheOptions struct {
	MaxAnswers  int           // answers that are kept; 10,000
	MaxBytes    int           // estimated memory of those; 32 MiB
	MaxTTL      time.Duration // longest time that records are kept; one day
	MaxNegative time.Duration // that NXDOMAIN and NODATA are kept; 3 hours (RFC 2308 section 5)
	Failure     time.Duration // that a failure is kept; 5 seconds, at most 5 minutes (RFC 9520 section 3.2)
}

// Cache keeps answers as long as their TTL allows, the negative ones too (RFC
// 2308). Of several callers that ask the same at the same time one asks the
// server. When it is full, what was not used for the longest time goes.
type Cache struct {
	next Resolver
	now  func() time.Time
	opts CacheOptions

	mu      sync.Mutex
	entries map[question]*list.Element // of entry
	recent  *list.List                 // most recently used first
	bytes   int
	flights map[question]*flight
}

type question struct {
	name string
	t    Type
}

type entry struct {
	question question
	answer   Answer
	expires  time.Time
	bytes    int
}

// flight is a question under way.
type flight struct {
	done   chan struct{}
	answer Answer
	ok     bool // answer is set; else the one who asked gave up
}

// NewCache returns a cache over next that reads the time from now.
func NewCache(next Resolver, now func() time.Time, opts *CacheOptions) *Cache {
	c := &Cache{next: next, now: now, entries: map[question]*list.Element{}, recent: list.New(), flights: map[question]*flight{}}
	if opts != nil {
		c.opts = *opts
	}
	def := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	defTime := func(v *time.Duration, d time.Duration) {
		if *v <= 0 {
			*v = d
		}
	}
	def(&c.opts.MaxAnswers, 10_000)
	def(&c.opts.MaxBytes, 32<<20)
	defTime(&c.opts.MaxTTL, 24*time.Hour)
	defTime(&c.opts.MaxNegative, 3*time.Hour)
	defTime(&c.opts.Failure, 5*time.Second)
	c.opts.Failure = min(c.opts.Failure, 5*time.Minute)
	return c
}

// Lookup implements [Resolver]. The At of a kept answer is the time at which it
// was asked for.
func (c *Cache) Lookup(ctx context.Context, name string, t Type) (Answer, error) {
	n, ok := Normalize(name)
	if !ok {
		return unasked(ctx, name, t, FormErr)
	}
	q := question{n, t}
	for {
		c.mu.Lock()
		if a, ok := c.get(q); ok {
			c.mu.Unlock()
			return a, nil
		}
		f, waiting := c.flights[q]
		if !waiting {
			f = &flight{done: make(chan struct{})}
			c.flights[q] = f
		}
		c.mu.Unlock()
		if !waiting {
			return c.ask(ctx, q, f)
		}
		select {
		case <-ctx.Done():
			return Answer{}, ctx.Err()
		case <-f.done:
			// The context of the one who asked is not ours: ask again.
			if f.ok {
				return f.answer, nil
			}
		}
	}
}

func (c *Cache) ask(ctx context.Context, q question, f *flight) (Answer, error) {
	defer func() { // also when next panics, or all others wait for ever
		c.mu.Lock()
		delete(c.flights, q)
		c.mu.Unlock()
		close(f.done)
	}()
	a, err := c.next.Lookup(ctx, q.name, q.t)
	if err != nil {
		return a, err
	}
	if a.At.IsZero() {
		a.At = c.now()
	}
	f.answer, f.ok = a, true
	c.mu.Lock()
	c.put(q, a)
	c.mu.Unlock()
	return a, nil
}

// Len returns the number of answers that are kept, those past their time
// included.
func (c *Cache) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.entries)
}

func (c *Cache) get(q question) (Answer, bool) {
	el, ok := c.entries[q]
	if !ok {
		return Answer{}, false
	}
	e := el.Value.(*entry)
	if !c.now().Before(e.expires) {
		c.remove(el)
		return Answer{}, false
	}
	c.recent.MoveToFront(el)
	return e.answer, true
}

func (c *Cache) put(q question, a Answer) {
	var keep time.Duration
	switch {
	case a.RCode == NotAsked:
		return // not what the server says
	case a.Void():
		keep = min(a.TTL, c.opts.MaxNegative)
	case a.RCode == NoError:
		keep = min(a.TTL, c.opts.MaxTTL)
	default:
		keep = c.opts.Failure
	}
	e := &entry{question: q, answer: a, expires: a.At.Add(keep), bytes: footprint(a)}
	if keep <= 0 || e.bytes > c.opts.MaxBytes {
		return
	}
	if old, ok := c.entries[q]; ok {
		c.remove(old)
	}
	c.entries[q] = c.recent.PushFront(e)
	c.bytes += e.bytes
	for len(c.entries) > c.opts.MaxAnswers || c.bytes > c.opts.MaxBytes {
		c.remove(c.recent.Back())
	}
}

func (c *Cache) remove(el *list.Element) {
	e := c.recent.Remove(el).(*entry)
	delete(c.entries, e.question)
	c.bytes -= e.bytes
}

// footprint estimates the memory that an answer holds.
func footprint(a Answer) int {
	n := 256 + len(a.Name)
	for _, s := range a.Chain {
		n += 16 + len(s)
	}
	for _, r := range a.Records {
		n += 160 + len(r.Host) + len(r.Text)
		if r.SOA != nil {
			n += 128
		}
		if r.DS != nil {
			n += 32 + len(r.DS.Digest)
		}
		if r.TLSA != nil {
			n += 32 + len(r.TLSA.Data)
		}
	}
	return n
}
