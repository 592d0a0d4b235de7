package dmarcreport_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/dmarcreport"
	"github.com/sekisho/sekisho/eml/outlook/outlooktest"
)

// found is what a reader finds in a file, a line for each.
func found(data []byte, limits *dmarcreport.Limits) string {
	var out []string
	for f := range dmarcreport.NewReader(limits).Read(bytes.NewReader(data)) {
		out = append(out, foundText(f))
	}
	return strings.Join(out, "\n")
}

func foundText(f dmarcreport.Found) string {
	s := f.Where
	if f.Index > 0 {
		s = fmt.Sprintf("#%d %s", f.Index, s)
	}
	if s != "" {
		s += ": "
	}
	switch {
	case f.Err != nil:
		s += "refused: " + strings.TrimPrefix(f.Err.Error(), "dmarcreport: ")
	case f.Aggregate != nil:
		s += fmt.Sprintf("aggregate %d records %d messages%s", len(f.Aggregate.Records), f.Aggregate.Messages(), faultText(f.Aggregate.Faults))
	case f.Failure != nil:
		s += fmt.Sprintf("failure %s %v%s", f.Failure.Domain, f.Failure.Source, faultText(f.Failure.Faults))
	case f.TLS != nil:
		ok, bad := f.TLS.Sessions()
		s += fmt.Sprintf("tls %s %d policies %d/%d%s", f.TLS.OrgName, len(f.TLS.Policies), ok, bad, faultText(f.TLS.Faults))
	}
	return s
}

func faultText(list []dmarcreport.Fault) string {
	var s strings.Builder
	for _, f := range list {
		s.WriteString(" !" + string(f.Code))
		if f.Detail != "" {
			s.WriteString(":" + f.Detail)
		}
	}
	return s.String()
}

func gz(members ...string) string {
	var out bytes.Buffer
	for _, m := range members {
		w := gzip.NewWriter(&out)
		_, _ = io.WriteString(w, m) // to memory
		_ = w.Close()
	}
	return out.String()
}

func zipped(files ...string) string {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for i := 0; i < len(files); i += 2 {
		f, err := w.Create(files[i])
		if err != nil {
			panic(err)
		}
		_, _ = io.WriteString(f, files[i+1]) // to memory
	}
	_ = w.Close()
	return out.String()
}

func tarred(name, content string) string {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	_ = w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(content))}) // to memory
	_, _ = io.WriteString(w, content)
	_ = w.Close()
	return out.String()
}

func zlibbed(s string) string {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	_, _ = io.WriteString(w, s) // to memory
	_ = w.Close()
	return out.String()
}

// mail is a message with one attachment.
func mail(contentType, encoding, content string) string {
	switch encoding {
	case "base64":
		content = base64.StdEncoding.EncodeToString([]byte(content))
		var lines []string
		for part := range slices.Chunk([]byte(content), 76) {
			lines = append(lines, string(part))
		}
		content = strings.Join(lines, "\r\n")
	case "": // left out
	}
	cte := ""
	if encoding != "" {
		cte = "Content-Transfer-Encoding: " + encoding + "\r\n"
	}
	return "From: Reports <noreply@receiver.example>\r\nTo: dmarc@kiso-works.example\r\nSubject: Report Domain: kiso-works.example\r\n" +
		"Date: Tue, 14 Nov 2023 10:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n\r\n" +
		"--b\r\nContent-Type: text/plain\r\n\r\nThis is a report.\r\n--b\r\n" + contentType + "\r\n" + cte + "\r\n" + content + "\r\n--b--\r\n"
}

func second(s string) string { return strings.Replace(s, "<report_id>1<", "<report_id>2<", 1) }

