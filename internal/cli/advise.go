package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/advisory"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/term"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/triage"
)

type adviseCmd struct {
	Write adviseWriteCmd `cmd:"" default:"withargs"`
	Lint  adviseLintCmd  `cmd:""`
}

type adviseWriteCmd struct {
	Path     string   `arg:"" name:"file-or-story"`
	Audience string   `enum:"all,card,staff,admin,manager" default:"all" placeholder:"WHO"`
	Format   string   `enum:"text,md,html,eml,mailto" default:"text" placeholder:"FORM"`
	Out      string   `placeholder:"DIR"`
	Template string   `placeholder:"NAME"`
	Set      []string `sep:"none" placeholder:"FACT=VALUE"`
	Explain  bool
	Keep     bool
}

// maxArticle bounds a document that an advisory is made from.
const maxArticle = 32 << 20

// Run writes an advisory about an article, a story, or what judge found.
func (c *adviseWriteCmd) Run(r *run) (err error) {
	in, story, s, err := c.input(r)
	if err != nil {
		return err
	}
	if s != nil {
		defer func() { err = closed(s, err) }()
	}
	if c.Template != "" {
		if !slices.Contains(advisory.Default().Templates(), c.Template) {
			return &desk.Error{
				Kind: desk.Invalid, Message: lang.M("advise.error.template", "name", c.Template),
				Hint: lang.M("advise.hint.template", "names", strings.Join(advisory.Default().Templates(), ", ")),
			}
		}
		in.Template = c.Template
	}
	for _, s := range c.Set {
		if err := setFact(&in.Corrections, s, r.Now().Location()); err != nil {
			return err
		}
	}
	deps := desk.AdviseDeps{Facts: r.config.Facts, Words: r.words, Now: r.Now}
	doc, tri, err := desk.Advise(in, deps)
	if err != nil {
		return err
	}
	if err := c.keep(r, in, doc, story, s); err != nil {
		return err
	}
	if story != nil {
		if due, err := time.ParseInLocation(time.DateOnly, story.Due, r.Now().Location()); err == nil && (doc.Due != story.Due || doc.Grade != story.Grade) {
			fmt.Fprintln(r.Stderr, "sekisho: "+r.say("cli.news.moved", "grade", string(story.Grade), "date", due))
		}
	}
	switch {
	case c.Out != "":
		return c.files(r, doc, deps)
	case r.flags.Output != "text":
		return r.writeRecord(doc)
	}
	if err := c.write(r, doc, deps); err != nil {
		return err
	}
	if c.Explain {
		c.explain(r, tri)
	}
	for _, h := range doc.Holes {
		if c.Audience == "all" || c.Audience == "card" {
			break // the card lists them
		}
		r.warn(&desk.Error{Kind: desk.Invalid, Message: lang.M("advise.hole", "what", h.What.In(r.lang)), Hint: holeHint(h)})
	}
	return nil
}

// keep keeps what was written about a story, and about a file if the user wants
// it.
func (c *adviseWriteCmd) keep(r *run, in *desk.AdviseInput, doc *advisory.Document, story *desk.StoryRecord, s Store) (err error) {
	if story == nil && !c.Keep {
		return nil
	}
	rec := &desk.AdvisoryRecord{At: r.Now(), Document: doc, Corrections: in.Corrections}
	if story != nil {
		rec.Subject = story.ID
	} else {
		rec.Subject = desk.FileSubject(in)
		if s, err = r.store(); err != nil {
			return err
		}
		defer func() { err = closed(s, err) }()
	}
	version, voided, err := desk.KeepDraft(r.ctx, rec, &desk.ApprovalDeps{Store: s, Audit: s, Facts: r.config.Facts, Rules: r.config.Approval, Words: r.words, Now: r.Now})
	if err != nil {
		return err
	}
	if c.Keep {
		fmt.Fprintln(r.Stderr, "sekisho: "+r.say("cli.advisory.kept", "id", doc.ID, "version", version))
	}
	if voided != "" {
		fmt.Fprintln(r.Stderr, "sekisho: "+r.say("cli.advisory.voided", "id", voided, "version", version))
	}
	return nil
}

func holeHint(h advisory.Missing) lang.Message {
	if h.Field == "" {
		return lang.M("advise.hint.hole")
	}
	return lang.M("advise.hint.field", "field", h.Field)
}

