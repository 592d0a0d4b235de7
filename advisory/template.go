package advisory

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/triage"
)

// ErrTemplate is returned for a catalogue with a mistake.
var ErrTemplate = errors.New("advisory: bad template")

// maxTemplateBytes bounds one file of a catalogue, which a user may replace.
const maxTemplateBytes = 256 << 10

// line is a sentence of a template with its conditions.
type line struct {
	ID   string   `yaml:"id"`
	When []string `yaml:"when"` // slots that must be there and conditions that must hold; "!" turns one round
	JA   string   `yaml:"ja"`
	EN   string   `yaml:"en"`
}

func (l *line) text() lang.Text { return lang.Text{JA: l.JA, EN: l.EN} }

// slot is a fact that a template names, in words for who has to fill it in.
type slot struct {
	ID string `yaml:"id"`
	JA string `yaml:"ja"`
	EN string `yaml:"en"`
}

// action is something to do, from the dictionary of actions.
type action struct {
	line  `yaml:",inline"`
	Clock clock `yaml:"clock"`

	// Else is said instead where a slot of the text is missing.
	Else *lang.Text `yaml:"-"`

	ElseJA   string   `yaml:"else_ja"`
	ElseEN   string   `yaml:"else_en"`
	NoteJA   string   `yaml:"note_ja"`
	NoteEN   string   `yaml:"note_en"`
	PlanJA   string   `yaml:"plan_ja"` // in plain words, for the manager; empty for the text itself
	PlanEN   string   `yaml:"plan_en"`
	Commands []string `yaml:"commands"`
}

// clock is which of the dates an action has.
type clock string

const (
	clockNow     clock = "now"     // at once, whatever the grade
	clockFound   clock = "found"   // at once if anybody is affected
	clockCheck   clock = "check"   // triage.Clocks.AdminCheck
	clockNotice  clock = "notice"  // triage.Clocks.StaffNotice
	clockSetting clock = "setting" // triage.Clocks.SettingChange
	clockNone    clock = "none"    // for staff, and for what has no date
)

var clockNames = []clock{clockNow, clockFound, clockCheck, clockNotice, clockSetting, clockNone}

// Technique is a way of attack, with what stops it.
type Technique struct {
	ID       string    `yaml:"id"`
	Name     lang.Text `yaml:"-"`
	JA       string    `yaml:"ja"`
	EN       string    `yaml:"en"`
	RouteJA  string    `yaml:"route_ja"` // its place on the way of the victim, empty for none
	RouteEN  string    `yaml:"route_en"`
	Stage    int       `yaml:"stage"`     // order on that way
	Requires []string  `yaml:"requires"`  // actions that an advisory about it has to name
	NoRemedy []Remedy  `yaml:"no_remedy"` // what is often advised and does not stop it
}

// Remedy is advice by name, with why it does not stop a technique.
type Remedy struct {
	ID string `yaml:"id"`
	JA string `yaml:"ja"`
	EN string `yaml:"en"`
}

// template is the text for one kind of advisory.
type template struct {
	Key        string   `yaml:"key"`
	Kinds      []string `yaml:"kinds"`
	Techniques []string `yaml:"techniques"` // any of them chooses this template
	Own        bool     `yaml:"own"`        // about our own doings: no source is needed, and whether it concerns us is no question
	Slots      []slot   `yaml:"slots"`      // facts that its texts name, beside those that every template has

	Title   line   `yaml:"title"`
	Summary []line `yaml:"summary"`
	Scope   []line `yaml:"scope"`

	// Confirm says what has to be looked up where nobody knows whether the way in
	// is open. It may be nil.
	Confirm *line `yaml:"confirm"`

	Staff   staffTemplate   `yaml:"staff"`
	Admin   adminTemplate   `yaml:"admin"`
	Manager managerTemplate `yaml:"manager"`
}

type staffTemplate struct {
	Tag      string   `yaml:"tag"` // alert, request, notice, correction
	Subject  line     `yaml:"subject"`
	To       *line    `yaml:"to"` // whom it addresses, if not all staff
	Why      []line   `yaml:"why"`
	Asks     []string `yaml:"asks"`
	Deadline string   `yaml:"deadline"` // concerned, check, due, none
}

