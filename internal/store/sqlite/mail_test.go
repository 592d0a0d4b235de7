package sqlite_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/store/storetest"
	"github.com/sekisho/sekisho/lang"
)

func TestMails(t *testing.T) {
	storetest.Mails(t, func(t *testing.T, dir string) storetest.MailStore { return open(t, dir) })
}

func TestAccounts(t *testing.T) {
	storetest.Accounts(t, func(t *testing.T, dir string) storetest.AccountStore { return open(t, dir) })
}

// TestManyMails holds the store to what a page may cost: on some thousand mails,
// and on as many as SEKISHO_MANY says. "SEKISHO_MANY=100000 go test -run ManyMails
// -v" prints what pages cost on a store of a busy organisation, which takes
// minutes to write.
func TestManyMails(t *testing.T) {
	n := 2000
	if s := os.Getenv("SEKISHO_MANY"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	db := open(t, t.TempDir())
	defer func() { _ = db.Close() }()
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	words := []desk.Word{desk.Clean, desk.Clean, desk.Clean, desk.Spam, desk.Suspicious, desk.Malicious}
	if err := db.Generate(t.Context(), n, func(i int) *desk.MailRecord {
		date := start.Add(time.Duration(i) * time.Minute)
		v := &desk.Verdict{
			Verdict: words[i%len(words)], Subject: fmt.Sprintf("【第%d期】ご請求書 %d の確認のお願い", i%4+1, i), Date: &date,
			From:   &desk.Mailbox{Name: "経理担当", Address: fmt.Sprintf("keiri%d@supplier%d.test", i, i%977)},
			To:     []desk.Mailbox{{Name: "佐藤", Address: "sato@kiso-works.example"}},
			Reason: lang.Text{JA: "自社ドメインを名乗っていますが、社外から未認証で送信されています。", EN: "From claims your own domain, but it was sent from outside without signing in."},
		}
		return desk.NewMailRecord(v, string(desk.MailIDOf(fmt.Append(nil, i), nil)), desk.SourceUpload, nil, start.AddDate(1, 0, 0))
	}); err != nil {
		t.Fatal(err)
	}
	middle := start.Add(time.Duration(n/2) * time.Minute)
	for _, tc := range []struct {
		name string
		q    desk.MailQuery
		max  time.Duration
		rows int
	}{
		{"First", desk.MailQuery{}, 200 * time.Millisecond, 50},
		{"Middle", desk.MailQuery{After: &desk.MailCursor{At: middle}}, 200 * time.Millisecond, 50},
		{"Verdict", desk.MailQuery{Verdict: desk.Malicious, Unlabelled: true, Until: middle}, 200 * time.Millisecond, 50},
		{"SearchAll", desk.MailQuery{Text: "ご請求書"}, 500 * time.Millisecond, 50},
		{"SearchOne", desk.MailQuery{Text: fmt.Sprintf("keiri%d@", n-1)}, 500 * time.Millisecond, 1},
		{"SearchSome", desk.MailQuery{Text: "supplier976.test 確認の"}, 500 * time.Millisecond, min(50, n/977)},
		{"SearchNone", desk.MailQuery{Text: "nothing-like-it"}, 500 * time.Millisecond, 0},
		{"SearchShort", desk.MailQuery{Text: "請求"}, 500 * time.Millisecond, 50},
		{"SearchShortNone", desk.MailQuery{Text: "罠"}, 500 * time.Millisecond, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			began := time.Now()
			rows, err := db.Mails(t.Context(), &tc.q)
			took := time.Since(began)
			t.Logf("%d rows in %v", len(rows), took)
			if err != nil || len(rows) != tc.rows {
				t.Errorf("%d rows, want %d: %v", len(rows), tc.rows, err)
			}
			if took > tc.max {
				t.Errorf("it took %v, at most %v is right", took, tc.max)
			}
		})
	}
	began := time.Now()
	if _, err := db.MailCounts(t.Context()); err != nil {
		t.Fatal(err)
	}
	counted := time.Now()
	r, err := db.Mail(t.Context(), desk.MailIDOf(fmt.Append(nil, n/2), nil))
	if err != nil || r == nil {
		t.Fatal(r, err)
	}
	t.Logf("counts in %v, one mail in %v", counted.Sub(began), time.Since(counted))
	if took := time.Since(counted); took > 100*time.Millisecond {
		t.Errorf("one mail took %v", took)
	}
}
