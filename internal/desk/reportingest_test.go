package desk_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/dmarcreport"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/org"
)

// reportMemory is a store of reports that remembers what it was given and may
// fail.
type reportMemory struct {
	desk.ReportStore
	have    []desk.StoredReport
	seen    map[[32]byte]bool
	batches []int
	fail    error
}

func (m *reportMemory) AddReports(ctx context.Context, list []desk.StoredReport) ([]desk.ReportKept, error) {
	if err := errors.Join(ctx.Err(), m.fail); err != nil {
		return nil, err
	}
	if m.seen == nil {
		m.seen = map[[32]byte]bool{}
	}
	m.batches = append(m.batches, len(list))
	out := make([]desk.ReportKept, len(list))
	for i, r := range list {
		out[i].State = desk.ReportNew
		if m.seen[r.Hash] {
			out[i].State = desk.ReportDuplicate
			continue
		}
		m.seen[r.Hash] = true
		m.have = append(m.have, r)
	}
	return out, nil
}

func reportXML(id, about string, rows ...string) string {
	var s strings.Builder
	s.WriteString(`<feedback><report_metadata><org_name>Receiver</org_name><email>r@receiver.example</email><report_id>` + id + `</report_id><date_range><begin>1777939200</begin><end>1778025599</end></date_range></report_metadata>` +
		`<policy_published><domain>` + about + `</domain><p>none</p></policy_published>`)
	for _, r := range rows {
		s.WriteString(`<record><row><source_ip>192.0.2.1</source_ip><count>` + r + `</count><policy_evaluated><disposition>none</disposition><dkim>pass</dkim><spf>fail</spf></policy_evaluated></row><identifiers><header_from>` + about + `</header_from></identifiers></record>`)
	}
	s.WriteString(`</feedback>`)
	return s.String()
}

func reportFiles(named ...string) iter.Seq[desk.ReportFile] {
	return func(yield func(desk.ReportFile) bool) {
		for i := 0; i+1 < len(named); i += 2 {
			name, casual := strings.CutPrefix(named[i], "~")
			if !yield(desk.ReportFile{Name: name, Casual: casual, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(named[i+1])), nil }}) {
				return
			}
		}
	}
}

// mailOf is a mail with a report in it, as it lies in an Exchange Online mailbox
// if dmarc says what Exchange Online found.
func mailOf(from, dmarc, report string) string {
	head := ""
	if dmarc != "" {
		head = "Received: from AAA.apcprd01.prod.exchangelabs.com (2603:1096::1) by BBB.apcprd01.prod.exchangelabs.com with HTTPS; Fri, 8 May 2026 00:00:02 +0000\r\n" +
			"Authentication-Results: spf=pass (sender IP is 203.0.113.5) smtp.mailfrom=" + from + "; dkim=pass (signature was verified) header.d=" + from + ";dmarc=" + dmarc + " action=none header.from=" + from + ";compauth=pass reason=100\r\n" +
			"Received-SPF: Pass (protection.outlook.com: domain of " + from + " designates 203.0.113.5 as permitted sender) receiver=protection.outlook.com; client-ip=203.0.113.5; helo=mail." + from + "; pr=C\r\n" +
			"Received: from mail." + from + " (203.0.113.5) by CCC.mail.protection.outlook.com (10.167.1.1) with Microsoft SMTP Server id 15.20.1.1 via Frontend Transport; Fri, 8 May 2026 00:00:01 +0000\r\n"
	}
	return head + "From: reports@" + from + "\r\nTo: dmarc@kiso-works.example\r\nSubject: Report domain: kiso-works.example\r\nDate: Fri, 8 May 2026 00:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: application/xml; name=r.xml\r\n\r\n" + report
}

