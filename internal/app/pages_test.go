package app

import (
	"bytes"
	"context"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sekisho/sekisho/internal/desk"
)

var (
	missingWords = regexp.MustCompile(`\[(console|cli|approval|patch|safeview)\.[^\]]*\]|>\{[a-z]+\}`)
	inlineCode   = regexp.MustCompile(`(?i)<(script|style|iframe)|<[a-z][^<>]*\s(style|on[a-z]+|srcdoc)=|<a [^<>]*href="(javascript|data):|<img [^<>]*src="http`)
	mailPath     = regexp.MustCompile(`href="(/mail/[0-9a-f]{64})"`)
	storyPath    = regexp.MustCompile(`href="(/news/s[0-9a-f]{6,})"`)
	rulePath     = regexp.MustCompile(`href="(/rules/[^"?]+)"`)
	fingerprint  = regexp.MustCompile(`<code class="hash">([0-9a-f]{64})</code>`)
)

// signedIn is a browser that is signed in to a desk of the examples.
func signedIn(t testing.TB) (*http.Client, *running) {
	t.Helper()
	o := demoOptions(t)
	rules, err := desk.LoadRules(t.Context(), []string{"../../packs/mql"}, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	o.Judge = func(context.Context) (desk.JudgeDeps, error) {
		return desk.JudgeDeps{Facts: o.Config.Facts, Rules: rules}, nil
	}
	r := start(t, o)
	c := browser(t)
	if status, _ := get(t, c, r.Demo); status != http.StatusSeeOther {
		t.Fatalf("status %d", status)
	}
	return c, r
}

func first(t testing.TB, re *regexp.Regexp, page string) string {
	t.Helper()
	m := re.FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("no %v in the page", re)
	}
	return m[1]
}

// sound checks what holds for every page.
func sound(t testing.TB, name, lang string, status int, page string) {
	t.Helper()
	if status != http.StatusOK {
		t.Errorf("%s in %s: status %d", name, lang, status)
	}
	if !strings.Contains(page, `<html lang="`+lang+`">`) || strings.Count(page, "<h1") != 1 {
		t.Errorf("%s in %s: no page with one heading", name, lang)
	}
	if m := missingWords.FindString(page); m != "" {
		t.Errorf("%s in %s: words are missing: %s", name, lang, m)
	}
	if m := inlineCode.FindString(page); m != "" {
		t.Errorf("%s in %s: %q", name, lang, m)
	}
}

// TestPagesOfDemo asks for every page of a filled desk in both languages.
func TestPagesOfDemo(t *testing.T) {
	c, r := signedIn(t)
	base := strings.TrimSuffix(r.URL, "/")
	_, list := get(t, c, base+"/mail?verdict=malicious")
	mail := first(t, mailPath, list)
	_, news := get(t, c, base+"/news?days=365")
	story := first(t, storyPath, news)
	_, rules := get(t, c, base+"/rules")
	rule := first(t, rulePath, rules)
	for _, l := range []string{"ja", "en"} {
		post(t, c, base+"/language", url.Values{"language": {l}, "next": {"/"}})
		for _, p := range []string{
			"/mail", "/mail?q=" + url.QueryEscape("請求書"), "/mail?label=none&from=2026-01-01&until=2030-01-01", "/mail?q=nothing-has-this-word",
			mail, mail + "?view=headers", mail + "?view=text", mail + "?view=source", "/news", "/news?days=365&grade=C", "/news/sources", story,
			"/advisories", "/domains", "/updates", "/rules", "/rules?state=needs&q=pdf", rule, "/rules/changes", "/rules/changes?all=1", mail + "/similar", mail + "/similar?wide=1", "/digest",
		} {
			status, page := get(t, c, base+p)
			sound(t, p, l, status, page)
		}
	}
	if _, page := get(t, c, base+mail); !strings.Contains(page, `<mark class="sv-mark e`) || !strings.Contains(page, `class="reason r1"`) {
		t.Error("the mail shows no evidence")
	}
	for _, p := range []string{"/mail/" + strings.Repeat("0", 64), "/mail/x", "/news/s000000", "/rules/none/such", "/digest/7", "/digest/x", "/advisories/000000000000"} {
		if status, _ := get(t, c, base+p); status != http.StatusNotFound && status != http.StatusUnprocessableEntity {
			t.Errorf("%s: status %d", p, status)
		}
	}
}

