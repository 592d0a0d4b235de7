package trace_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/text/encoding/japanese"

	"github.com/sekisho/sekisho/m365/trace"
)

func read(t *testing.T, text string, o *trace.Options) (*trace.Reader, []trace.Row) {
	t.Helper()
	r, err := trace.NewReader(strings.NewReader(text), o)
	if err != nil {
		t.Fatal(err)
	}
	var rows []trace.Row
	for row := range r.All() {
		rows = append(rows, *row)
	}
	return r, rows
}

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

const messageTrace = `#TYPE Deserialized.Microsoft.Exchange.Management.FfoReporting.MessageTrace
"Organization","MessageId","Received","SenderAddress","RecipientAddress","Subject","Status","ToIP","FromIP","Size","MessageTraceId","StartDate","EndDate","Index"
"kiso-works.onmicrosoft.com","<1@mfp.example>","11/20/2026 1:00:05 AM","Scan@Kiso-Works.example","sato@kiso-works.example","Scanned from MFP, ""2F""","Delivered","","198.51.100.7","20480","2E0F0A44-0000-4000-8000-000000000001","11/1/2026","11/25/2026","0"
`

const summary = `origin_timestamp_utc,sender_address,recipient_status,message_subject,total_bytes,message_id,network_message_id,original_client_ip,directionality,connector_id,delivery_priority
2026-11-20T01:00:05.1234567Z,ceo@kiso-works.example,"sato@kiso-works.example##Receive, Deliver;tanaka@kiso-works.example##Receive, Quarantined",Urgent,4096,<2@x.test>,1341ac7b13fb42ab4d4408cf7f55890f,203.0.113.66,1,,Normal
`

const extended = `date_time_utc,client_ip,client_hostname,server_ip,server_hostname,source_context,connector_id,source,event_id,internal_message_id,message_id,network_message_id,recipient_address,recipient_status,total_bytes,recipient_count,related_recipient_address,reference,message_subject,sender_address,return_path,message_info,directionality,tenant_id,original_client_ip
2026-11-20T01:00:05.123Z,10.0.0.1,mail.survey.example,10.0.0.2,X,ctx,PROD01\Default PROD01,SMTP,RECEIVE,1,<3@survey.example>,1341ac7b-13fb-42ab-4d44-08cf7f55890f,sato@kiso-works.example;tanaka@kiso-works.example,,5000,2,,,Survey,hr@kiso-works.example,bounce@survey.example,,Incoming,,203.0.113.30
2026-11-20T01:00:06.123Z,10.0.0.1,X,10.0.0.2,X,ctx,,AGENT,AGENTINFO,1,<3@survey.example>,1341ac7b-13fb-42ab-4d44-08cf7f55890f,sato@kiso-works.example,,5000,2,,,Survey,hr@kiso-works.example,bounce@survey.example,,Incoming,,203.0.113.30
2026-11-20T01:00:07.123Z,10.0.0.1,X,10.0.0.2,X,ctx,,STOREDRIVER,DELIVER,1,<3@survey.example>,1341ac7b-13fb-42ab-4d44-08cf7f55890f,sato@kiso-works.example,,5000,2,,,Survey,hr@kiso-works.example,bounce@survey.example,,Incoming,,203.0.113.30
`

const hunting = `Timestamp,NetworkMessageId,InternetMessageId,SenderMailFromAddress,SenderFromAddress,SenderDisplayName,SenderIPv4,SenderIPv6,RecipientEmailAddress,Subject,EmailDirection,DeliveryAction,DeliveryLocation,AuthenticationDetails,Connectors
"Nov 20, 2026 1:00:05 AM",1341ac7b-13fb-42ab-4d44-08cf7f55890f,<4@x.test>,ceo@kiso-works.example,ceo@kiso-works.example,CEO,203.0.113.66,,ceo@kiso-works.example,Urgent,Intra-org,Delivered,Junk folder,"{""SPF"":""fail"",""DKIM"":""none"",""DMARC"":""fail"",""CompAuth"":""fail""}",
`