const arf = "From: MAILER-DAEMON@receiver.example\r\nTo: ruf@kiso-works.example\r\nSubject: FW: hello\r\nMIME-Version: 1.0\r\n" +
	"Content-Type: multipart/report; report-type=feedback-report; boundary=\"r\"\r\n\r\n" +
	"--r\r\nContent-Type: text/plain\r\n\r\nA message failed.\r\n" +
	"--r\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: auth-failure\r\nUser-Agent: test/1\r\nVersion: 1\r\n" +
	"Original-Mail-From: <bounce+sato=kiso-works.example@mail-service.example>\r\nOriginal-Rcpt-To: <suzuki@receiver.example>\r\n" +
	"Arrival-Date: Tue, 14 Nov 2023 19:00:00 +0900\r\nSource-IP: 192.0.2.7\r\nReported-Domain: Kiso-Works.example\r\nIncidents: 3\r\n" +
	"Authentication-Results: receiver.example; dkim=fail header.i=@kiso-works.example; spf=pass smtp.mailfrom=\"a b\"@mail-service.example; arc=none smtp.mailfrom=bounce+sato=kiso-works.example@mail-service.example\r\n" +
	"Auth-Failure: dmarc\r\nDelivery-Result: reject\r\nIdentity-Alignment: none\r\nDKIM-Identity: sato@kiso-works.example\r\n" +
	"--r\r\nContent-Type: message/rfc822\r\n\r\nFrom: Sato <sato@kiso-works.example>\r\nTo: suzuki@receiver.example\r\nSubject: hello\r\nMessage-ID: <1@kiso-works.example>\r\n\r\nbody\r\n--r--\r\n"

const tlsReport = `{"organization-name":"Receiver","date-range":{"start-datetime":"2026-11-01T00:00:00Z","end-datetime":"2026-11-01T23:59:59Z"},"contact-info":"tls@receiver.example","report-id":"7",` +
	`"policies":[{"policy":{"policy-type":"sts","policy-string":["version: STSv1","mode: testing"],"policy-domain":"kiso-works.example","mx-host":["*.kiso-works.example"]},` +
	`"summary":{"total-successful-session-count":10,"total-failure-session-count":2},"failure-details":[{"result-type":"certificate-expired","sending-mta-ip":"192.0.2.1","receiving-mx-hostname":"mx.kiso-works.example","failed-session-count":2}]}]}`

