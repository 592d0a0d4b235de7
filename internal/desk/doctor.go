package desk

import (
	"context"
	"time"

	"github.com/sekisho/sekisho/history"
	"github.com/sekisho/sekisho/internal/feeds"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/org"
)

// CheckSchema names the shape of a [Check] in JSON. The JSON Schema is
// docs/schema/check.v1.json.
const CheckSchema = "sekisho.check/v1"

// endsSoon is when to think of renewing an exception.
const endsSoon = 14 * day

// CheckStatus is the outcome of one check of the set-up.
type CheckStatus string

// The outcomes.
const (
	CheckOK      CheckStatus = "ok"
	CheckMissing CheckStatus = "missing" // not set up; verdicts are less firm
	CheckWrong   CheckStatus = "wrong"   // set up and does not work
	CheckInfo    CheckStatus = "info"    // worth knowing
)

// Check is one thing that was looked at, and how to mend it.
type Check struct {
	Schema string      `json:"schema"`
	Name   string      `json:"name"`
	Status CheckStatus `json:"status"`
	Text   lang.Text   `json:"text"`
	Hint   lang.Text   `json:"hint,omitzero"`
}

// DoctorInput is the set-up to look at.
type DoctorInput struct {
	ConfigFile  string // "" if there is none
	ConfigError error  // why the configuration could not be read; nil if it was
	Facts       org.Facts
	DataDir     string
	Writable    func(dir string) error // reports why the folder cannot be written; nil skips the check
	Mailboxes   []MailboxSetting
}

// DoctorDeps is what [Doctor] needs from outside.
type DoctorDeps struct {
	Exceptions ExceptionStore   // nil skips the check
	Lists      *feeds.Lists     // nil: there are none
	ListsError error            // why they cannot be opened; nil if they can
	History    HistoryStore     // nil skips the check
	Mailboxes  MailboxStore     // nil: nothing was read yet
	Words      *lang.Catalogue  // nil: the built-in one
	Now        func() time.Time // nil: the system's clock
}

