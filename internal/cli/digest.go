package cli

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/sekisho/sekisho/advisory/digest"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/term"
	"github.com/sekisho/sekisho/lang"
)

type digestCmd struct {
	Make digestMakeCmd `cmd:"" default:"withargs"`
	List digestListCmd `cmd:""`
	Show digestShowCmd `cmd:""`
}

type digestMakeCmd struct {
	Month      string   `placeholder:"YYYY-MM"`
	From       string   `placeholder:"DATE"`
	To         string   `placeholder:"DATE"`
	Number     int      `placeholder:"N"`
	Title      string   `placeholder:"TEXT"`
	Items      []string `sep:"none" placeholder:"FILE|STORY"`
	Most       int      `placeholder:"N"`
	Commentary string   `placeholder:"FILE"`
	Format     string   `enum:"text,html,md,rss,json" default:"text" placeholder:"FORM"`
	Out        string   `placeholder:"DIR"`
	Home       string   `placeholder:"URL"`
	Replace    bool
}

// Run makes an issue of the newsletter.
func (c *digestMakeCmd) Run(r *run) (err error) {
	in, err := c.input(r.Now())
	if err != nil {
		return err
	}
	news, s, err := r.newsDeps()
	if err != nil {
		return err
	}
	defer func() { err = closed(s, err) }()
	if err := c.content(r, in, news); err != nil {
		return err
	}
	rec, err := desk.MakeDigest(r.ctx, in, &desk.DigestDeps{Store: s, News: news, Patch: r.patchDeps()})
	if err != nil {
		return err
	}
	if c.Out != "" {
		files := maps.Clone(rec.Forms)
		for _, l := range []lang.Language{lang.JA, lang.EN} {
			files["open."+string(l)+".txt"] = []byte(openText(r.words, rec, l))
		}
		err = r.writeFiles(c.Out, files)
	} else {
		err = r.digestForm(rec, c.Format)
	}
	for l := range strings.Lines(openText(r.words, rec, r.lang)) {
		fmt.Fprintln(r.Stderr, term.Clean(strings.TrimSuffix(l, "\n")))
	}
	return err
}

// input reads the flags that say which issue.
func (c *digestMakeCmd) input(now time.Time) (*desk.DigestInput, error) {
	bad := func(key, value string) error {
		return &desk.Error{Kind: desk.Invalid, Message: lang.M(key, "value", value), Hint: lang.M("digest.hint.period")}
	}
	in := &desk.DigestInput{Number: c.Number, Title: c.Title, Most: c.Most, Home: c.Home, Replace: c.Replace}
	if c.Number < 0 || c.Number > 99999 || c.Most < 0 {
		return nil, &desk.Error{Kind: desk.Invalid, Message: lang.M("cli.error.number", "flag", "--number, --most"), Hint: lang.M("cli.hint.usage", "help", "sekisho help digest")}
	}
	day := func(s string) (time.Time, error) {
		t, err := time.ParseInLocation(time.DateOnly, s, now.Location())
		if err != nil {
			return t, bad("digest.error.date", s)
		}
		return t, nil
	}
	var err error
	switch {
	case c.Month != "" && c.From+c.To != "":
		return nil, bad("digest.error.both", c.Month)
	case c.Month != "":
		if in.From, err = time.ParseInLocation("2006-01", c.Month, now.Location()); err != nil {
			return nil, bad("digest.error.month", c.Month)
		}
		in.To = in.From.AddDate(0, 1, -1)
	case c.From != "":
		if in.From, err = day(c.From); err != nil {
			return nil, err
		}
		in.To = lang.StartOfDay(now)
		if c.To != "" {
			in.To, err = day(c.To)
		}
	default:
		return nil, bad("digest.error.which", c.To)
	}
	if err == nil && in.To.Before(in.From) {
		err = &desk.Error{Kind: desk.Invalid, Message: lang.M("digest.error.period"), Hint: lang.M("digest.hint.period")}
	}
	if err == nil && in.From.After(now) {
		err = bad("digest.error.future", in.From.Format(time.DateOnly))
	}
	return in, err
}

// content reads what the flags name: a file comes before a story of that id.
func (c *digestMakeCmd) content(r *run, in *desk.DigestInput, deps *desk.NewsDeps) error {
	for _, name := range c.Items {
		if _, err := os.Stat(name); err != nil && desk.IsStoryID(name) {
			in.Stories = append(in.Stories, name)
			continue
		}
		data, err := r.article(name)
		if err != nil {
			return err
		}
		list, err := desk.ReadDigestFile(r.ctx, &desk.DigestFile{Name: filepath.Base(name), Data: data, Open: inFolder(filepath.Dir(name))}, deps)
		if err != nil {
			return err
		}
		in.Entries = append(in.Entries, list...)
	}
	if c.Commentary == "" {
		return nil
	}
	data, err := r.article(c.Commentary)
	if err != nil {
		return err
	}
	in.Commentary, err = desk.ReadDigestCommentary(c.Commentary, data)
	return err
}

