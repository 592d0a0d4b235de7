package term

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	redrawEvery = 100 * time.Millisecond
	// What is done sooner needs no bar.
	firstDraw = 300 * time.Millisecond

	widestBar    = 30
	narrowestBar = 5
)

// Progress is a line that says how far a job is: bar, count, rate and the time
// that is left. It is drawn ten times a second at most and erased at the end.
// It is safe for concurrent use. A nil *Progress draws nothing, which is what
// there is without a terminal.
type Progress struct {
	mu      sync.Mutex
	w       io.Writer
	label   string
	columns int
	now     func() time.Time

	done, total int
	start, last time.Time
	shown       int // columns of the line on the screen
}

// ProgressOptions say what a [Progress] shows. A nil *ProgressOptions is the
// default.
type ProgressOptions struct {
	Label   string           // in front of the bar
	Total   int              // 0 if unknown; see [Progress.SetTotal]
	Columns int              // of the terminal; 0 is 100
	Now     func() time.Time // nil: the system's clock
}

// NewProgress starts a line on the terminal w.
func NewProgress(w io.Writer, o *ProgressOptions) *Progress {
	if o == nil {
		o = &ProgressOptions{}
	}
	p := &Progress{w: w, label: Clean(o.Label), total: o.Total, columns: o.Columns, now: o.Now}
	if p.now == nil {
		p.now = time.Now
	}
	if p.columns <= 0 {
		p.columns = defaultColumns
	}
	p.start = p.now()
	p.last = p.start.Add(firstDraw - redrawEvery)
	return p
}

// SetTotal says how many there are in all, once that is known.
func (p *Progress) SetTotal(n int) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total = n
}

// Add says that n more are done.
func (p *Progress) Add(n int) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += n
	if now := p.now(); now.Sub(p.last) >= redrawEvery {
		p.last = now
		p.draw(p.text(now.Sub(p.start)))
	}
}

// Interrupt erases the line, calls f, which may write to the terminal, and lets
// the line come back with the next step.
func (p *Progress) Interrupt(f func()) {
	if p == nil {
		f()
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.draw("")
	f()
}

// Close erases the line.
func (p *Progress) Close() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.draw("")
	p.last = p.now().Add(24 * time.Hour) // what comes late draws nothing
}

// draw replaces the line. Spaces erase on every terminal, escape sequences do
// not. A line that cannot be written is no reason to stop the work.
func (p *Progress) draw(line string) {
	if line == "" && p.shown == 0 {
		return
	}
	n := Width(line)
	out := "\r" + line + strings.Repeat(" ", max(0, p.shown-n))
	if line == "" {
		out += "\r"
	}
	p.shown = n
	_, _ = io.WriteString(p.w, out)
}

// text returns the line. It leaves the last column free: some terminals go to
// the next line when it is filled.
func (p *Progress) text(elapsed time.Duration) string {
	rate := float64(p.done) / max(elapsed.Seconds(), 0.001)
	speed := strconv.Itoa(int(rate)) + "/s"
	if rate < 10 {
		speed = strconv.FormatFloat(rate, 'f', 1, 64) + "/s"
	}
	label := p.label
	if label != "" {
		label += " "
	}
	room := p.columns - 1
	if p.total <= 0 {
		return Truncate(fmt.Sprintf("%s%s  %s  %s", label, digits(p.done), speed, clock(elapsed)), room)
	}
	done := min(p.done, p.total)
	left := "-:--"
	if done > 0 {
		left = clock(time.Duration(float64(p.total-done) / rate * float64(time.Second)))
	}
	numbers := fmt.Sprintf("%s/%s %3d%%  %s  %s", digits(done), digits(p.total), int(int64(done)*100/int64(p.total)), speed, left)
	size := min(widestBar, room-Width(label)-len(numbers)-len("[] "))
	if size < narrowestBar {
		return Truncate(label+numbers, room)
	}
	full := int(int64(size) * int64(done) / int64(p.total))
	return label + "[" + strings.Repeat("#", full) + strings.Repeat(".", size-full) + "] " + numbers
}

// clock writes a duration as minutes and seconds, with hours if there are any.
func clock(d time.Duration) string {
	const most = 100 * time.Hour
	s := int(min(d, most-time.Second).Round(time.Second) / time.Second)
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// digits writes n with a comma between thousands.
func digits(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
