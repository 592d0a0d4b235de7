package app

import (
	"slices"
	"testing"
	"time"

	"github.com/sekisho/sekisho/internal/desk"
)

func TestSteady(t *testing.T) {
	wall, count := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC), time.Now()
	c := newSteady(wall, count)
	for _, tc := range []struct {
		name        string
		wall, count time.Duration
		want        bool
	}{
		{"Hour", time.Hour, time.Hour, false},
		{"SetRight", time.Hour + time.Minute, time.Hour, false},
		{"YearsAhead", 10 * 365 * 24 * time.Hour, time.Hour, true},
		{"HourAfter", time.Hour, time.Hour, false},
		{"YearsBack", -10 * 365 * 24 * time.Hour, time.Hour, true},
	} {
		wall, count = wall.Add(tc.wall), count.Add(tc.count)
		if got := c.jumped(wall, count); got != tc.want {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
}

// What is older than it is kept goes, with its bytes, and is counted in the audit
// log; what is younger stays.
func TestRetain(t *testing.T) {
	s, _, _ := testServer(t)
	now := time.Now()
	s.mail.Now = func() time.Time { return now }
	keep := func(text string) desk.MailID {
		raw := []byte("From: a@supplier.test\r\n\r\n" + text + "\r\n")
		in := desk.KeepMailInput{Items: slices.Values([]desk.Item{{Raw: raw}}), Source: desk.SourceUpload, Who: desk.WhoAdmin}
		if _, err := desk.KeepMail(t.Context(), in, s.mail); err != nil {
			t.Fatal(err)
		}
		return desk.MailIDOf(raw, nil)
	}
	old := keep("old")
	now = now.Add(60 * 24 * time.Hour)
	young := keep("young")
	now = now.Add(31 * 24 * time.Hour)
	s.retain(t.Context())
	if r, err := s.db.Mail(t.Context(), old); err != nil || r == nil {
		t.Errorf("without a retention it is gone: %v", err)
	}
	s.Config.Keep.Mail = 90 * 24 * time.Hour
	s.retain(t.Context())
	if r, err := s.db.Mail(t.Context(), old); err != nil || r != nil {
		t.Errorf("%v %v", r, err)
	}
	if _, err := s.blobs.Blob(t.Context(), string(old)); err == nil {
		t.Error("its bytes are there")
	}
	if b, err := s.blobs.Blob(t.Context(), string(young)); err != nil || len(b) == 0 {
		t.Error("the young one is gone:", err)
	}
	log, err := s.db.Audit(t.Context(), 0, 1)
	if err != nil || log[0].Act != desk.ActRetention || log[0].Who != desk.WhoProgram || log[0].Object != "mail 1, reports 0, news 0" {
		t.Errorf("%+v %v", log, err)
	}
}