func TestIngestReports(t *testing.T) {
	facts := org.Facts{Domains: org.Of([]string{"kiso-works.example"})}
	now := time.Date(2026, 5, 8, 0, 0, 0, 0, time.UTC)
	cut := reportXML("9", "kiso-works.example", "5", "6")
	cut = cut[:strings.LastIndex(cut, "<record>")+20]
	store := &reportMemory{}
	var told []string
	got, err := desk.IngestReports(t.Context(), reportFiles(
		"a.xml", reportXML("1", "kiso-works.example", "3"),
		"again.xml", reportXML("1", "kiso-works.example", "3"),
		"sub.xml", reportXML("2", "mail.kiso-works.example", "4"),
		"foreign.xml", reportXML("3", "somebody.example", "100"),
		"cut.xml", cut,
		"bad.xml", `<!DOCTYPE a>`+reportXML("4", "kiso-works.example"),
		"named.txt", "hello",
		"~casual.txt", "hello",
		"~page.html", "<html></html>",
		"~broken.xml.gz", "\x1f\x8b\x08",
		"pass.eml", mailOf("receiver.example", "pass", reportXML("5", "kiso-works.example", "1")),
		"other.eml", mailOf("evil.example", "pass", reportXML("6", "kiso-works.example", "1")),
		"fail.eml", mailOf("receiver.example", "fail", reportXML("7", "kiso-works.example", "1")),
		"unknown.eml", mailOf("receiver.example", "", reportXML("8", "kiso-works.example", "1")),
		"hello.eml", "From: a@receiver.example\r\nSubject: hi\r\n\r\nhello\r\n",
	), desk.ReportIntake{Store: store, Facts: facts, Now: now, Problem: func(p desk.ReportProblem) {
		told = append(told, fmt.Sprintf("%s %s: %s", p.State, p.File, p.Reason.EN))
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := desk.Ingested{
		Schema: desk.IngestedSchema, Files: 15, Reports: 8, Duplicates: 1, Records: 8, Messages: 116, Pass: 116, Salvaged: 1, Refused: 3, NoReport: 3,
		Foreign: []desk.ForeignCount{{Domain: "somebody.example", Reports: 1}}, Carriers: desk.CarrierCounts{Pass: 1, Other: 1, Fail: 1, Unknown: 5}, Problems: got.Problems,
	}
	if d := cmp.Diff(want, *got); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{
		"salvaged cut.xml: cut off; the complete records were kept",
		"refused bad.xml: it has a document type declaration, which reports never have (entities could read files or fill the memory)",
		"refused named.txt: this is no report, nor anything that reports are packed in",
		"refused broken.xml.gz: the file is damaged",
	}, told); d != "" {
		t.Error(d)
	}
	if len(got.Problems) != len(told) {
		t.Errorf("%d problems listed", len(got.Problems))
	}
	carriers := map[string]dmarcreport.Carrier{}
	for _, r := range store.have {
		carriers[r.Aggregate.ReportID] = r.Carrier
	}
	for id, want := range map[string]dmarcreport.Carrier{"1": dmarcreport.CarrierUnknown, "5": dmarcreport.CarrierPass, "6": dmarcreport.CarrierOther, "7": dmarcreport.CarrierFail, "8": dmarcreport.CarrierUnknown} {
		if carriers[id] != want {
			t.Errorf("report %s: %q, want %q", id, carriers[id], want)
		}
	}
}

func TestIngestReportsInBatches(t *testing.T) {
	var files []string
	for i := range 1200 {
		files = append(files, fmt.Sprintf("%d.xml", i), reportXML(strconv.Itoa(i), "kiso-works.example", "1"))
	}
	store := &reportMemory{}
	got, err := desk.IngestReports(t.Context(), reportFiles(files...), desk.ReportIntake{Store: store})
	if err != nil || got.Reports != 1200 || !got.OwnUnknown {
		t.Errorf("%+v, %v", got, err)
	}
	if d := cmp.Diff([]int{500, 500, 200}, store.batches); d != "" {
		t.Error(d)
	}
}

// Somebody who has had enough keeps what was read by then.
func TestIngestReportsStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	store := &reportMemory{}
	files := reportFiles("1.xml", reportXML("1", "kiso-works.example", "1"), "2.xml", reportXML("2", "kiso-works.example", "1"), "3.xml", reportXML("3", "kiso-works.example", "1"))
	got, err := desk.IngestReports(ctx, func(yield func(desk.ReportFile) bool) {
		for f := range files {
			if f.Name == "3.xml" {
				cancel()
			}
			if !yield(f) {
				return
			}
		}
	}, desk.ReportIntake{Store: store})
	if err != nil || !got.Stopped || got.Reports != 2 || len(store.have) != 2 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestIngestReportsStoreFails(t *testing.T) {
	full := &desk.Error{Kind: desk.Limit}
	_, err := desk.IngestReports(t.Context(), reportFiles("1.xml", reportXML("1", "kiso-works.example", "1")), desk.ReportIntake{Store: &reportMemory{fail: full}})
	if !errors.Is(err, full) {
		t.Errorf("%v", err)
	}
}

const failureMail = "From: MAILER-DAEMON@receiver.example\r\nSubject: FW: secret\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=feedback-report; boundary=r\r\n\r\n" +
	"--r\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: auth-failure\r\nOriginal-Mail-From: <sato@kiso-works.example>\r\nSource-IP: 192.0.2.7\r\nReported-Domain: kiso-works.example\r\nArrival-Date: Fri, 8 May 2026 00:00:00 +0000\r\n" +
	"--r\r\nContent-Type: message/rfc822\r\n\r\nFrom: sato@kiso-works.example\r\nSubject: secret\r\n\r\nbody\r\n--r--\r\n"

func TestIngestReportsFailure(t *testing.T) {
	for _, keep := range []bool{false, true} {
		store := &reportMemory{}
		got, err := desk.IngestReports(t.Context(), reportFiles("f.eml", failureMail), desk.ReportIntake{Store: store, KeepAddresses: keep})
		if err != nil || got.Failures != 1 || got.Reports != 0 {
			t.Fatalf("%+v, %v", got, err)
		}
		f := store.have[0].Failure
		personal := slices.ContainsFunc([]string{f.From, f.Subject, f.MailFrom}, func(s string) bool { return strings.Contains(s, "sato") || strings.Contains(s, "secret") })
		if personal != keep || f.Domain != "kiso-works.example" {
			t.Errorf("keep %v: %+v", keep, f)
		}
	}
}
