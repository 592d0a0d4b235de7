package history_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/history"
	"github.com/sekisho/sekisho/m365"
	"github.com/sekisho/sekisho/org"
)

var noon = time.Date(2026, 5, 29, 12, 0, 0, 0, time.UTC)

const (
	friend = "yamada@partner.example"
	day    = 24 * time.Hour
)

func ago(d time.Duration) time.Time { return noon.Add(-d) }

// book is a history of a year with one old partner, and n mails of friend, the
// first so long ago and one more each hour.
func book(n int, first time.Duration, more ...history.Message) *history.Book {
	b := history.NewBuilder(nil)
	for d := 365 * day; d >= 0; d -= 7 * day {
		id := history.ID(ago(d).Unix())
		b.Add(history.Message{ID: id, Time: ago(d), Direction: history.Inbound, Addresses: []string{"old@bank.example"}})
		b.Add(history.Message{ID: id + 1, Time: ago(d), Direction: history.Outbound, Addresses: []string{"old@bank.example"}})
	}
	for i := range n {
		b.Add(history.Message{ID: history.ID(1000 + i), Time: ago(first).Add(time.Duration(i) * time.Hour), Direction: history.Inbound, Addresses: []string{friend}})
	}
	for _, m := range more {
		b.Add(m)
	}
	return b.Book()
}

func TestPrevalence(t *testing.T) {
	for _, tc := range []struct {
		name  string
		mails int
		first time.Duration
		at    time.Time
		self  history.ID
		want  history.Prevalence
		count int
	}{
		{"Never", 0, 0, noon, 0, history.New, 0},
		{"JustNow", 1, 11 * time.Hour, noon, 0, history.New, 1},
		{"ManyJustNow", 11, 11 * time.Hour, noon, 0, history.New, 11},
		{"One", 1, 12 * time.Hour, noon, 0, history.Outlier, 1},
		{"Two", 2, 2 * day, noon, 0, history.Outlier, 2},
		{"Three", 3, 2 * day, noon, 0, history.Rare, 3},
		{"Four", 4, 2 * day, noon, 0, history.Rare, 4},
		{"Five", 5, 2 * day, noon, 0, history.Uncommon, 5},
		{"Nineteen", 19, 2 * day, noon, 0, history.Uncommon, 19},
		{"Twenty", 20, 2 * day, noon, 0, history.Common, 20},
		{"LaterDoesNotCount", 20, 2 * day, ago(2*day - 90*time.Minute), 0, history.New, 2},
		{"OwnTimeDoesNotCount", 1, 2 * day, ago(2 * day), 0, history.New, 0},
		{"CopyOfItself", 3, 2 * day, noon, 1001, history.Outlier, 2},
		{"FirstIsItself", 1, 2 * day, noon, 1000, history.New, 0},
		{"BeforeTheBook", 0, 0, ago(400 * day), 0, history.Unknown, 0},
		{"TooEarly", 0, 0, ago(340 * day), 0, history.Unknown, 0},
		{"LongAfterTheBook", 3, 2 * day, noon.Add(31 * day), 0, history.Unknown, 3},
		{"CommonAfterTheBook", 20, 2 * day, noon.Add(31 * day), 0, history.Common, 20},
		{"NoTime", 3, 2 * day, time.Time{}, 0, history.Rare, 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := book(tc.mails, tc.first)
			v := b.At(tc.at, tc.self)
			for _, p := range []history.Profile{v.Address(friend), v.Domain("partner.example")} {
				if p.Prevalence != tc.want || p.Messages != tc.count {
					t.Errorf("got %q with %d mails, want %q with %d", p.Prevalence, p.Messages, tc.want, tc.count)
				}
			}
			if got := v.WroteHere(friend); got != (tc.count > 0) {
				t.Errorf("wrote here: %v", got)
			}
		})
	}
}

