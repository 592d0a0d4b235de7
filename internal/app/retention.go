package app

import (
	"context"
	"log/slog"
	"time"

	"github.com/sekisho/sekisho/internal/desk"
)

const (
	retentionFirst = 10 * time.Minute // after the start: a clock that is wrong at boot is set by then
	retentionTick  = time.Hour
	retentionEvery = 24 * time.Hour
	clockJump      = 10 * time.Minute
)

// retention deletes what is old, once a day. Nothing is deleted on the word of a
// clock that has just jumped: a date ten years ahead would take everything.
func (s *server) retention(ctx context.Context) error {
	clock := newSteady(s.Now(), time.Now())
	wait := time.NewTimer(retentionFirst)
	defer wait.Stop()
	var last time.Time // as the machine counts
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-wait.C:
		}
		wait.Reset(retentionTick)
		switch now := time.Now(); {
		case clock.jumped(s.Now(), now):
			s.log.Warn("the clock jumped, nothing is deleted now")
		case last.IsZero() || now.Sub(last) >= retentionEvery:
			last = now
			s.retain(ctx)
		}
	}
}

func (s *server) retain(ctx context.Context) {
	out, err := desk.Retain(ctx, s.Config.Keep, s.db, s.mail)
	if err != nil && ctx.Err() == nil {
		s.log.Error("deleting what is old failed", slog.String("error", kindOf(err)))
	}
	if out.Any() {
		s.log.Info("deleted what is old", slog.Int("mails", out.Mails), slog.Int("reports", out.Reports), slog.Int("news", out.News), slog.Int("blobs", out.Blobs))
	}
}

// steady compares the clock on the wall with the one that only counts.
type steady struct{ wall, count time.Time }

func newSteady(wall, count time.Time) *steady { return &steady{wall.Round(0), count} }

// jumped reports whether the clock on the wall went another way than the one that
// counts since it was asked last.
func (c *steady) jumped(wall, count time.Time) bool {
	drift := wall.Round(0).Sub(c.wall) - count.Sub(c.count)
	c.wall, c.count = wall.Round(0), count
	return drift.Abs() > clockJump
}