type adminTemplate struct {
	Subject  line   `yaml:"subject"`
	Overview []line `yaml:"overview"`
	Steps    []step `yaml:"steps"`
}

// step names an action, with conditions of the template.
type step struct {
	Act  string   `yaml:"act"`
	When []string `yaml:"when"`
	Core bool     `yaml:"core"` // stands on the card too
}

type managerTemplate struct {
	Happened []line `yaml:"happened"`
	Means    []line `yaml:"means"`
	Decide   []line `yaml:"decide"`
}

// Catalogue holds the templates, actions, techniques and lures. It is immutable and
// safe for concurrent use.
type Catalogue struct {
	templates  map[string]*template
	order      []string // keys of the templates in the order of choice
	actions    map[string]*action
	techniques map[string]*Technique
	lures      []lure
}

//go:embed catalogue
var files embed.FS

// Default returns the catalogue that is built in.
func Default() *Catalogue { return defaultCatalogue() }

var defaultCatalogue = sync.OnceValue(func() *Catalogue {
	sub, err := fs.Sub(files, "catalogue")
	if err != nil {
		panic(err)
	}
	c, err := Load(sub)
	if err != nil {
		panic(err) // a test loads it
	}
	return c
})

// Load reads a catalogue: actions.yaml, techniques.yaml, lures.yaml (which may be
// missing) and templates/*.yaml.
// It returns [ErrTemplate] with the file and the reason where a text lacks a
// language, names a slot that nobody declares, or differs between the languages in the
// slots that it names, and where a technique's remedies are not among the actions.
func Load(fsys fs.FS) (*Catalogue, error) {
	c := &Catalogue{templates: map[string]*template{}, actions: map[string]*action{}, techniques: map[string]*Technique{}}
	var actions []*action
	if err := readYAML(fsys, "actions.yaml", &actions); err != nil {
		return nil, err
	}
	for _, a := range actions {
		if c.actions[a.ID] != nil {
			return nil, fmt.Errorf("%w: actions.yaml: %s stands there twice", ErrTemplate, a.ID)
		}
		if a.ElseJA != "" || a.ElseEN != "" {
			a.Else = &lang.Text{JA: a.ElseJA, EN: a.ElseEN}
		}
		c.actions[a.ID] = a
	}
	var techniques []*Technique
	if err := readYAML(fsys, "techniques.yaml", &techniques); err != nil {
		return nil, err
	}
	for _, t := range techniques {
		if c.techniques[t.ID] != nil {
			return nil, fmt.Errorf("%w: techniques.yaml: %s stands there twice", ErrTemplate, t.ID)
		}
		t.Name = lang.Text{JA: t.JA, EN: t.EN}
		c.techniques[t.ID] = t
	}
	if err := c.readLures(fsys); err != nil {
		return nil, err
	}
	names, err := fs.Glob(fsys, "templates/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("listing the templates: %w", err)
	}
	for _, name := range names {
		t := &template{}
		if err := readYAML(fsys, name, t); err != nil {
			return nil, err
		}
		if t.Key != strings.TrimSuffix(path.Base(name), ".yaml") {
			return nil, fmt.Errorf("%w: %s: the key is %q", ErrTemplate, name, t.Key)
		}
		c.templates[t.Key] = t
		c.order = append(c.order, t.Key)
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	return c, nil
}

func readYAML(fsys fs.FS, name string, into any) error {
	f, err := fsys.Open(name)
	if err != nil {
		return fmt.Errorf("reading the catalogue: %w", err)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxTemplateBytes+1))
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	if len(b) > maxTemplateBytes {
		return fmt.Errorf("%w: %s is longer than %d bytes", ErrTemplate, name, maxTemplateBytes)
	}
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrTemplate, name, err)
	}
	return nil
}

// Templates returns the keys of the templates, sorted.
func (c *Catalogue) Templates() []string { return slices.Sorted(maps.Keys(c.templates)) }

// Technique returns a technique by its id.
func (c *Catalogue) Technique(id string) (Technique, bool) {
	t, ok := c.techniques[id]
	if !ok {
		return Technique{}, false
	}
	return *t, true
}

// Techniques returns the ids of the techniques, sorted.
func (c *Catalogue) Techniques() []string { return slices.Sorted(maps.Keys(c.techniques)) }