func TestSolicited(t *testing.T) {
	out := func(d time.Duration) history.Message {
		return history.Message{ID: 7, Time: ago(d), Direction: history.Outbound, Addresses: []string{friend}}
	}
	week := history.NewBuilder(nil)
	week.Add(out(3 * day))
	week.Add(history.Message{ID: 8, Time: ago(6 * day), Direction: history.Inbound, Addresses: []string{"other@partner.example"}})
	unsent := history.NewBuilder(nil)
	unsent.Add(history.Message{ID: 8, Time: ago(90 * day), Direction: history.Inbound, Addresses: []string{friend}})
	unsent.Add(history.Message{ID: 9, Time: ago(time.Hour), Direction: history.Inbound, Addresses: []string{friend}})
	for _, tc := range []struct {
		name string
		book *history.Book
		who  string
		at   time.Time
		want history.Answer
	}{
		{"Written", book(1, 5*day, out(10*day)), friend, noon, history.Yes},
		{"WrittenLater", book(1, 5*day, out(day)), friend, ago(2 * day), history.No},
		{"NotWritten", book(1, 5*day), friend, noon, history.No},
		{"Stranger", book(0, 0), "x@stranger.test", noon, history.No},
		{"ShortButWritten", week.Book(), friend, noon, history.Yes},
		{"ShortAndNot", week.Book(), "x@stranger.test", noon, history.NotKnown},
		{"NoSentMail", unsent.Book(), friend, noon, history.NotKnown},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := tc.book.At(tc.at, 0)
			if got := v.Address(tc.who).Solicited; got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
			if got := v.WrittenTo(tc.who); got != (tc.want == history.Yes) {
				t.Errorf("written to: %v", got)
			}
		})
	}
}

func TestJudged(t *testing.T) {
	m := func(id history.ID, d time.Duration, j history.Judgement) history.Message {
		return history.Message{ID: id, Time: ago(d), Direction: history.Inbound, Addresses: []string{friend}, Judgement: j}
	}
	for _, tc := range []struct {
		name            string
		mails           []history.Message
		self            history.ID
		benign, malicis bool
	}{
		{"Nobody", []history.Message{m(1, day, history.NotJudged)}, 0, false, false},
		{"Benign", []history.Message{m(1, day, history.Benign)}, 0, true, false},
		{"Spam", []history.Message{m(1, day, history.Spam)}, 0, false, true},
		{"Both", []history.Message{m(1, 2*day, history.Benign), m(2, day, history.Malicious)}, 0, true, true},
		{"ChangedMind", []history.Message{m(1, day, history.Malicious), m(1, day, history.Benign)}, 0, true, false},
		{"ReadAgainWithoutJudgement", []history.Message{m(1, day, history.Malicious), m(1, day, history.NotJudged)}, 0, false, true},
		{"ItselfDoesNotCount", []history.Message{m(1, day, history.Malicious)}, 1, false, false},
		{"LaterDoesNotCount", []history.Message{m(1, -day, history.Malicious)}, 0, false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := book(0, 0, tc.mails...).At(noon, tc.self).Address(friend)
			if p.Benign != tc.benign || p.Malicious != tc.malicis {
				t.Errorf("got %v, %v", p.Benign, p.Malicious)
			}
		})
	}
}

// TestOldDate keeps one mail with an old date from making a history reach back.
func TestOldDate(t *testing.T) {
	b := history.NewBuilder(nil)
	for i := range 200 {
		b.Add(history.Message{ID: history.ID(i + 1), Time: ago(time.Duration(i) * time.Hour), Direction: history.Inbound, Addresses: []string{fmt.Sprintf("a%d@many.example", i)}})
	}
	b.Add(history.Message{ID: 999, Time: ago(3000 * day), Direction: history.Inbound, Addresses: []string{"x@stranger.test"}})
	if b.Book().At(noon, 0).Full() {
		t.Error("eight days of mail are taken for years")
	}
}

var facts = &org.Facts{Domains: org.Of([]string{"kiso-works.example"})}