// input reads what the advisory is about: a file, or a story of the store, which
// is then left open. A file comes first; a story whose id is the name of a file
// here is found from another folder.
func (c *adviseWriteCmd) input(r *run) (*desk.AdviseInput, *desk.StoryRecord, Store, error) {
	if _, err := os.Stat(c.Path); err != nil && desk.IsStoryID(c.Path) {
		deps, s, err := r.newsDeps()
		if err != nil {
			return nil, nil, nil, err
		}
		in, story, err := desk.StoryInput(r.ctx, c.Path, deps)
		if err != nil {
			return nil, nil, nil, closed(s, err)
		}
		return in, story, s, nil
	}
	data, err := r.article(c.Path)
	if err != nil {
		return nil, nil, nil, err
	}
	in, err := desk.ReadArticle(data, filepath.Base(c.Path), r.words)
	return in, nil, nil, err
}

// articleError says why a file that the user named cannot be read.
func articleError(path string, err error) *desk.Error {
	e := &desk.Error{Kind: desk.NotFound, Message: lang.M("advise.error.open", "file", path, "error", err.Error()), Hint: lang.M("advise.hint.open"), Err: err}
	if errors.Is(err, fs.ErrNotExist) {
		e.Message = lang.M("advise.error.missing", "file", path)
	}
	return e
}

// setFact corrects one fact.
func setFact(c *desk.Corrections, s string, here *time.Location) error {
	name, value, ok := strings.Cut(s, "=")
	bad := func(choices string) error {
		return &desk.Error{Kind: desk.Invalid, Message: lang.M("advise.error.set", "fact", s), Hint: lang.M("advise.hint.set", "choices", choices)}
	}
	if !ok {
		return bad("kind, relevance, activity, proximity, impact, exposed, vendor-date, ended, checked, lure")
	}
	word := func(to *string, choices ...string) error {
		if !slices.Contains(choices, value) {
			return bad(strings.Join(choices, ", "))
		}
		*to = value
		return nil
	}
	day := func(to *time.Time) error {
		t, err := time.ParseInLocation(time.DateOnly, value, here)
		if err != nil {
			return bad("2026-05-08")
		}
		*to = t
		return nil
	}
	switch name {
	case "kind":
		return word((*string)(&c.Kind), string(triage.Vulnerability), string(triage.Campaign), string(triage.Scam), string(triage.Policy), string(triage.Info))
	case "relevance":
		return word((*string)(&c.Relevance), string(triage.RelevanceNone), string(triage.RelevanceCategory), string(triage.RelevanceExact), string(triage.RelevanceUnknown))
	case "activity":
		return word((*string)(&c.Activity), string(triage.ActivityNone), string(triage.ActivityPoC), string(triage.ActivityEnded), string(triage.ActivityActive))
	case "proximity":
		return word((*string)(&c.Proximity), string(triage.Elsewhere), string(triage.Japan), string(triage.Tenant))
	case "impact":
		return word((*string)(&c.Impact), string(triage.ImpactLow), string(triage.ImpactPartial), string(triage.ImpactTakeover))
	case "exposed":
		return word((*string)(&c.Exposure), string(triage.ExposedNo), string(triage.ExposedYes), string(triage.ExposedUnknown))
	case "vendor-date":
		return day(&c.VendorDate)
	case "ended":
		return day(&c.EndedOn)
	case "checked":
		return day(&c.Checked)
	case "lure":
		c.Lure = value
		return nil
	}
	if c.Slots == nil {
		c.Slots = map[string]string{}
	}
	c.Slots[name] = value
	return nil
}

// drafts are those of the audience that was asked for.
func (c *adviseWriteCmd) drafts(doc *advisory.Document) []advisory.Draft {
	all := slices.Concat(doc.Drafts, doc.Manager)
	if c.Audience == "all" {
		return all
	}
	return slices.DeleteFunc(all, func(m advisory.Draft) bool { return string(m.Audience) != c.Audience })
}