// inFolder reads files of a folder and of those below. A list that somebody else
// wrote reads nothing else.
func inFolder(dir string) func(string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		name = path.Clean(filepath.ToSlash(name))
		root, err := os.OpenRoot(dir)
		if err != nil {
			return nil, articleError(name, err)
		}
		defer func() { _ = root.Close() }() // nothing was written
		st, err := fs.Stat(root.FS(), name)
		if err != nil {
			return nil, articleError(name, err)
		}
		if st.Size() > maxArticle {
			return nil, &desk.Error{Kind: desk.Limit, Message: lang.M("advise.error.read", "file", name), Hint: lang.M("advise.hint.read")}
		}
		data, err := fs.ReadFile(root.FS(), name)
		if err != nil {
			return nil, articleError(name, err)
		}
		return data, nil
	}
}

// digestForm prints one form of an issue.
func (r *run) digestForm(rec *desk.DigestRecord, format string) error {
	if format == "json" || r.flags.Output != "text" {
		return r.writeRecord(rec.Issue)
	}
	ending := map[string]string{"text": "txt", "html": "html", "md": "md", "rss": "rss"}[format]
	_, err := r.Stdout.Write(rec.Forms["digest."+string(r.lang)+"."+ending])
	return err
}

// openText lists what there is to settle before an issue is approved, and facts
// on which a person could comment.
func openText(words *lang.Catalogue, rec *desk.DigestRecord, l lang.Language) string {
	say := func(key string, pairs ...any) string { return words.Say(l, lang.M(key, pairs...)) }
	x := rec.Issue
	var b strings.Builder
	fmt.Fprintln(&b, say("cli.digest.kept", "n", strconv.Itoa(x.Number), "version", strconv.Itoa(rec.Version), "hash", rec.Hash))
	if len(x.Open) > 0 {
		fmt.Fprintln(&b, say("cli.digest.open", "n", len(x.Open)))
	}
	for _, o := range x.Open {
		fmt.Fprintln(&b, "  "+openPlace(o)+o.Text.In(l))
	}
	for _, o := range desk.OffersOf(x) {
		fmt.Fprintln(&b, say("cli.digest.offers", "item", fmt.Sprintf("%02d", o.Item)))
		for _, f := range o.Offers {
			fmt.Fprintln(&b, "  - "+f.Text.In(l))
		}
	}
	return b.String()
}

func openPlace(o digest.Open) string {
	if o.Item == 0 {
		return "-   "
	}
	return fmt.Sprintf("%02d  ", o.Item)
}

type digestListCmd struct{}

// Run lists the issues.
func (c *digestListCmd) Run(r *run) (err error) {
	s, err := r.store()
	if err != nil {
		return err
	}
	defer func() { err = closed(s, err) }()
	list, err := desk.ListDigests(r.ctx, s)
	if err != nil {
		return err
	}
	return writeRecords(r, list, func() {
		for i := range list {
			x := &list[i]
			fmt.Fprintln(r.Stdout, r.style.Paint(term.Bold, r.say("cli.digest.issue", "n", strconv.Itoa(x.Number), "name", x.Name, "version", strconv.Itoa(x.Version), "issued", x.Issued, "open", x.Open)))
			for _, it := range x.Items {
				r.within("  ", fmt.Sprintf("%02d. %s", it.Number, term.Clean(it.Headline.In(r.lang))))
			}
			fmt.Fprintln(r.Stdout, "  "+r.style.Paint(term.Dim, x.Hash))
		}
		if len(list) == 0 {
			fmt.Fprintln(r.Stdout, r.say("cli.digest.none"))
		}
	})
}

type digestShowCmd struct {
	Number  int    `arg:"" name:"number"`
	Version int    `placeholder:"N"`
	Format  string `enum:"text,html,md,rss,json" default:"text" placeholder:"FORM"`
	Out     string `placeholder:"DIR"`
}

// Run prints an issue as it was kept.
func (c *digestShowCmd) Run(r *run) (err error) {
	s, err := r.store()
	if err != nil {
		return err
	}
	defer func() { err = closed(s, err) }()
	rec, err := desk.FindDigest(r.ctx, c.Number, c.Version, s)
	if err != nil {
		return err
	}
	if c.Out != "" {
		return r.writeFiles(c.Out, rec.Forms)
	}
	return r.digestForm(rec, c.Format)
}
