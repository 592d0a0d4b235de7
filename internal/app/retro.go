package app

import (
	"context"
	"log/slog"
	"time"

	"github.com/sekisho/sekisho/internal/desk"
)

const (
	retroFirst = 30 * time.Second // after the start: pages and intake come first
	retroEvery = 5 * time.Minute
)

// retro judges mail again when rules have changed, while nothing waits to be
// judged for the first time.
func (s *server) retro(ctx context.Context) error {
	wait := time.NewTimer(retroFirst)
	defer wait.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-wait.C:
		}
		s.rejudge(ctx)
		wait.Reset(retroEvery)
	}
}

func (s *server) retroDeps() desk.RetroDeps {
	return desk.RetroDeps{
		MailDeps: s.mail, Retro: s.db, Similar: s.db, Words: s.Words, Gentle: true,
		Busy: func(ctx context.Context) (bool, error) {
			q, err := s.db.State(ctx, 0)
			return err == nil && q.Waiting+q.Leased > 0, err
		},
	}
}

func (s *server) rejudge(ctx context.Context) {
	deps := s.retroDeps()
	out, err := desk.Rejudge(ctx, desk.RetroInput{Days: s.Config.Retro.Days, Who: desk.WhoProgram}, deps)
	if err == nil {
		_, err = desk.ReadTraits(ctx, deps)
	}
	if err != nil && ctx.Err() == nil {
		s.log.Error("judging again failed", slog.String("error", kindOf(err)))
	}
	if out != nil && out.Judged > 0 {
		s.log.Info("judged again", slog.Int("mails", out.Judged), slog.Int("changed", out.Changed), slog.Int("worse", out.Worse), slog.Int("left", out.Left))
	}
}
