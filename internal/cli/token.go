package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/term"
	"github.com/sekisho/sekisho/lang"
)

type tokenCmd struct {
	Add    tokenAddCmd    `cmd:""`
	List   tokenListCmd   `cmd:""`
	Revoke tokenRevokeCmd `cmd:""`
}

// tokenSchema names the record of a token, in docs/schema.
const tokenSchema = "sekisho.token/v1"

// tokenRecord is a token with which a program asks.
type tokenRecord struct {
	Schema  string       `json:"schema"`
	Name    string       `json:"name"`
	Token   string       `json:"token,omitempty"` // only where it was made
	Scopes  []desk.Scope `json:"scopes"`
	Made    time.Time    `json:"made"`
	By      string       `json:"made_by"`
	Used    *time.Time   `json:"used,omitempty"`
	Expires *time.Time   `json:"expires,omitempty"`
	Revoked *time.Time   `json:"revoked,omitempty"`
	Holds   bool         `json:"holds"`
}

func (r *run) tokenRecord(t *desk.APIToken) tokenRecord {
	return tokenRecord{
		Schema: tokenSchema, Name: t.Name, Scopes: t.Scopes, Made: t.Made.UTC(), By: t.By,
		Used: known(t.Used), Expires: known(t.Expires), Revoked: known(t.Revoked), Holds: t.Holds(r.Now()),
	}
}

// known is a time as records have it: none for the zero one.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// tokens opens the store of tokens for a command.
func (r *run) tokens(use func(desk.TokenDeps) error) (err error) {
	s, err := r.store()
	if err != nil {
		return err
	}
	defer func() { err = closed(s, err) }()
	return use(desk.TokenDeps{Tokens: s, Audit: s, Now: r.Now})
}

type tokenAddCmd struct {
	Name  string   `arg:"" name:"name"`
	Scope []string `placeholder:"SCOPE" required:""`
	For   string   `default:"90d" placeholder:"TIME"`
}

// Run makes a token and prints it, this once.
func (c *tokenAddCmd) Run(r *run) error {
	in := desk.MakeTokenInput{Name: c.Name, Who: desk.WhoTerminal}
	for _, s := range c.Scope {
		in.Scopes = append(in.Scopes, desk.Scope(s))
	}
	if c.For != "ever" {
		n, err := strconv.Atoi(strings.TrimSuffix(c.For, "d"))
		if err != nil || n < 1 || n > 10_000 {
			return &desk.Error{Kind: desk.Invalid, Message: lang.M("token.error.time", "value", c.For), Hint: lang.M("token.hint.time")}
		}
		in.For = time.Duration(n) * 24 * time.Hour
	}
	return r.tokens(func(deps desk.TokenDeps) error {
		secret, t, err := desk.MakeToken(r.ctx, in, deps)
		if err != nil {
			return err
		}
		if r.flags.Output != "text" {
			rec := r.tokenRecord(t)
			rec.Token = secret
			return r.writeRecord(&rec)
		}
		fmt.Fprintln(r.Stdout, r.say("token.made", "name", t.Name))
		fmt.Fprintln(r.Stdout, "  "+secret)
		fmt.Fprintln(r.Stdout, r.say("token.once"))
		return nil
	})
}

type tokenListCmd struct{}

// Run lists the tokens, without what they are.
func (c *tokenListCmd) Run(r *run) error {
	return r.tokens(func(deps desk.TokenDeps) error {
		all, err := desk.ListTokens(r.ctx, deps)
		if err != nil {
			return err
		}
		list := make([]tokenRecord, 0, len(all))
		for i := range all {
			list = append(list, r.tokenRecord(&all[i]))
		}
		return writeRecords(r, list, func() {
			if len(list) == 0 {
				fmt.Fprintln(r.Stdout, r.say("token.none"))
			}
			for i := range list {
				r.token(&list[i])
			}
		})
	})
}

func (r *run) token(t *tokenRecord) {
	state := r.say("token.state.ever")
	switch {
	case t.Revoked != nil:
		state = r.style.Paint(term.Dim, r.say("token.state.revoked", "at", r.minute(*t.Revoked)))
	case !t.Holds:
		state = r.style.Paint(term.Dim, r.say("token.state.expired", "at", r.minute(*t.Expires)))
	case t.Expires != nil:
		state = r.say("token.state.until", "at", r.minute(*t.Expires))
	}
	used := r.say("token.unused")
	if t.Used != nil {
		used = r.say("token.used", "at", r.minute(*t.Used))
	}
	fmt.Fprintln(r.Stdout, r.style.Paint(term.Bold, t.Name)+"  "+state+"  "+used)
	names := make([]string, 0, len(t.Scopes))
	for _, s := range t.Scopes {
		names = append(names, string(s))
	}
	r.within("  ", strings.Join(names, " "))
}

type tokenRevokeCmd struct {
	Name string `arg:"" name:"name"`
}

// Run ends a token.
func (c *tokenRevokeCmd) Run(r *run) error {
	return r.tokens(func(deps desk.TokenDeps) error {
		if err := desk.RevokeToken(r.ctx, c.Name, desk.WhoTerminal, deps); err != nil {
			return err
		}
		all, err := desk.ListTokens(r.ctx, deps)
		if err != nil {
			return err
		}
		for i := range all {
			if all[i].Name == c.Name && r.flags.Output != "text" {
				rec := r.tokenRecord(&all[i])
				return r.writeRecord(&rec)
			}
		}
		fmt.Fprintln(r.Stdout, r.say("token.ended", "name", term.Clean(c.Name)))
		return nil
	})
}