func TestContainers(t *testing.T) {
	const one = "aggregate 1 records 2 messages"
	whole := gz(good)
	var many strings.Builder
	many.WriteString(head + policy)
	for i := range 200 {
		many.WriteString(strings.Replace(row, "192.0.2.1", fmt.Sprintf("2001:db8::%x", i*7919&0xffff), 1))
	}
	msg := outlooktest.MSG(outlooktest.Message{
		Subject: "Report Domain: kiso-works.example", From: outlooktest.Address{SMTP: "noreply@receiver.example"},
		Attachments: []outlooktest.Attachment{{Name: "r.xml.gz", Type: "application/gzip", Data: []byte(gz(good))}},
	})
	forwarded := "From: sato@kiso-works.example\r\nSubject: FW\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=f\r\n\r\n--f\r\nContent-Type: text/plain\r\n\r\nsee below\r\n--f\r\nContent-Type: message/rfc822\r\n\r\n" +
		mail("Content-Type: application/gzip", "base64", gz(good)) + "\r\n--f--\r\n"
	for _, tc := range []struct{ name, data, want string }{
		{"XML", good, one},
		{"Gzip", whole, one},
		{"GzipMembers", gz(good[:500], good[500:]), one},
		{"GzipZeros", whole + strings.Repeat("\x00", 512), one},
		{"GzipWithoutTrailer", whole[:len(whole)-8], one + " !container"},
		{"GzipWrongSum", whole[:len(whole)-8] + "\x01\x02\x03\x04" + whole[len(whole)-4:], one + " !container"},
		{"GzipCut", gz(many.String())[:900], "aggregate 77 records 154 messages !truncated !container"},
		{"GzipHeaderAlone", whole[:10], "refused: damaged file"},
		{"GzipOfGzip", gz(whole), one},
		{"GzipOfZIP", gz(zipped("r.xml", good)), "r.xml: " + one},
		{"TooDeep", gz(gz(whole)), "refused: packed too many times over"},
		{"Zlib", zlibbed(good), one},
		{"TarGzip", gz(tarred("r/r.xml", good)), "r/r.xml: " + one},
		{"ZIP", zipped("r.xml", good), "r.xml: " + one},
		{"ZIPOfTwo", zipped("1.xml", good, "2.xml", second(good)), "1.xml: " + one + "\n2.xml: " + one},
		{"ZIPOfGzip", zipped("r.xml.gz", whole), "r.xml.gz: " + one},
		{"ZIPJunkFirst", zipped("__MACOSX/._r.xml", "junk", ".DS_Store", "junk", "dir/", "", "dir/r.xml", good, "readme.txt", "hello"), "dir/r.xml: " + one},
		{"ZIPOneBad", zipped("1.xml", "<feedback>", "2.xml", good), "1.xml: refused: the report ends before the policy that it is about\n2.xml: " + one},
		{"ZIPNoReport", zipped("readme.txt", "hello"), "refused: no report in it"},
		{"ZIPEmpty", zipped(), "refused: empty"},
		{"MailGzip", mail("Content-Type: application/gzip; name=r.xml.gz", "base64", whole), "r.xml.gz: " + one},
		{"MailZIP", mail("Content-Type: application/zip; name=r.zip", "base64", zipped("r.xml", good)), "r.zip!r.xml: " + one},
		{"MailXML", mail("Content-Type: text/xml; name=r.xml", "", good), "r.xml: " + one},
		{"MailNoType", mail("Content-Type: ;;; name", "base64", whole), "1.2: " + one},
		{"MailOctets", mail("Content-Type: application/octet-stream", "base64", zipped("r.xml", good)), "1.2!r.xml: " + one},
		{"MailNoEncoding", mail("Content-Type: application/gzip", "", base64.StdEncoding.EncodeToString([]byte(whole))), "1.2: " + one},
		{"MailDamaged", mail("Content-Type: application/gzip; name=r.xml.gz", "base64", whole[:12]), "r.xml.gz: refused: damaged file"},
		{"MailGarbage", mail("Content-Type: application/zip; name=r.zip", "base64", "garbage"), "r.zip: refused: neither a report nor something that reports are packed in"},
		{"MailPlain", mail("Content-Type: image/png; name=a.png", "base64", "\x89PNG"), "refused: no report in it"},
		{"MailHTML", mail("Content-Type: text/html", "", "<html><body>hi</body></html>"), "refused: no report in it"},
		{"Forwarded", forwarded, "1.2.1.2: " + one},
		{"Mbox", "From a@receiver.example Tue Nov 14 10:00:00 2023\n" + strings.ReplaceAll(forwarded, "\r", "") + "\n\nFrom a@receiver.example Tue Nov 14 10:00:00 2023\nSubject: hi\nFrom: b@receiver.example\n\nhello\n", "#1 1.2.1.2: " + one + "\n#2 : refused: no report in it"},
		{"Outlook", string(msg), "r.xml.gz: " + one},
		{"TLSInMail", mail("Content-Type: application/tlsrpt; name=t.json", "", tlsReport), "t.json: tls Receiver 1 policies 10/2"},
		{"TLSGzipInMail", mail("Content-Type: application/tlsrpt+gzip", "base64", gz(tlsReport)), "1.2: tls Receiver 1 policies 10/2"},
		{"TLS", tlsReport, "tls Receiver 1 policies 10/2"},
		{"Failure", arf, "failure kiso-works.example 192.0.2.7"},
		{"Doctype", gz(`<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>` + good), "refused: a document type declaration, which reports do not have"},
		{"Laughs", `<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><feedback>&b;</feedback>`, "refused: a document type declaration, which reports do not have"},
		{"Empty", "", "refused: empty"},
		{"Spaces", " \n", "refused: empty"},
		{"Text", "hello: this is a note\n", "refused: neither a report nor something that reports are packed in"},
		{"Binary", "\x00\x01\x02", "refused: neither a report nor something that reports are packed in"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, found([]byte(tc.data), nil)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// bomb is a gzip that unpacks to size bytes of fill behind a start. Its middle is
// one piece of DEFLATE many times over, so that writing it takes no time.
func bomb(start string, fill byte, size int) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	block := bytes.Repeat([]byte{fill}, 1<<20)
	marks := []int{}
	for _, b := range [][]byte{[]byte(start), block, block} { // to memory
		_, _ = w.Write(b)
		_ = w.Flush()
		marks = append(marks, out.Len())
	}
	head, piece := out.Bytes()[:marks[1]], out.Bytes()[marks[1]:marks[2]]
	packed := slices.Concat(head, bytes.Repeat(piece, size>>20-1))
	_ = w.Close()
	return append(packed, out.Bytes()[marks[2]:]...)
}

// TestBombs unpacks what is made to fill the memory: it is refused after a small
// part of it, and what that costs is bounded.
func TestBombs(t *testing.T) {
	size := 1 << 30
	if testing.Short() || raceEnabled {
		size = 64 << 20
	}
	spaces := bomb("<feedback>", ' ', size)
	var packed bytes.Buffer
	w := zip.NewWriter(&packed)
	for i := range 3 {
		f, err := w.CreateRaw(&zip.FileHeader{Name: fmt.Sprintf("%d.xml", i), Method: zip.Deflate, CompressedSize64: uint64(len(spaces) - 18), UncompressedSize64: uint64(size)}) //nolint:gosec // positive
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(spaces[10 : len(spaces)-8]); err != nil { // the DEFLATE data of RFC 1952
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	const refused = "refused: unpacks to far more than a report would"
	for _, tc := range []struct {
		name string
		data []byte
		want string
	}{
		{"Zeros", bomb("", 0, size), "refused: neither a report nor something that reports are packed in"},
		{"Spaces", bomb(" ", ' ', size), refused},
		{"Report", spaces, refused},
		{"Comment", bomb(head+policy+row+"<!--", '-', size), refused},
		{"JSON", bomb(`{"report-id":"`, 'a', size), refused},
		{"ZIP", packed.Bytes(), "0.xml: " + refused + "\n1.xml: " + refused + "\n2.xml: " + refused},
		{"Mail", []byte(mail("Content-Type: application/gzip", "base64", string(spaces))), "1.2: " + refused},
		{"Plain", bytes.Repeat([]byte("<feedback>"), 7<<20), "refused: too large"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			start := time.Now()
			if diff := cmp.Diff(tc.want, found(tc.data, nil)); diff != "" {
				t.Error(diff)
			}
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			allocated := (after.TotalAlloc - before.TotalAlloc) >> 20
			t.Logf("%d KiB: %v, %d MiB allocated in all", len(tc.data)>>10, took.Round(time.Millisecond), allocated)
			if allocated > 200 {
				t.Errorf("%d MiB allocated", allocated)
			}
			if took > 5*time.Second { // a fiftieth of it on an idle machine
				t.Errorf("took %v", took)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	for _, tc := range []struct {
		name   string
		data   string
		limits dmarcreport.Limits
		want   string
	}{
		{"File", good, dmarcreport.Limits{File: len(good) - 1}, "refused: too large"},
		{"FileExact", good, dmarcreport.Limits{File: len(good)}, "aggregate 1 records 2 messages"},
		{"Entry", gz(good), dmarcreport.Limits{Entry: len(good) - 1}, "refused: too large"},
		{"EntryExact", gz(good), dmarcreport.Limits{Entry: len(good)}, "aggregate 1 records 2 messages"},
		{"Total", zipped("1.xml", good, "2.xml", good), dmarcreport.Limits{Total: len(good) + 10}, "1.xml: aggregate 1 records 2 messages\n2.xml: refused: too large"},
		{"Entries", zipped("1.xml", good, "2.xml", good, "3.xml", good), dmarcreport.Limits{Entries: 2}, "1.xml: aggregate 1 records 2 messages\n2.xml: refused: too many files packed into one"},
		{"Nested", strings.Repeat("From: a@b.example\r\nContent-Type: message/rfc822\r\n\r\n", 3) + mail("Content-Type: text/xml", "", good), dmarcreport.Limits{Nested: 1}, "refused: packed too many times over"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, found([]byte(tc.data), &tc.limits)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A reader that is used again does not change what it gave before.
func TestReaderAgain(t *testing.T) {
	r := dmarcreport.NewReader(nil)
	var all []dmarcreport.Found
	for _, data := range []string{gz(good), gz(strings.NewReplacer("Receiver", "Somebody", "192.0.2.1", "198.51.100.9").Replace(second(good))), good} {
		for f := range r.Read(strings.NewReader(data)) {
			all = append(all, f)
		}
	}
	for i, want := range []string{"Receiver 1 192.0.2.1", "Somebody 2 198.51.100.9", "Receiver 1 192.0.2.1"} {
		a := all[i].Aggregate
		if got := a.OrgName + " " + a.ReportID + " " + a.Records[0].Source.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if all[0].Hash != all[2].Hash || all[0].Hash == all[1].Hash {
		t.Error("the hash is not that of the report")
	}
}

// A reader may stop listening at any report.
func TestReaderStop(t *testing.T) {
	data := zipped("1.xml", good, "2.xml", second(good), "3.xml", good)
	n := 0
	for range dmarcreport.NewReader(nil).Read(strings.NewReader(data)) {
		if n++; n == 2 {
			break
		}
	}
	if n != 2 {
		t.Errorf("%d", n)
	}
}

func TestReaderMail(t *testing.T) {
	for f := range dmarcreport.NewReader(nil).Read(strings.NewReader(mail("Content-Type: application/gzip", "base64", gz(good)))) {
		if f.Mail == nil || f.Mail.From()[0].Domain != "receiver.example" {
			t.Errorf("carrier: %v", f.Mail)
		}
	}
	for f := range dmarcreport.NewReader(nil).Read(strings.NewReader(gz(good))) {
		if f.Mail != nil {
			t.Error("a bare file has a carrier")
		}
	}
}

// TestCorpusContainers reads every sample as a user would hand it over: it is
// read, read as far as it goes, or refused for the reason that is meant.
func TestCorpusContainers(t *testing.T) {
	dir := shared(t, "dmarc")
	read, salvaged, refused := 0, 0, map[string]int{}
	r := dmarcreport.NewReader(nil)
	files := 0
	err := filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(d.Name(), "LICENSE") {
			return err
		}
		in, err := os.Open(p)
		if err != nil {
			return err
		}
		defer func() { _ = in.Close() }()
		files++
		for f := range r.Read(in) {
			switch {
			case f.Err != nil:
				refused[filepath.Base(p)+": "+strings.TrimPrefix(f.Err.Error(), "dmarcreport: ")]++
			case f.Aggregate != nil && f.Aggregate.Salvaged():
				salvaged++
			default:
				read++
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d files: %d reports read, %d as far as they go, %d refused", files, read, salvaged, len(refused))
	const (
		noID   = "the report has neither an identifier nor a period"
		notOne = "neither a report nor something that reports are packed in"
	)
	want := map[string]int{
		"dmarc-invalid-1.xml: " + noID: 1, "dmarc-invalid-1.xml.gz: " + noID: 1, "dmarc-invalid-1.xml.zip: " + noID: 1, "multiple-invalid.zip: " + noID: 1,
		"dmarc-invalid-4.xml: " + notOne: 1, "dmarc-invalid-4.xml.gz: " + notOne: 1, "dmarc-invalid-4.xml.zip: no report in it": 1,
		"empty.xml: empty": 1,
	}
	if diff := cmp.Diff(want, refused); diff != "" {
		t.Error(diff)
	}
	if read+salvaged < 1363+80 {
		t.Errorf("%d reports", read+salvaged)
	}
}

func FuzzReader(f *testing.F) {
	for _, s := range []string{good, gz(good), gz(gz(good)), zipped("a.xml", good, "b.xml.gz", gz(good)), tarred("a", good), zlibbed(good), tlsReport, arf, mail("Content-Type: application/gzip", "base64", gz(good)), "From a@b.example Tue Nov 14 10:00:00 2023\n" + arf} {
		f.Add([]byte(s))
	}
	limits := &dmarcreport.Limits{File: 1 << 20, Entry: 1 << 20, Total: 4 << 20, Entries: 50}
	f.Fuzz(func(t *testing.T, data []byte) {
		n := 0
		for x := range dmarcreport.NewReader(limits).Read(bytes.NewReader(data)) {
			n++
			kinds := 0
			for _, is := range []bool{x.Aggregate != nil, x.Failure != nil, x.TLS != nil, x.Err != nil} {
				if is {
					kinds++
				}
			}
			if kinds != 1 {
				t.Errorf("%d things at once: %+v", kinds, x)
			}
		}
		if n == 0 {
			t.Error("nothing said")
		}
	})
}