// TestMailPage goes the way of a reported mail: handed in, read, said to be
// harmless with an exception, written about, deleted.
func TestMailPage(t *testing.T) {
	c, r := signedIn(t)
	base := strings.TrimSuffix(r.URL, "/")
	const mail = "From: =?UTF-8?Q?=E2=80=AEIT?= <it@kiso-works-login.test>\r\nTo: sato@kiso-works.example\r\nSubject: Your mailbox <script>alert(1)</script>\r\n" +
		"Date: Tue, 24 Nov 2026 09:00:00 +0900\r\nMessage-ID: <1@kiso-works-login.test>\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" +
		`<p onclick="x()">Sign in <a href="https://kiso-works-login.test/a">here</a></p><script>x()</script><img src="https://kiso-works-login.test/p.gif"><form action="https://kiso-works-login.test/f"><input type="password"></form>` + "\r\n"
	resp := upload(t, c, base+"/mail", "file", "one.eml", []byte(mail))
	to := resp.Header.Get("Location")
	if resp.StatusCode != http.StatusSeeOther || !mailPath.MatchString(`href="`+to+`"`) {
		t.Fatalf("status %d to %s", resp.StatusCode, to)
	}
	status, page := get(t, c, base+to)
	sound(t, to, "en", status, page)
	for _, want := range []string{"U+202E", "hxxps://kiso-works-login[.]test/a", "password field", "&lt;script&gt;alert(1)"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if resp, err := c.Get(base + to); err != nil || strings.Contains(resp.Header.Get("Content-Security-Policy"), "script-src") || resp.Body.Close() != nil {
		t.Errorf("the page of a mail may run scripts: %v", err)
	}
	if resp, err := c.Get(base + to + "/file"); err != nil || resp.Header.Get("Content-Type") != "application/octet-stream" || !strings.HasPrefix(resp.Header.Get("Content-Disposition"), "attachment") {
		t.Errorf("the file is not one to save: %v", err)
	} else if _, got := read(t, resp); got != mail {
		t.Errorf("the file is another: %q", got)
	}
	if resp := upload(t, c, base+"/mail", "file", "two.eml", []byte(mail)); resp.Header.Get("Location") != to {
		t.Error("the same mail twice is two")
	}
	for _, form := range []struct {
		path   string
		fields url.Values
		status int
		words  string
	}{
		{"/label", url.Values{"label": {"phish"}}, http.StatusSeeOther, `<span class="tag">confirmed`},
		{"/label", url.Values{"label": {"harmless"}}, http.StatusUnprocessableEntity, `<span class="tag">confirmed`},
		{"/exception", url.Values{"from": {"it@kiso-works-login.test"}, "reason": {""}, "owner": {"Sato"}, "days": {"30"}}, http.StatusUnprocessableEntity, `<span class="tag">confirmed`},
		{"/exception", url.Values{"from": {"it@kiso-works-login.test"}, "reason": {"our test"}, "owner": {"Sato"}, "days": {"30"}}, http.StatusSeeOther, `<span class="tag">harmless`},
	} {
		if status, page := post(t, c, base+to+form.path, form.fields); status != form.status {
			t.Errorf("%s %v: status %d: %s", form.path, form.fields, status, page)
		}
		if _, page := get(t, c, base+to); !strings.Contains(page, form.words) {
			t.Errorf("%s %v: the page lacks %q", form.path, form.fields, form.words)
		}
	}
	written := location(t, c, base+to+"/advise", nil)
	status, page = get(t, c, base+written)
	sound(t, written, "en", status, page)
	if _, page := get(t, c, base+"/rules"); !strings.Contains(page, "our test") {
		t.Error("the exception is not listed")
	}
	if status, _ := post(t, c, base+to+"/delete", nil); status != http.StatusSeeOther {
		t.Errorf("status %d", status)
	}
	if status, _ := get(t, c, base+to); status != http.StatusNotFound {
		t.Errorf("what was deleted is there: %d", status)
	}
	if status, page := post(t, c, base+"/mail", url.Values{"text": {"x"}}); status != http.StatusUnprocessableEntity || missingWords.MatchString(page) {
		t.Errorf("a form without files: status %d", status)
	}
	if resp := upload(t, c, base+"/mail", "file", "big.eml", bytes.Repeat([]byte("x"), 65<<20)); resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("an upload over the limit: status %d", resp.StatusCode)
	}
}