func TestFormats(t *testing.T) {
	graph := `{"schema":[{"name":"Timestamp","type":"DateTime"}],"results":[
{"Timestamp":"2026-11-20T01:00:05Z","NetworkMessageId":"1341ac7b-13fb-42ab-4d44-08cf7f55890f","SenderMailFromAddress":"ceo@kiso-works.example","SenderFromAddress":"ceo@kiso-works.example","SenderIPv4":null,"SenderIPv6":"2001:db8::66","RecipientEmailAddress":"ceo@kiso-works.example","Subject":"Ur\"{gent","EmailDirection":"Inbound","DeliveryLocation":"Inbox/folder","AuthenticationDetails":{"SPF":"fail"},"Connectors":null,"EmailSize":12}]}`
	network := "1341ac7b-13fb-42ab-4d44-08cf7f55890f"
	for _, tc := range []struct {
		name, text string
		format     trace.Format
		knows      trace.Knows
		want       []trace.Row
	}{
		{"MessageTrace", messageTrace, trace.MessageTrace, trace.Knows{Sender: true, IP: true, NetworkID: true, Outcome: true}, []trace.Row{{
			Line: 3, Time: at("2026-11-20T01:00:05Z"), Sender: "scan@kiso-works.example", Subject: `Scanned from MFP, "2F"`, IP: netip.MustParseAddr("198.51.100.7"),
			MessageID: "1@mfp.example", NetworkID: "2e0f0a44-0000-4000-8000-000000000001", Size: 20480, Recipients: []trace.Recipient{{"sato@kiso-works.example", trace.Delivered}},
		}}},
		{"Summary", summary, trace.Summary, trace.Knows{Sender: true, IP: true, Connector: true, Direction: true, NetworkID: true, Outcome: true}, []trace.Row{{
			Line: 2, Time: at("2026-11-20T01:00:05.1234567Z"), Sender: "ceo@kiso-works.example", Subject: "Urgent", IP: netip.MustParseAddr("203.0.113.66"),
			MessageID: "2@x.test", NetworkID: network, Direction: trace.Inbound, Size: 4096,
			Recipients: []trace.Recipient{{"sato@kiso-works.example", trace.Delivered}, {"tanaka@kiso-works.example", trace.Quarantined}},
		}}},
		{"Extended", extended, trace.Extended, trace.Knows{MailFrom: true, Sender: true, IP: true, Connector: true, Direction: true, NetworkID: true, Outcome: true}, []trace.Row{
			{
				Line: 2, Time: at("2026-11-20T01:00:05.123Z"), MailFrom: "bounce@survey.example", From: "hr@kiso-works.example", Subject: "Survey", IP: netip.MustParseAddr("203.0.113.30"),
				Host: "mail.survey.example", MessageID: "3@survey.example", NetworkID: network, Direction: trace.Inbound, Connector: `PROD01\Default PROD01`, Event: "RECEIVE", Size: 5000,
				Recipients: []trace.Recipient{{"sato@kiso-works.example", ""}, {"tanaka@kiso-works.example", ""}},
			},
			{
				Line: 4, Time: at("2026-11-20T01:00:07.123Z"), MailFrom: "bounce@survey.example", From: "hr@kiso-works.example", Subject: "Survey", IP: netip.MustParseAddr("203.0.113.30"),
				Host: "X", MessageID: "3@survey.example", NetworkID: network, Direction: trace.Inbound, Event: "DELIVER", Size: 5000,
				Recipients: []trace.Recipient{{"sato@kiso-works.example", trace.Delivered}},
			},
		}},
		{"Hunting", hunting, trace.EmailEvents, trace.Knows{MailFrom: true, From: true, IP: true, Connector: true, Direction: true, Authentication: true, NetworkID: true, Outcome: true}, []trace.Row{{
			Line: 2, Time: at("2026-11-20T01:00:05Z"), MailFrom: "ceo@kiso-works.example", From: "ceo@kiso-works.example", Name: "CEO", Subject: "Urgent", IP: netip.MustParseAddr("203.0.113.66"),
			MessageID: "4@x.test", NetworkID: network, Direction: trace.Intra, Authentication: trace.Authentication{SPF: "fail", DKIM: "none", DMARC: "fail", CompAuth: "fail"},
			Recipients: []trace.Recipient{{"ceo@kiso-works.example", trace.Junked}},
		}}},
		{"JSON", graph, trace.EmailEvents, trace.Knows{MailFrom: true, From: true, IP: true, Connector: true, Direction: true, Authentication: true, NetworkID: true, Outcome: true}, []trace.Row{{
			Line: 1, Time: at("2026-11-20T01:00:05Z"), MailFrom: "ceo@kiso-works.example", From: "ceo@kiso-works.example", Subject: `Ur"{gent`, IP: netip.MustParseAddr("2001:db8::66"),
			NetworkID: network, Direction: trace.Inbound, Authentication: trace.Authentication{SPF: "fail"}, Size: 12,
			Recipients: []trace.Recipient{{"ceo@kiso-works.example", trace.Delivered}},
		}}},
		{"JapaneseList", "日付 (UTC),送信者,受信者,件名,状態\n2026/11/20 1:00:05,CEO@kiso-works.example,sato@kiso-works.example,至急,配信済み\n", trace.MessageTrace, trace.Knows{Sender: true, Outcome: true}, []trace.Row{{
			Line: 2, Time: at("2026-11-20T01:00:05Z"), Sender: "ceo@kiso-works.example", Subject: "至急", Recipients: []trace.Recipient{{"sato@kiso-works.example", trace.Delivered}},
		}}},
		{"DayFirst", "Received;SenderAddress;RecipientAddress\n3/11/2026 1:00:05;a@b.example;c@d.example\n23/11/2026 1:00:05;<>;c@d.example\n", trace.MessageTrace, trace.Knows{Sender: true}, []trace.Row{
			{Line: 2, Time: at("2026-11-03T01:00:05Z"), Sender: "a@b.example", Recipients: []trace.Recipient{{"c@d.example", ""}}},
			{Line: 3, Time: at("2026-11-23T01:00:05Z"), Null: true, Recipients: []trace.Recipient{{"c@d.example", ""}}},
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, rows := read(t, tc.text, nil)
			if diff := cmp.Diff(tc.want, rows, cmp.Comparer(func(a, b netip.Addr) bool { return a == b }), cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
			if r.Format != tc.format || r.Lost != 0 || len(r.Problems) != 0 {
				t.Errorf("format %s, %d lost, %v", r.Format, r.Lost, r.Problems)
			}
			if diff := cmp.Diff(tc.knows, r.Knows); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCharsets(t *testing.T) {
	text := "日時,送信者アドレス,受信者アドレス,件名\r\n2026/11/20 1:00:05,a@kiso-works.example,b@kiso-works.example,複合機からのスキャン・表\r\n"
	sjis, err := japanese.ShiftJIS.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	utf16bytes := func(order binary.ByteOrder, mark bool) string {
		var b bytes.Buffer
		units := utf16.Encode([]rune(text))
		if mark {
			units = append([]uint16{0xfeff}, units...)
		}
		for _, u := range units {
			if err := binary.Write(&b, order, u); err != nil {
				t.Fatal(err)
			}
		}
		return b.String()
	}
	for _, tc := range []struct{ name, text, charset string }{
		{"UTF8", text, "utf-8"},
		{"UTF8Mark", "\ufeff" + text, "utf-8"},
		{"ShiftJIS", sjis, "shift_jis"},
		{"UTF16LEMark", utf16bytes(binary.LittleEndian, true), "utf-16le"},
		{"UTF16BEMark", utf16bytes(binary.BigEndian, true), "utf-16be"},
		{"UTF16LE", utf16bytes(binary.LittleEndian, false), "utf-16le"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, rows := read(t, tc.text, nil)
			if len(rows) != 1 || rows[0].Subject != "複合機からのスキャン・表" || r.Charset() != tc.charset {
				t.Errorf("%s: %+v %v", r.Charset(), rows, r.Problems)
			}
		})
	}
}

func TestFaults(t *testing.T) {
	text := "Received,SenderAddress,RecipientAddress,Subject,FromIP\n" +
		"2026-11-20 01:00:05,a@b.example,c@d.example,\"broken \"quotes\" here\",192.0.2.1\n" + // 2
		"2026-11-20 01:00:05,a@b.example,c@d.example,\"two\nlines\",192.0.2.1\n" + // 3, 4
		"yesterday,a@b.example,c@d.example,x,192.0.2.1\n" + // 5
		"2026-11-20 01:00:05,a@b.example,c@d.example,x,192.0.2.999\n" + // 6
		"2026-11-20 01:00:05,,c@d.example,x,192.0.2.1\n" + // 7
		"only this\n" + // 8
		"2026-11-20 01:00:05,a@b.example,c@d.example,x,192.0.2.1,more\n" + // 9
		"2026-11-20 01:00:05,a@b.example,c@d.example," + strings.Repeat("x", 300<<10) + ",192.0.2.1\n" + // 10
		"2026-11-20 01:00:05,a@b.example,c@d.example,\xff\xfe\xfd,192.0.2.1\n" + // 11
		",,,,\n" + // 12
		"2026-11-20 01:00:05,a@b.example,c@d.example,\"never closed,192.0.2.1\n" // 13
	r, rows := read(t, text, nil)
	type fault struct {
		Line int
		Why  trace.Reason
	}
	var got []fault
	for _, p := range r.Problems {
		got = append(got, fault{p.Line, p.Reason})
	}
	want := []fault{
		{2, trace.BrokenQuotes}, {5, trace.BadDate}, {6, trace.BadAddress}, {7, trace.NoSender}, {8, trace.TooFewFields}, {9, trace.TooManyFields},
		{10, trace.TooLong}, {11, trace.BadBytes}, {13, trace.BrokenQuotes},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(rows) != 6 || r.Rows != 6 || r.Lost != 4 || r.Doubtful != 5 || rows[1].Subject != "two\nlines" || rows[0].Subject != `broken "quotes" here` {
		t.Errorf("%d rows, %d lost, %d doubtful: %+v", len(rows), r.Lost, r.Doubtful, rows)
	}
}

func TestRefused(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		want       error
	}{
		{"Empty", "", trace.ErrEmpty},
		{"Blank", " \r\n\n", trace.ErrEmpty},
		{"Zip", "PK\x03\x04aaaa", trace.ErrBinary},
		{"Binary", "a\x00\x00b\x01\x02\x00cdefg", trace.ErrBinary},
		{"Mail", "From: a@b.example\nTo: c@d.example\nSubject: x\n\nHello\n", trace.ErrNoHeader},
		{"OtherTable", "name,age\nx,1\n", trace.ErrNoHeader},
		{"OtherJSON", `[{"name":"x"}]`, trace.ErrJSON},
		{"NoJSON", `{"name":`, trace.ErrJSON},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := trace.NewReader(strings.NewReader(tc.text), nil); !errors.Is(err, tc.want) {
				t.Errorf("%v, want %v", err, tc.want)
			}
		})
	}
}

// TestReadFault tells a file that breaks off from one that ends.
func TestReadFault(t *testing.T) {
	r, err := trace.NewReader(io.MultiReader(strings.NewReader(strings.Repeat(messageTrace, 1)+strings.Repeat("x", 100<<10)), broken{}), nil)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for range r.All() {
		n++
	}
	if n != 1 || !slices.ContainsFunc(r.Problems, func(p trace.Problem) bool { return p.Reason == trace.Unreadable }) {
		t.Errorf("%d rows, %v", n, r.Problems)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("the disk is gone") }

// TestManyProblems holds what is kept of a bad file.
func TestManyProblems(t *testing.T) {
	r, _ := read(t, "Received,SenderAddress,RecipientAddress\n"+strings.Repeat("x\n", 50_000), nil)
	if r.Lost != 50_000 || len(r.Problems) > 1000 {
		t.Errorf("%d lost, %d named", r.Lost, len(r.Problems))
	}
}

// big is an export of n rows.
func big(n int) io.Reader {
	r, w := io.Pipe()
	go func() {
		_, err := io.WriteString(w, "Received,SenderAddress,RecipientAddress,Subject,Status,ToIP,FromIP,Size,MessageTraceId,MessageId\n")
		for i := 0; i < n && err == nil; i++ {
			_, err = fmt.Fprintf(w, "\"2026-11-%02dT01:00:05.1234567Z\",\"user%d@kiso-works.example\",\"user%d@kiso-works.example\",\"Invoice %d, second \"\"reminder\"\"\",\"Delivered\",\"\",\"198.51.%d.%d\",\"20480\",\"2e0f0a44-0000-4000-8000-%012x\",\"<%d.abcdef@mail.kiso-works.example>\"\n",
				1+i%28, i%3000, i%777, i, i%7, i%250, i, i)
		}
		_ = w.CloseWithError(ending(err)) // a pipe of ours
	}()
	return r
}

func ending(err error) error {
	if err == nil {
		return io.EOF
	}
	return err
}

// BenchmarkRead reads a million rows in each round at -benchtime=1x.
func BenchmarkRead(b *testing.B) {
	for b.Loop() {
		r, err := trace.NewReader(big(1_000_000), nil)
		if err != nil {
			b.Fatal(err)
		}
		c := trace.NewImpact(facts())
		for row := range r.All() {
			c.Add(r.Knows, row)
		}
		if r.Rows != 1_000_000 || c.Messages != 1_000_000 {
			b.Fatal(r.Rows, c.Messages, r.Problems[:min(3, len(r.Problems))])
		}
	}
}

func FuzzReader(f *testing.F) {
	for _, s := range []string{messageTrace, summary, extended, hunting, `[{"SenderFromAddress":"a@b","Subject":"x"},{]`, "\xff\xfea\x00"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := trace.NewReader(bytes.NewReader(data), nil)
		if err != nil {
			return
		}
		c := trace.NewImpact(facts())
		n := 0
		for row := range r.All() {
			n++
			if row.MailFrom == "" && row.From == "" && row.Sender == "" && !row.Null {
				t.Fatalf("a row without a sender: %+v", row)
			}
			if row.NetworkID != "" && len(row.NetworkID) != 36 {
				t.Fatalf("no GUID: %q", row.NetworkID)
			}
			c.Add(r.Knows, row)
		}
		if n != r.Rows || r.Rows > bytes.Count(data, []byte("\n"))+bytes.Count(data, []byte("{"))+bytes.Count(data, []byte("\x0a\x00"))+1 {
			t.Fatalf("%d rows counted as %d", n, r.Rows)
		}
		total := c.SignedIn + c.Foreign + c.Over
		for _, s := range c.Sources() {
			s.Kind(facts(), trace.Known{})
			total += s.Messages
		}
		if total != c.Messages {
			t.Fatalf("%d mails, %d with an effect", c.Messages, total)
		}
	})
}