// Choose returns the key of the template for a kind and techniques: the one
// whose technique comes first among them, else the one for the kind.
func (c *Catalogue) Choose(kind triage.Kind, techniques []string) string {
	for _, id := range techniques {
		for _, k := range c.order {
			if t := c.templates[k]; slices.Contains(t.Techniques, id) && slices.Contains(t.Kinds, string(kind)) {
				return k
			}
		}
	}
	for _, k := range c.order {
		if t := c.templates[k]; len(t.Techniques) == 0 && slices.Contains(t.Kinds, string(kind)) {
			return k
		}
	}
	return "notice"
}

// facts are the slots that every template can name, in words for who has to
// fill in one that is missing.
var facts = map[string]lang.Text{
	"extent": {JA: "規模と時期", EN: "how many and when"}, "extent_short": {JA: "規模と時期", EN: "how many and when"},
	"seen": {JA: "観測された時期", EN: "when it was seen"}, "seen_from": {JA: "最初に観測された日", EN: "the day on which it was first seen"},
	"route": {JA: "手口の流れ", EN: "the steps of the attack"}, "cves": {JA: "CVE 番号", EN: "the CVE"},
	"products": {JA: "対象の製品", EN: "the product"}, "updates": {JA: "更新プログラムの一覧", EN: "the list of updates"},
	"vendor_date": {JA: "適用開始日", EN: "the date from which it applies"}, "vendor_day": {JA: "適用開始日", EN: "the date from which it applies"}, "lure": {JA: "メールの名目", EN: "what the mail poses as"},
	"banks": {JA: "取引銀行の名前", EN: "the name of our bank"}, "systems": {JA: "社内システムの名前", EN: "the name of our systems"},
	"checked": {JA: "確認日", EN: "the day of the check"},
}

// given are the other slots, which are always there, and the conditions.
var given = []string{
	"it", "ask", "report", "org", "officer",
	"grade", "label", "due", "check_by", "notice_by", "setting_by", "today",
	"found", "not-found", "ours", "unsure", "active", "ended", "japan", "exposed", "not-exposed", "exposure-unknown",
	"exploited", "forensic", "ransomware", "targeted", "gateway", "urgent", "has-due", "vendor-passed",
}

// check tests every text of the catalogue.
func (c *Catalogue) check() error {
	known := map[string]bool{}
	for _, s := range given {
		known[s] = true
	}
	for s := range facts {
		known[s] = true
	}
	for id, t := range c.techniques {
		known["technique:"+id] = true
		for _, a := range t.Requires {
			if c.actions[a] == nil {
				return fmt.Errorf("%w: techniques.yaml: %s requires %s, which is no action", ErrTemplate, id, a)
			}
		}
		if (t.RouteJA == "") != (t.RouteEN == "") || t.JA == "" || t.EN == "" {
			return fmt.Errorf("%w: techniques.yaml: %s lacks a language", ErrTemplate, id)
		}
	}
	all := maps.Clone(known)
	for _, t := range c.templates {
		for _, s := range t.Slots {
			all[s.ID] = true
		}
	}
	for id, a := range c.actions {
		if err := a.check(all); err != nil {
			return fmt.Errorf("%w: actions.yaml: %s: %w", ErrTemplate, id, err)
		}
	}
	for key, t := range c.templates {
		own := maps.Clone(known)
		for _, s := range t.Slots {
			if s.JA == "" || s.EN == "" || known[s.ID] {
				return fmt.Errorf("%w: %s.yaml: slot %q lacks a language, or is one that every template has", ErrTemplate, key, s.ID)
			}
			own[s.ID] = true
		}
		if err := t.check(own, c); err != nil {
			return fmt.Errorf("%w: %s.yaml: %w", ErrTemplate, key, err)
		}
	}
	return nil
}