// TestAdvisoryPage goes the way of an advisory: written from a mail, submitted,
// approved by its fingerprint, exported.
func TestAdvisoryPage(t *testing.T) {
	c, r := signedIn(t)
	base := strings.TrimSuffix(r.URL, "/")
	_, list := get(t, c, base+"/news?days=365")
	to := location(t, c, base+first(t, storyPath, list)+"/advise", nil)
	for _, l := range []string{"ja", "en"} {
		post(t, c, base+"/language", url.Values{"language": {l}, "next": {"/"}})
		for _, p := range []string{to, to + "?audience=admin", to + "?audience=manager", "/advisories", "/advisories?state=draft"} {
			status, page := get(t, c, base+p)
			sound(t, p, l, status, page)
		}
	}
	for query, kind := range map[string]string{"form=card&lang=ja": "text/html", "form=eml&audience=staff&lang=ja": "application/octet-stream", "audience=admin&lang=en": "text/plain", "form=page&audience=manager&lang=ja": "text/html"} {
		resp, err := c.Get(base + to + "/draft?" + query)
		if err != nil {
			t.Fatal(err)
		}
		if status, body := read(t, resp); status != http.StatusOK || body == "" || !strings.HasPrefix(resp.Header.Get("Content-Type"), kind) || !strings.HasPrefix(resp.Header.Get("Content-Disposition"), "attachment") {
			t.Errorf("%s: status %d", query, status)
		}
	}
	if status, page := post(t, c, base+to+"/act", url.Values{"act": {"submit"}, "name": {""}}); status != http.StatusUnprocessableEntity || missingWords.MatchString(page) {
		t.Errorf("nobody submits: status %d", status)
	}
	if status, _ := post(t, c, base+to+"/act", url.Values{"act": {"submit"}, "name": {"Sato"}}); status != http.StatusSeeOther {
		t.Fatalf("submit: status %d", status)
	}
	_, page := get(t, c, base+to)
	hash := first(t, fingerprint, page)
	approve := url.Values{"act": {"approve"}, "name": {"Tanaka"}, "hash": {"0123456789ab"}}
	if status, page := post(t, c, base+to+"/act", approve); status < 400 || missingWords.MatchString(page) {
		t.Errorf("another fingerprint: status %d", status)
	}
	approve.Set("hash", hash[:12])
	for _, m := range regexp.MustCompile(`name="ack" value="([A-Z0-9]+)"`).FindAllStringSubmatch(page, -1) {
		approve.Add("ack", m[1])
	}
	if status, page := post(t, c, base+to+"/act", approve); status != http.StatusSeeOther {
		t.Fatalf("approve: status %d: %s", status, page)
	}
	resp, err := c.PostForm(base+to+"/export", url.Values{"name": {"Sato"}, "form": {"md"}, "lang": {"ja"}})
	if err != nil {
		t.Fatal(err)
	}
	if status, body := read(t, resp); status != http.StatusOK || !strings.Contains(body, "Tanaka") || !strings.Contains(resp.Header.Get("Content-Disposition"), "advisory.ja.md") {
		t.Errorf("export: status %d: %s", status, body)
	}
}