// Doctor looks at what is configured, what is missing and what does not work.
func Doctor(ctx context.Context, in DoctorInput, deps DoctorDeps) []Check {
	if deps.Words == nil {
		deps.Words = lang.Default()
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	d := doctor{words: deps.Words}
	d.configuration(in)
	d.facts(&in.Facts)
	d.data(in)
	d.exceptions(ctx, deps)
	d.lists(deps)
	d.history(ctx, deps)
	d.mailboxes(ctx, in.Mailboxes, deps)
	d.add("network", CheckInfo, lang.M("doctor.network"), lang.Message{})
	return d.checks
}

type doctor struct {
	words  *lang.Catalogue
	checks []Check
}

func (d *doctor) add(name string, status CheckStatus, text, hint lang.Message) {
	d.checks = append(d.checks, Check{Schema: CheckSchema, Name: name, Status: status, Text: d.words.Render(text), Hint: d.words.Render(hint)})
}

func (d *doctor) configuration(in DoctorInput) {
	switch {
	case in.ConfigError != nil:
		e := asError(in.ConfigError)
		d.add("configuration", CheckWrong, e.Message, e.Hint)
	case in.ConfigFile == "":
		d.add("configuration", CheckMissing, lang.M("doctor.configuration.none"), lang.M("doctor.configuration.hint"))
	default:
		d.add("configuration", CheckOK, lang.M("doctor.configuration.file", "file", in.ConfigFile), lang.Message{})
	}
}

func (d *doctor) facts(f *org.Facts) {
	if domains := f.Domains.Value(); len(domains) > 0 {
		d.add("domains", CheckOK, lang.M("doctor.domains", "domains", domains), lang.Message{})
	} else {
		d.add("domains", CheckMissing, lang.M("doctor.domains.none"), lang.M("doctor.domains.hint"))
	}
	setting := func(name string, configured bool) {
		if configured {
			d.add(name, CheckOK, lang.M("doctor.set."+name), lang.Message{})
			return
		}
		d.add(name, CheckMissing, lang.M("doctor.unset."+name), lang.M("doctor.hint."+name))
	}
	setting("tenant_id", f.TenantID.Configured())
	setting("people", f.People.Configured())
	setting("mx", f.MX.Configured())
	setting("connectors", f.Connectors.Configured())
	setting("reject_direct_send", f.RejectDirectSend.Configured())
	setting("report", f.Report.Configured())
}

func (d *doctor) data(in DoctorInput) {
	if in.Writable == nil {
		return
	}
	if in.DataDir == "" {
		d.add("data", CheckWrong, lang.M("doctor.data.none"), lang.M("doctor.data.hint"))
		return
	}
	if err := in.Writable(in.DataDir); err != nil {
		d.add("data", CheckWrong, lang.M("doctor.data.denied", "dir", in.DataDir, "error", err.Error()), lang.M("doctor.data.hint"))
		return
	}
	d.add("data", CheckOK, lang.M("doctor.data", "dir", in.DataDir), lang.Message{})
}

func (d *doctor) exceptions(ctx context.Context, deps DoctorDeps) {
	if deps.Exceptions == nil {
		return
	}
	list, err := deps.Exceptions.List(ctx)
	if err != nil {
		e := asError(err)
		d.add("exceptions", CheckWrong, e.Message, e.Hint)
		return
	}
	now, active, soon := deps.Now(), 0, 0
	for _, x := range list {
		if x.Active(now) {
			active++
			if x.Expires.Sub(now) < endsSoon {
				soon++
			}
		}
	}
	if soon > 0 {
		d.add("exceptions", CheckInfo, lang.M("doctor.exceptions.soon", "n", active, "soon", soon), lang.M("doctor.exceptions.hint"))
		return
	}
	d.add("exceptions", CheckOK, lang.M("doctor.exceptions", "n", active), lang.Message{})
}

// lists reads every list, so that what is wrong with one is told before a rule
// needs it.
func (d *doctor) lists(deps DoctorDeps) {
	if deps.ListsError != nil {
		e := asError(deps.ListsError)
		d.add("lists", CheckWrong, e.Message, e.Hint)
		return
	}
	files := deps.Lists.Files()
	if len(files) == 0 {
		d.add("lists", CheckMissing, lang.M("doctor.lists.none"), lang.M("doctor.lists.hint"))
	} else {
		names := make([]string, 0, len(files))
		for _, f := range files {
			names = append(names, f.Name)
		}
		deps.Lists.Load(names...)
		d.add("lists", CheckOK, lang.M("doctor.lists", "n", len(files), "own", len(deps.Lists.Own()), "dirs", deps.Lists.Dirs()), lang.Message{})
	}
	for _, n := range deps.Lists.Notes() {
		d.add("lists", CheckInfo, lang.M("doctor.lists.file", "file", n.File, "why", n.Message), lang.Message{})
	}
}

func (d *doctor) history(ctx context.Context, deps DoctorDeps) {
	if deps.History == nil {
		return
	}
	book, err := deps.History.LoadHistory(ctx)
	if err != nil {
		e := asError(err)
		d.add("history", CheckWrong, e.Message, e.Hint)
		return
	}
	hint := lang.M("history.hint.build")
	if book == nil || book.Len() == 0 {
		d.add("history", CheckMissing, lang.M("doctor.history.none"), hint)
		return
	}
	now := deps.Now()
	from, until := book.Span()
	from, until = from.In(now.Location()), until.In(now.Location())
	d.add("history", CheckOK, lang.M("doctor.history", "senders", len(book.Senders()), "recipients", len(book.Recipients()), "from", from, "until", until), lang.Message{})
	if now.Sub(until) > history.Reach/2 {
		d.add("history", CheckInfo, lang.M("doctor.history.old", "until", until), hint)
	}
	if now.Sub(from) < history.Reach {
		d.add("history", CheckInfo, lang.M("doctor.history.short", "from", from), hint)
	}
	if !book.HasSent() {
		d.add("history", CheckInfo, lang.M("doctor.history.no-sent"), hint)
	}
}