func (a *action) check(known map[string]bool) error {
	if err := a.line.check(known); err != nil {
		return err
	}
	if !slices.Contains(clockNames, a.Clock) {
		return fmt.Errorf("no such clock: %q", string(a.Clock))
	}
	if a.Else != nil {
		if err := (&line{ID: a.ID, JA: a.ElseJA, EN: a.ElseEN}).check(known); err != nil {
			return fmt.Errorf("else: %w", err)
		}
	}
	if a.PlanJA != "" || a.PlanEN != "" {
		if err := (&line{ID: a.ID, JA: a.PlanJA, EN: a.PlanEN}).check(known); err != nil {
			return fmt.Errorf("plan: %w", err)
		}
	}
	if a.NoteJA != "" || a.NoteEN != "" {
		if err := (&line{ID: a.ID, JA: a.NoteJA, EN: a.NoteEN}).check(known); err != nil {
			return fmt.Errorf("note: %w", err)
		}
	}
	return nil
}

func (l *line) check(known map[string]bool) error {
	if l.ID == "" {
		return fmt.Errorf("a line has no id: %q", l.EN)
	}
	if strings.TrimSpace(l.JA) == "" || strings.TrimSpace(l.EN) == "" {
		return fmt.Errorf("%s lacks a language", l.ID)
	}
	ja, err := slotsIn(l.JA)
	if err != nil {
		return fmt.Errorf("%s: ja: %w", l.ID, err)
	}
	en, err := slotsIn(l.EN)
	if err != nil {
		return fmt.Errorf("%s: en: %w", l.ID, err)
	}
	if !slices.Equal(ja, en) {
		return fmt.Errorf("%s: ja names %v, en names %v", l.ID, ja, en)
	}
	for _, s := range ja {
		if !known[s] {
			return fmt.Errorf("%s: no such slot: %q", l.ID, s)
		}
	}
	return checkWhen(l.ID, l.When, known)
}

func checkWhen(id string, when []string, known map[string]bool) error {
	for _, w := range when {
		if !known[strings.TrimPrefix(w, "!")] {
			return fmt.Errorf("%s: no such condition: %q", id, w)
		}
	}
	return nil
}

func (t *template) check(known map[string]bool, c *Catalogue) error {
	lines := []line{t.Title, t.Staff.Subject, t.Admin.Subject}
	for _, ls := range [][]line{t.Summary, t.Scope, t.Staff.Why, t.Admin.Overview, t.Manager.Happened, t.Manager.Means, t.Manager.Decide} {
		if len(ls) == 0 {
			return errors.New("a section is empty")
		}
		lines = append(lines, ls...)
	}
	for _, l := range []*line{t.Staff.To, t.Confirm} {
		if l != nil {
			lines = append(lines, *l)
		}
	}
	for _, l := range lines {
		if err := l.check(known); err != nil {
			return err
		}
	}
	if !slices.Contains([]string{"alert", "request", "notice", "correction"}, t.Staff.Tag) {
		return fmt.Errorf("no such tag: %q", t.Staff.Tag)
	}
	if !slices.Contains([]string{"concerned", "check", "due", "none"}, t.Staff.Deadline) {
		return fmt.Errorf("no such deadline: %q", t.Staff.Deadline)
	}
	if n := len(t.Staff.Asks); n == 0 || n > 3 {
		return fmt.Errorf("staff are asked %d things, want 1 to 3", n)
	}
	for _, a := range t.Staff.Asks {
		if c.actions[a] == nil {
			return fmt.Errorf("no such action: %q", a)
		}
	}
	says := map[string]bool{}
	for _, s := range t.Admin.Steps {
		if c.actions[s.Act] == nil {
			return fmt.Errorf("no such action: %q", s.Act)
		}
		if err := checkWhen(s.Act, s.When, known); err != nil {
			return err
		}
		says[s.Act] = true
	}
	for _, id := range t.Techniques {
		tech, ok := c.techniques[id]
		if !ok {
			return fmt.Errorf("no such technique: %q", id)
		}
		for _, a := range tech.Requires {
			if !says[a] {
				return fmt.Errorf("it is for %s and never says %s", id, a)
			}
		}
	}
	return nil
}

// slotsIn returns the slots that a text names, sorted and once each.
func slotsIn(text string) ([]string, error) {
	names := map[string]bool{}
	for {
		_, rest, ok := strings.Cut(text, "{")
		if !ok {
			return slices.Sorted(maps.Keys(names)), nil
		}
		name, after, ok := strings.Cut(rest, "}")
		if !ok || name == "" || strings.ContainsAny(name, " {") {
			return nil, fmt.Errorf("a brace is not closed, or names nothing: %q", rest)
		}
		names[name] = true
		text = after
	}
}