const (
	received = "Received: from mx.kiso-works.example (192.0.2.1) by mail.kiso-works.example; Tue, 26 May 2026 10:00:00 +0900\r\n"
	exchange = "Received: from AB1PR01MB0001.jpnprd01.prod.outlook.com (2603:1096:400:1::1) by AB1PR01MB0002.jpnprd01.prod.outlook.com with HTTPS; Tue, 26 May 2026 01:00:00 +0000\r\n" +
		"Received: from TY2PEPF0001.apcprd01.prod.outlook.com (2603:1096:400:2::1) by AB1PR01MB0001.outlook.office365.com (2603:1096:400:3::1) with Microsoft SMTP Server; Tue, 26 May 2026 01:00:00 +0000\r\n" +
		"%s" +
		"Received: from mail.partner.example (203.0.113.10) by TY2PEPF0001.mail.protection.outlook.com (10.167.1.1) with Microsoft SMTP Server; Tue, 26 May 2026 00:59:59 +0000\r\n"
)

func results(text string) string {
	return fmt.Sprintf(exchange, "Authentication-Results: "+text+"\r\n")
}

func TestRead(t *testing.T) {
	for _, tc := range []struct {
		name, header string
		want         history.Message
		ok           bool
	}{
		{"Inbound", received + "Message-ID: <1@partner.example>\r\nFrom: Yamada <Yamada@Partner.example>\r\nDate: Mon, 25 May 2026 00:00:00 +0000\r\n",
			history.Message{Direction: history.Inbound, Time: time.Date(2026, 5, 26, 1, 0, 0, 0, time.UTC), Addresses: []string{friend}}, true},
		{"SentCopy", "From: sato@kiso-works.example\r\nTo: Yamada@partner.example, tanaka@kiso-works.example\r\nCc: jaeger@werk.example\r\nDate: Mon, 25 May 2026 00:00:00 +0000\r\n",
			history.Message{Direction: history.Outbound, Time: time.Date(2026, 5, 25, 0, 0, 0, 0, time.UTC), Addresses: []string{friend, "jaeger@werk.example"}}, true},
		{"OwnDomainForged", received + "From: sato@kiso-works.example\r\nTo: tanaka@kiso-works.example, x@stranger.test\r\n",
			history.Message{Direction: history.Forged, Time: time.Date(2026, 5, 26, 1, 0, 0, 0, time.UTC), Addresses: []string{"sato@kiso-works.example"}}, true},
		{"OwnDomainProven", results("spf=pass smtp.mailfrom=kiso-works.example; dkim=pass header.d=kiso-works.example; dmarc=pass header.from=kiso-works.example; compauth=pass reason=100") + "From: sato@kiso-works.example\r\nTo: x@partner.example\r\n",
			history.Message{Direction: history.Outbound, Time: time.Date(2026, 5, 26, 1, 0, 0, 0, time.UTC), Addresses: []string{"x@partner.example"}}, true},
		{"PartnerForged", results("spf=fail smtp.mailfrom=partner.example; dkim=none; dmarc=fail header.from=partner.example; compauth=fail reason=000") + "From: yamada@partner.example\r\n",
			history.Message{Direction: history.Forged, Time: time.Date(2026, 5, 26, 1, 0, 0, 0, time.UTC), Addresses: []string{friend}}, true},
		{"ListBreaksDMARC", results("spf=pass smtp.mailfrom=list.example; dkim=fail header.d=partner.example; dmarc=fail header.from=partner.example; compauth=pass reason=130") + "From: yamada@partner.example\r\n",
			history.Message{Direction: history.Inbound, Time: time.Date(2026, 5, 26, 1, 0, 0, 0, time.UTC), Addresses: []string{friend}}, true},
		{"FromTheFuture", "From: yamada@partner.example\r\nDate: Mon, 25 May 2099 00:00:00 +0000\r\n", history.Message{Direction: history.Inbound, Time: noon, Addresses: []string{friend}}, true},
		{"NoAuthor", received + "Subject: x\r\n", history.Message{}, false},
		{"NoDate", "From: yamada@partner.example\r\n", history.Message{}, false},
		{"NonsenseDate", "From: yamada@partner.example\r\nDate: Thu, 1 Jan 1970 00:00:00 +0000\r\n", history.Message{}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, ok := history.Read(eml.Parse([]byte(tc.header+"\r\nbody\r\n"), nil), facts, noon)
			if ok != tc.ok {
				t.Fatalf("ok %v", ok)
			}
			if !ok {
				return
			}
			got.ID = 0
			got.Time = got.Time.UTC()
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestIDOf(t *testing.T) {
	id := func(s string) history.ID { return history.IDOf(eml.Parse([]byte(s), nil)) }
	if id("Message-ID: <a@x.example>\r\nSubject: 1\r\n\r\n") != id("Subject: 2\r\nMessage-ID: <a@x.example>\r\n\r\nbody") {
		t.Error("the same Message-ID gives two IDs")
	}
	if id("Subject: 1\r\n\r\n") == id("Subject: 2\r\n\r\n") || id("Subject: 1\r\n\r\na") != id("Subject: 1\r\n\r\nb") {
		t.Error("without a Message-ID the header tells messages apart")
	}
}

func encode(t interface{ Fatal(...any) }, b *history.Book) string {
	var out bytes.Buffer
	if err := b.Encode(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestFile(t *testing.T) {
	b := history.NewBuilder(nil)
	b.Add(history.Message{ID: 0xabc, Time: noon, Direction: history.Inbound, Addresses: []string{friend}, Judgement: history.Benign})
	b.Add(history.Message{ID: 2, Time: noon, Direction: history.Outbound, Addresses: []string{"x@\"<&>.example"}})
	want := `{"schema":"sekisho.history-file/v1","sent":true}
{"address":"x@\"<&>.example","outbound":"1780056000:2"}
{"address":"yamada@partner.example","inbound":"1780056000:abc","benign":"1780056000:abc"}
`
	if diff := cmp.Diff(want, encode(t, b.Book())); diff != "" {
		t.Fatal(diff)
	}
	again, err := history.Decode(strings.NewReader(want))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, encode(t, again)); diff != "" {
		t.Error(diff)
	}
}

func TestDecodeRefuses(t *testing.T) {
	head := `{"schema":"sekisho.history-file/v1","sent":false}` + "\n"
	for _, tc := range []struct{ name, text, want string }{
		{"Empty", "", "history: this is no file of a history"},
		{"Mail", "From: a@b.example\r\n\r\n", "history: this is no file of a history"},
		{"OtherSchema", `{"schema":"sekisho.verdict/v1"}`, "history: this is no file of a history"},
		{"CutOff", head + `{"address":"a@b.exa`, "history: line 2: unexpected end of JSON input"},
		{"NoAddress", head + `{"address":"b.example"}`, `history: line 2: "b.example" is no address`},
		{"Capitals", head + `{"address":"A@b.example"}`, `history: line 2: "A@b.example" is no address`},
		{"Twice", head + `{"address":"a@b.example"}` + "\n" + `{"address":"a@b.example"}`, "history: line 3: a@b.example stands there twice"},
		{"NoTime", head + `{"address":"a@b.example","inbound":"x:1"}`, `history: line 2: "x:1" is no message`},
		{"NoID", head + `{"address":"a@b.example","inbound":"1780056000"}`, `history: line 2: "1780056000" is no message`},
		{"TooEarly", head + `{"address":"a@b.example","inbound":"5:1"}`, `history: line 2: "5:1" is no message`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := history.Decode(strings.NewReader(tc.text))
			if err == nil {
				t.Fatal("read")
			}
			if diff := cmp.Diff(tc.want, err.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestMerge builds from two halves, in any order and with mail read twice, what
// is built from the whole.
func TestMerge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		message := rapid.Custom(func(t *rapid.T) history.Message {
			id := rapid.IntRange(1, 400).Draw(t, "id")
			return history.Message{
				ID: history.ID(id), Time: ago(time.Duration(id*37%200) * 5 * time.Hour), // a message has one time
				Direction: []history.Direction{history.Inbound, history.Outbound, history.Forged}[id%3], Addresses: []string{fmt.Sprintf("a%d@x.example", id%2)},
			}
		})
		all := rapid.SliceOfN(message, 0, 200).Draw(t, "all")
		cut := rapid.IntRange(0, len(all)).Draw(t, "cut")
		whole, left, right := history.NewBuilder(nil), history.NewBuilder(nil), history.NewBuilder(nil)
		for i, m := range all {
			whole.Add(m)
			if i <= cut {
				left.Add(m)
			}
			if i >= cut {
				right.Add(m)
			}
		}
		merged := history.NewBuilder(right.Book())
		merged.Merge(left.Book())
		merged.Merge(left.Book())
		want := encode(t, whole.Book())
		if diff := cmp.Diff(want, encode(t, merged.Book())); diff != "" {
			t.Fatal(diff)
		}
		b, err := history.Decode(strings.NewReader(want))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, encode(t, b)); diff != "" {
			t.Fatal(diff)
		}
	})
}

// TestManyMails keeps a chatty sender small.
func TestManyMails(t *testing.T) {
	b := history.NewBuilder(nil)
	for i := range 100_000 {
		b.Add(history.Message{ID: history.ID(i + 1), Time: ago(time.Duration(i) * time.Minute), Direction: history.Inbound, Addresses: []string{friend}})
	}
	if n := len(encode(t, b.Book())); n > 6_000 {
		t.Errorf("%d bytes for 70 days of mail", n)
	}
}

func FuzzDecode(f *testing.F) {
	head := `{"schema":"sekisho.history-file/v1","sent":true}` + "\n"
	f.Add([]byte(head + `{"address":"a@b.example","inbound":"1780056000:1 1780056001:2","malicious":"1780056000:1"}`))
	f.Add([]byte(head + `{"address":"a@b.example","outbound":"1780056000:ffffffffffffffff"}`))
	f.Add([]byte("From: a@b.example\n\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := history.Decode(bytes.NewReader(data))
		if err != nil {
			return
		}
		once := encode(t, b)
		again, err := history.Decode(strings.NewReader(once))
		if err != nil {
			t.Fatal(err)
		}
		if twice := encode(t, again); once != twice {
			t.Fatalf("%q becomes %q", once, twice)
		}
	})
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(received + "From: a@b.example\r\nTo: c@d.example\r\n\r\n"))
	f.Add([]byte(results("dmarc=pass") + "From: a@kiso-works.example\r\nTo: c@d.example\r\n\r\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		mail := eml.Parse(raw, nil)
		m, ok := history.Read(mail, facts, noon)
		if !ok {
			return
		}
		if m.Time.After(noon) || m.ID == 0 {
			t.Fatalf("%+v", m)
		}
		b := history.NewBuilder(nil)
		b.Add(m)
		if _, err := history.Decode(strings.NewReader(encode(t, b.Book()))); err != nil {
			t.Fatal(err)
		}
		at := history.TimeOf(mail, m365.NewPath(mail.Header(), facts), noon)
		v := b.Book().At(at, history.IDOf(mail))
		for _, a := range m.Addresses {
			if v.WroteHere(a) {
				t.Fatal("a mail counts itself")
			}
		}
	})
}

// BenchmarkDecode reads the history of a small company.
func BenchmarkDecode(b *testing.B) {
	h := history.NewBuilder(nil)
	for i := range 200_000 {
		h.Add(history.Message{ID: history.ID(i + 1), Time: ago(time.Duration(i) * time.Minute), Direction: history.Inbound, Addresses: []string{fmt.Sprintf("a%d@x%d.example", i%10_000, i%3_000)}})
	}
	text := encode(b, h.Book())
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := history.Decode(strings.NewReader(text)); err != nil && !errors.Is(err, history.ErrNoHistory) {
			b.Fatal(err)
		}
	}
}