func (c *adviseWriteCmd) write(r *run, doc *advisory.Document, deps desk.AdviseDeps) error {
	card := c.Audience == "all" || c.Audience == "card"
	switch c.Format {
	case "md":
		fmt.Fprint(r.Stdout, advisory.Markdown(doc, r.lang, r.words))
	case "html":
		fmt.Fprint(r.Stdout, advisory.HTML(doc, r.lang, r.words))
	case "eml":
		list := slices.DeleteFunc(c.drafts(doc), func(m advisory.Draft) bool { return m.Lang != r.lang })
		if len(list) != 1 {
			return &desk.Error{Kind: desk.Invalid, Message: lang.M("advise.error.one-draft"), Hint: lang.M("advise.hint.one-draft")}
		}
		return advisory.WriteEML(r.Stdout, &list[0], desk.DraftEnvelope(doc, &list[0], &deps))
	case "mailto":
		for _, m := range c.drafts(doc) {
			link, _, err := m.Mailto("")
			if err != nil {
				return fmt.Errorf("writing the link: %w", err)
			}
			fmt.Fprintln(r.Stdout, link)
		}
	default:
		if card {
			r.card(doc)
			r.remarks(doc)
		}
		for _, m := range c.drafts(doc) {
			fmt.Fprintln(r.Stdout)
			fmt.Fprintln(r.Stdout, r.style.Paint(term.Bold, "──── "+r.say("advise.draft."+string(m.Audience)+"."+string(m.Lang))+" ────"))
			fmt.Fprintln(r.Stdout, r.say("advise.subject", "subject", m.Subject))
			fmt.Fprintln(r.Stdout)
			fmt.Fprintln(r.Stdout, strings.TrimRight(m.BodyText, "\n"))
		}
	}
	return nil
}

// card prints the card, its lines as wide as the terminal.
func (r *run) card(doc *advisory.Document) {
	head, rows := advisory.Card(doc, r.lang, r.words)
	for _, line := range head {
		for _, l := range term.Wrap(line, max(40, r.columns())) {
			fmt.Fprintln(r.Stdout, r.style.Paint(term.Bold, l))
		}
	}
	fmt.Fprintln(r.Stdout)
	label := 0
	for _, x := range rows {
		label = max(label, term.Width(x.Label))
	}
	for _, x := range rows {
		head := x.Label
		for _, line := range x.Lines {
			for _, l := range term.Wrap(line, max(40, r.columns()-label-3)) {
				fmt.Fprintln(r.Stdout, term.Pad(head, label)+"   "+l)
				head = ""
			}
		}
	}
}

// remarks prints what the linter says of the drafts.
func (r *run) remarks(doc *advisory.Document) {
	for i, m := range doc.Lint {
		if i == 0 {
			fmt.Fprintln(r.Stdout)
			fmt.Fprintln(r.Stdout, r.style.Paint(term.Bold, r.say("advise.lint")))
		}
		where := ""
		if m.Audience != "" && m.Lang != "" {
			where = r.say("advise.draft."+string(m.Audience)+"."+string(m.Lang)) + ": "
		}
		for j, l := range term.Wrap(term.Clean(where+m.Message.In(r.lang)), max(40, r.columns()-7)) {
			head := "     "
			if j == 0 {
				head = "  " + m.Rule
			}
			fmt.Fprintln(r.Stdout, term.Pad(head, 5)+"  "+l)
		}
	}
}

// explain prints what the grade rests on, with the words of the source.
func (c *adviseWriteCmd) explain(r *run, t *desk.Triage) {
	fmt.Fprintln(r.Stdout)
	fmt.Fprintln(r.Stdout, r.style.Paint(term.Bold, r.say("advise.explain")))
	for _, p := range t.Decision.Points() {
		fmt.Fprintf(r.Stdout, "  %s = %s\n", p.Point, p.Value)
		for i, id := range t.Reading.Because[p.Point] {
			f := t.Facts.Get(id)
			if f == nil || len(f.Evidence) == 0 || i == 3 {
				break
			}
			fmt.Fprintln(r.Stdout, "    "+r.style.Paint(term.Dim, "» "+term.Truncate(term.Clean(t.Facts.Sentences[f.Evidence[0].Sentence]), max(40, r.columns()-6))))
		}
	}
}

// files writes every form into a folder.
func (c *adviseWriteCmd) files(r *run, doc *advisory.Document, deps desk.AdviseDeps) error {
	record, err := marshal(doc, "", "  ")
	if err != nil {
		return err
	}
	files := map[string][]byte{"advisory.json": append(record, '\n')}
	for _, l := range []lang.Language{lang.JA, lang.EN} {
		files["card."+string(l)+".md"] = []byte(advisory.Markdown(doc, l, r.words))
		files["card."+string(l)+".html"] = []byte(advisory.HTML(doc, l, r.words))
	}
	for _, m := range slices.Concat(doc.Drafts, doc.Manager) {
		name := string(m.Audience) + "." + string(m.Lang)
		files[name+".txt"] = []byte(m.Subject + "\n\n" + m.BodyText)
		if m.Audience == advisory.Manager {
			continue
		}
		var b bytes.Buffer
		if err := advisory.WriteEML(&b, &m, desk.DraftEnvelope(doc, &m, &deps)); err != nil {
			return fmt.Errorf("writing %s: %w", name, err)
		}
		files[name+".eml"] = b.Bytes()
	}
	return r.writeFiles(c.Out, files)
}
