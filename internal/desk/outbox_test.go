package desk_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

// postman gives the answers it was told, the last one again and again.
type postman struct {
	answers []*desk.MailAnswer // nil: no answer
	got     []string
}

func (p *postman) SendMail(_ context.Context, to string, raw []byte) (*desk.MailAnswer, error) {
	p.got = append(p.got, to+" "+string(raw))
	a := p.answers[0]
	if len(p.answers) > 1 {
		p.answers = p.answers[1:]
	}
	if a == nil {
		return nil, &desk.Error{Kind: desk.Unavailable, Message: lang.Literal("no connection")}
	}
	return a, nil
}

func TestSendOutbox(t *testing.T) {
	ok, later, never := &desk.MailAnswer{Code: 250, Text: "250 ok"}, &desk.MailAnswer{Code: 451, Text: "451 later"}, &desk.MailAnswer{Code: 550, Text: "550 no"}
	for _, tc := range []struct {
		name    string
		answers []*desk.MailAnswer
		state   desk.OutState
		tries   int
		answer  string
		within  time.Duration
	}{
		{"Taken", []*desk.MailAnswer{ok}, desk.OutSent, 1, "250 ok", 0},
		{"LaterTaken", []*desk.MailAnswer{later, nil, later, ok}, desk.OutSent, 4, "250 ok", 10 * time.Minute},
		{"Never", []*desk.MailAnswer{never}, desk.OutFailed, 1, "550 no", 0},
		{"LaterNever", []*desk.MailAnswer{later, never}, desk.OutFailed, 2, "550 no", 5 * time.Minute},
		{"AlwaysLater", []*desk.MailAnswer{later}, desk.OutFailed, 31, "451 later", desk.OutPatience + 5*time.Hour},
		{"NobodyThere", []*desk.MailAnswer{nil}, desk.OutFailed, 31, "no connection", desk.OutPatience + 5*time.Hour},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, db := mailDesk(t)
			clock := now()
			p := &postman{answers: tc.answers}
			deps := &desk.OutboxDeps{Store: db, Mailer: p, Audit: db, Now: func() time.Time { return clock }}
			m := &desk.OutMail{ID: desk.OutID("k"), Key: "k", Kind: desk.OutReply, State: desk.OutReady, To: "a@kiso-works.example", Made: clock, Due: clock, Raw: []byte("raw")}
			if _, err := db.AddOut(t.Context(), m); err != nil {
				t.Fatal(err)
			}
			for end := clock.Add(tc.within); !clock.After(end); clock = clock.Add(time.Minute) {
				if _, err := desk.SendOutbox(t.Context(), deps); err != nil {
					t.Fatal(err)
				}
			}
			got, err := db.Out(t.Context(), m.ID)
			if err != nil {
				t.Fatal(err)
			}
			if got.State != tc.state || got.Answer != tc.answer || len(p.got) != tc.tries || got.Attempts != tc.tries || got.Settled.IsZero() {
				t.Errorf("%s %q after %d tries (%d)", got.State, got.Answer, len(p.got), got.Attempts)
			}
		})
	}
}

func TestSettleOut(t *testing.T) {
	_, db := mailDesk(t)
	p := &postman{answers: []*desk.MailAnswer{{Code: 250}}}
	deps := &desk.OutboxDeps{Store: db, Mailer: p, Audit: db, Now: now}
	ids := map[desk.OutState]string{}
	for _, s := range desk.OutStates() {
		m := &desk.OutMail{ID: desk.OutID(string(s)), Key: string(s), Kind: desk.OutReply, State: s, To: string(s) + "@kiso-works.example", Made: now(), Due: now().Add(time.Hour), Raw: []byte("r")}
		if s.Settled() {
			m.Settled = now()
		}
		ids[s] = m.ID
		if _, err := db.AddOut(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range desk.OutStates() {
		_, err := desk.ApproveOut(t.Context(), ids[s], desk.WhoAdmin, deps)
		e, _ := errors.AsType[*desk.Error](err)
		if can := s == desk.OutWaiting || s == desk.OutFailed; (err == nil) != can || err != nil && e.Kind != desk.Conflict {
			t.Errorf("approving what is %s: %v", s, err)
		}
	}
	if _, err := desk.DropOut(t.Context(), ids[desk.OutFailed], desk.WhoAdmin, deps); err != nil { // it is to be sent by now
		t.Error(err)
	}
	if _, err := desk.DropOut(t.Context(), ids[desk.OutSent], desk.WhoAdmin, deps); err == nil {
		t.Error("what was sent was dropped")
	}
	if _, err := desk.ApproveOut(t.Context(), "none", desk.WhoAdmin, deps); err == nil {
		t.Error("approved what is not there")
	}
	if _, err := desk.SendOutbox(t.Context(), deps); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"waiting@kiso-works.example r"}, p.got); diff != "" {
		t.Error(diff)
	}
	want := []desk.Act{desk.ActOutApproved, desk.ActOutApproved, desk.ActOutDropped}
	if got := acts(t, db); !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
}
