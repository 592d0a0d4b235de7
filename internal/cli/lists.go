package cli

import (
	"fmt"
	"strings"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/feeds"
	"github.com/sekisho/sekisho/internal/term"
)

type listsCmd struct {
	List   listsListCmd   `cmd:"" default:"withargs"`
	Update listsUpdateCmd `cmd:""`
}

type listsListCmd struct {
	Lists []string `sep:"none" placeholder:"DIR"`
}

// Run lists the lists that rules may name.
func (c *listsListCmd) Run(r *run) error {
	if err := r.openLists(c.Lists); err != nil {
		return err
	}
	list := desk.ListLists(r.dataDir(), r.lists, &r.config.Facts)
	return writeRecords(r, list, func() { r.listTable(list) })
}

func (r *run) listTable(list []desk.ListRecord) {
	name, from := 0, 0
	missing := 0
	for _, l := range list {
		name = max(name, min(term.Width(term.Clean(l.Name)), maxRuleName))
		from = max(from, term.Width(r.say("cli.lists.from."+string(l.From))))
		if l.From == desk.FromNobody && l.Origin == "published" {
			missing++
		}
	}
	for _, l := range list {
		entries := ""
		if l.From != desk.FromNobody && l.From != desk.FromHistory {
			entries = r.say("cli.lists.entries", "n", l.Entries)
		}
		date := ""
		if l.Date != nil {
			date = l.Date.In(r.Now().Location()).Format("2006-01-02")
		}
		cells := []string{fmt.Sprintf("%s  %s  %s", term.Pad(term.Truncate(term.Clean(l.Name), name), name), term.Pad(r.say("cli.lists.from."+string(l.From)), from), term.Pad(entries, entriesWidth))}
		for _, more := range []string{date, l.Licence, l.Source} {
			if more != "" {
				cells = append(cells, r.style.Paint(term.Dim, term.Clean(more)))
			}
		}
		fmt.Fprintln(r.Stdout, strings.TrimRight(strings.Join(cells, "  "), " "))
	}
	if missing > 0 && feeds.ListsDir(r.dataDir()) == "" {
		fmt.Fprintln(r.Stdout)
		fmt.Fprintln(r.Stdout, r.say("cli.lists.missing", "n", missing))
	}
}

const entriesWidth = 17 // columns of a number and the word after it

type listsUpdateCmd struct {
	Feed string `arg:"" name:"feed" optional:""`

	Update   updateFlags `embed:""`
	Rollback bool
}

// Run brings the lists that anybody can fetch up to date.
func (c *listsUpdateCmd) Run(r *run) error {
	if c.Rollback {
		out, err := desk.RollbackFeed(r.ctx, feeds.ListsFeed, string(feeds.ListsFeed), r.feedDeps())
		if err != nil {
			return err
		}
		return r.showRollback(out, "sekisho lists update --rollback", "")
	}
	in := desk.FeedUpdateInput{Kind: feeds.ListsFeed, Feed: c.Feed, File: c.Update.File, Pin: c.Update.Pin}
	switch {
	case in.Feed == "" && in.File != "":
		in.Name = string(feeds.ListsFeed) // whose they are, nobody said
	case in.Feed == "":
		in.Feed = feeds.KnownFeeds(feeds.ListsFeed)[0].Name
	}
	return r.updateFeeds([]desk.FeedUpdateInput{in}, c.Update)
}