// TestFormsOfPages hands in what the other pages take.
func TestFormsOfPages(t *testing.T) {
	c, r := signedIn(t)
	base := strings.TrimSuffix(r.URL, "/")
	if resp := upload(t, c, base+"/news", "file", "a.html", []byte("<html><head><title>Phishing with QR codes</title></head><body><article><h1>Phishing with QR codes</h1><p>On 20 November 2026 attackers sent QR codes to Microsoft 365 users in Japan. More than 300 people received the mail.</p></article></body></html>")); resp.StatusCode != http.StatusSeeOther {
		t.Errorf("an article: status %d", resp.StatusCode)
	}
	if status, page := post(t, c, base+"/domains", url.Values{"domain": {"kiso-works.example"}, "records": {"kiso-works.example TXT \"v=spf1 -all\""}}); status != http.StatusOK || missingWords.MatchString(page) || !strings.Contains(page, "kiso-works.example</h2>") {
		t.Errorf("a domain: status %d: %s", status, missingWords.FindString(page))
	}
	if status, page := post(t, c, base+"/domains", url.Values{"domain": {"..."}}); status >= 500 || missingWords.MatchString(page) {
		t.Errorf("no domain: status %d", status)
	}
	csv := "Device name,OS,OS version,Last check-in\nPC-1,Windows,10.0.26100.1000,2026-11-24 09:00:00\n"
	if resp := upload(t, c, base+"/updates", "file", "devices.csv", []byte(csv)); resp.StatusCode != http.StatusOK {
		t.Errorf("an inventory: status %d", resp.StatusCode)
	}
	to := location(t, c, base+"/digest", url.Values{"month": {"2026-05"}})
	status, page := get(t, c, base+to)
	sound(t, to, "en", status, page)
	if status, page := get(t, c, base+to+"/digest.en.html?show=1"); status != http.StatusOK || !strings.Contains(page, "<html") {
		t.Errorf("an issue: status %d", status)
	}
	if status, _ := get(t, c, base+to+"/..%2f..%2fsekisho.db"); status != http.StatusNotFound {
		t.Errorf("a file that is none: status %d", status)
	}
	if status, page := post(t, c, base+"/digest", url.Values{"month": {"soon"}}); status != http.StatusUnprocessableEntity || missingWords.MatchString(page) {
		t.Errorf("no month: status %d", status)
	}
}

// TestEmptyPages shows a new desk: every page says what it is for.
func TestEmptyPages(t *testing.T) {
	r := start(t, options(t, t.TempDir()))
	c := browser(t)
	setUp(t, c, r.Invite, time.Now)
	for _, p := range []string{"mail", "domains", "news", "advisories", "digest", "updates", "rules"} {
		status, page := get(t, c, r.URL+p)
		sound(t, p, "en", status, page)
		if !slices.ContainsFunc([]string{"Here you see", "rules look at each mail", "What your devices lack"}, func(s string) bool { return strings.Contains(page, s) }) {
			t.Errorf("/%s does not say what it is for", p)
		}
	}
}

// location sends a form and returns where it leads.
func location(t testing.TB, c *http.Client, address string, fields url.Values) string {
	t.Helper()
	resp, err := c.PostForm(address, fields)
	if err != nil {
		t.Fatal(err)
	}
	to := resp.Header.Get("Location")
	if status, page := read(t, resp); status != http.StatusSeeOther || to == "" {
		t.Fatalf("%s: status %d: %s", address, status, page)
	}
	return to
}

// upload sends a form with one file.
func upload(t testing.TB, c *http.Client, address, field, name string, data []byte) *http.Response {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	f, err := w.CreateFormFile(field, name)
	if err == nil {
		_, err = f.Write(data)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Post(address, w.FormDataContentType(), &b)
	if err != nil {
		t.Fatal(err)
	}
	if _, page := read(t, resp); missingWords.MatchString(page) {
		t.Errorf("words are missing: %s", missingWords.FindString(page))
	}
	return resp
}
