package app

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"iter"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/sekisho/sekisho/advisory"
	"github.com/sekisho/sekisho/internal/apiclient"
	"github.com/sekisho/sekisho/internal/cli"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/httpapi"
	"github.com/sekisho/sekisho/internal/intake/mailbox"
	"github.com/sekisho/sekisho/internal/store/sqlite"
	"github.com/sekisho/sekisho/internal/web"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/resolve"
	"github.com/sekisho/sekisho/resolve/zone"
)

// program asks the API with a token.
type program struct {
	h     http.Handler
	token string
}

// newProgram makes a token on a desk and returns who asks with it.
func newProgram(t *testing.T, s *server, h http.Handler, name string, scopes ...desk.Scope) *program {
	t.Helper()
	token, _, err := desk.MakeToken(t.Context(), desk.MakeTokenInput{Name: name, Scopes: scopes, Who: desk.WhoTerminal}, s.tokens)
	if err != nil {
		t.Fatal(err)
	}
	return &program{h, token}
}

func (p *program) ask(method, path, media string, body []byte, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, httpapi.Base+path, bytes.NewReader(body))
	r.Host, r.RemoteAddr = "localhost", "127.0.0.1:50000"
	r.Header.Set("Authorization", "Bearer "+p.token)
	if media != "" {
		r.Header.Set("Content-Type", media)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	p.h.ServeHTTP(w, r)
	return w
}

// record validates an answer against its schema and decodes it.
func record[T any](t *testing.T, w *httptest.ResponseRecorder, status int, name string) (out T) {
	t.Helper()
	if w.Code != status || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("status %d, %s: %.500s", w.Code, w.Header().Get("Content-Type"), w.Body)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	s, err := c.Compile(filepath.Join("..", "..", "docs", "schema", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(w.Body.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	for _, x := range list {
		if err := s.Validate(x); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// apiServer is a desk of the example organisation, with the zone of the examples.
func apiServer(t *testing.T) (*server, http.Handler) {
	t.Helper()
	o := configured(t, t.TempDir(), "../../examples/sekisho.yaml")
	o.Log = &logged{}
	f, err := os.Open("../../examples/dns.zone")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	z, err := zone.Parse(f)
	if err != nil {
		t.Fatal(err)
	}
	o.DNS = func() (resolve.Resolver, bool, error) { return z, true, nil }
	s, err := openServer(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	h, err := s.handler("")
	if err != nil {
		t.Fatal(err)
	}
	return s, h
}

func example(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "examples", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// form writes files as multipart/form-data.
func form(t *testing.T, files map[string][]byte) (media string, body []byte) {
	t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	for name, data := range files {
		w, err := m.CreateFormFile("file", name)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = w.Write(data)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	return m.FormDataContentType(), b.Bytes()
}

func anExample(t *testing.T, dir string) []byte {
	t.Helper()
	list, err := filepath.Glob(filepath.Join("..", "..", "examples", dir, "*.eml"))
	if err != nil || len(list) == 0 {
		t.Fatal("no examples", err)
	}
	b, err := os.ReadFile(list[0])
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestAPIMails follows a mail through the API: judged, kept, found, labelled,
// deleted.
func TestAPIMails(t *testing.T) {
	s, h := apiServer(t)
	p := newProgram(t, s, h, "siem", desk.MailRead, desk.MailWrite, desk.IntakeWrite)
	raw, other := anExample(t, "phish"), anExample(t, "ham")

	verdicts := record[[]desk.Verdict](t, p.ask("POST", "/judge?name=a.eml", "message/rfc822", raw), 200, "verdict.v1")
	if len(verdicts) != 1 || verdicts[0].File != "a.eml" || verdicts[0].Verdict == desk.Clean {
		t.Errorf("%d verdicts: %+v", len(verdicts), verdicts)
	}
	if page := record[httpapi.Mails](t, p.ask("GET", "/mails", "", nil), 200, "mails.v1"); len(page.Mails) != 0 {
		t.Errorf("judging kept %d mails", len(page.Mails))
	}
	media, body := form(t, map[string][]byte{"a.eml": raw, "b.eml": other})
	verdicts = record[[]desk.Verdict](t, p.ask("POST", "/judge?keep=true&redact=true", media, body), 200, "verdict.v1")
	if len(verdicts) != 2 {
		t.Fatalf("%d verdicts", len(verdicts))
	}
	first := record[httpapi.Mails](t, p.ask("GET", "/mails?limit=1", "", nil), 200, "mails.v1")
	second := record[httpapi.Mails](t, p.ask("GET", "/mails?limit=1&after="+first.Next, "", nil), 200, "mails.v1")
	if len(first.Mails) != 1 || len(second.Mails) != 1 || first.Next == "" || second.Next != "" || first.Mails[0].ID == second.Mails[0].ID {
		t.Errorf("pages: %+v %+v", first, second)
	}
	id := string(desk.MailIDOf(raw, nil))
	if record[httpapi.Mail](t, p.ask("GET", "/mails/"+id, "", nil), 200, "mail.v1").Source != desk.SourceAPI {
		t.Error("nobody says how it came")
	}
	record[desk.Verdict](t, p.ask("GET", "/mails/"+id+"/verdict", "", nil), 200, "verdict.v1")
	if w := p.ask("GET", "/mails/"+id+"/raw", "", nil); !bytes.Equal(w.Body.Bytes(), raw) || w.Header().Get("Content-Type") != "message/rfc822" {
		t.Errorf("the bytes are others: status %d, %s", w.Code, w.Header().Get("Content-Type"))
	}
	record[desk.SimilarReport](t, p.ask("GET", "/mails/"+id+"/similar?level=same-sender", "", nil), 200, "similar.v1")
	if m := record[httpapi.Mail](t, p.ask("POST", "/mails/"+id+"/label", "application/json", []byte(`{"label":"phish"}`)), 200, "mail.v1"); m.Label != desk.LabelPhish {
		t.Errorf("the label is %q", m.Label)
	}
	if l := record[httpapi.Mails](t, p.ask("GET", "/mails?label=phish", "", nil), 200, "mails.v1"); len(l.Mails) != 1 || string(l.Mails[0].ID) != id {
		t.Errorf("%+v", l)
	}
	if w := p.ask("DELETE", "/mails/"+id, "", nil); w.Code != http.StatusNoContent || w.Body.Len() > 0 {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
	record[httpapi.Failure](t, p.ask("GET", "/mails/"+id, "", nil), 404, "api-error.v1")
	record[httpapi.Failure](t, p.ask("DELETE", "/mails/"+id, "", nil), 404, "api-error.v1")

	accepted := record[httpapi.Accepted](t, p.ask("POST", "/intake?from=a@sender.test&to=sato@kiso-works.example", "message/rfc822", raw), 202, "accepted.v1")
	state, err := desk.IntakeState(t.Context(), 1, s.intakeDeps())
	if err != nil || state.Waiting != 1 || accepted.ID == desk.MailID(id) { // that has no envelope
		t.Errorf("%+v %v", state, err)
	}
	acts := map[string]bool{}
	for e, err := range s.db.AuditChain(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		acts[e.Who+" "+string(e.Act)] = true
	}
	for _, want := range []string{"terminal token.made", "token:siem mail.kept", "token:siem mail.phish", "token:siem mail.deleted"} {
		if !acts[want] {
			t.Errorf("the audit log has no %s", want)
		}
	}
}

// TestAPIRecords asks for all that can be read and validates it.
func TestAPIRecords(t *testing.T) {
	s, h := apiServer(t)
	p := newProgram(t, s, h, "all", desk.Scopes()...)

	if d := record[desk.DomainReport](t, p.ask("GET", "/domains/kiso-works.example?volume=100", "", nil), 200, "domain.v1"); d.Domain != "kiso-works.example" {
		t.Errorf("the domain is %s", d.Domain)
	}
	files, err := filepath.Glob("../../examples/dmarc/*")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	reports := map[string][]byte{}
	for _, f := range files {
		if reports[filepath.Base(f)], err = os.ReadFile(f); err != nil {
			t.Fatal(err)
		}
	}
	media, body := form(t, reports)
	w := p.ask("POST", "/dmarc/reports", media, body, "Accept", "text/event-stream")
	if w.Code != 200 || w.Header().Get("Content-Type") != "text/event-stream" || !strings.Contains(w.Body.String(), "event: result\ndata: {\"schema\":\"sekisho.dmarc-ingest/v1\"") {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
	if again := record[desk.Ingested](t, p.ask("POST", "/dmarc/reports", media, body), 200, "dmarc-ingest.v1"); again.Reports != 0 || again.Duplicates == 0 {
		t.Errorf("%+v", again)
	}
	if list := record[[]desk.DMARCReport](t, p.ask("GET", "/dmarc/report", "", nil), 200, "dmarc-report.v1"); len(list) == 0 {
		t.Error("no report")
	}
	record[[]desk.DMARCAdvice](t, p.ask("GET", "/dmarc/advice?domain=kiso-works.example&policy=none&people=true", "", nil), 200, "dmarc-advice.v1")

	added, err := desk.AddNews(t.Context(), example(t, "news/conduct-campaign.html"), "conduct-campaign.html", "", "", &desk.NewsDeps{Store: s.db, Sources: s.Config.News, Facts: s.Config.Facts, Now: s.Now})
	if err != nil || len(added.Stories) != 1 {
		t.Fatal(added, err)
	}
	story := added.Stories[0].ID
	if list := record[[]desk.StoryRecord](t, p.ask("GET", "/news?since=2000-01-01", "", nil), 200, "story.v1"); len(list) != 1 {
		t.Errorf("%d stories", len(list))
	}
	record[[]desk.SourceRecord](t, p.ask("GET", "/news/sources", "", nil), 200, "news-source.v1")
	record[desk.StoryDetail](t, p.ask("GET", "/news/"+story, "", nil), 200, "story-detail.v1")
	record[httpapi.Failure](t, p.ask("POST", "/news/pull", "", nil), 503, "api-error.v1") // offline
	if w := p.ask("POST", "/news/pull", "", nil, "Accept", "text/event-stream"); !strings.HasPrefix(w.Body.String(), "event: error\ndata: {\"error\":{\"kind\":\"unavailable\"") {
		t.Errorf("%s", w.Body)
	}

	doc := record[struct{ ID string }](t, p.ask("POST", "/advise", "application/json", []byte(`{"story":"`+story+`"}`)), 200, "advisory.v1")
	text, err := json.Marshal(httpapi.Advise{Text: string(example(t, "news/conduct-campaign.html")), Name: "a.html"})
	if err != nil {
		t.Fatal(err)
	}
	record[struct{}](t, p.ask("POST", "/advise", "application/json", text), 200, "advisory.v1")
	list := record[[]desk.AdvisoryReview](t, p.ask("GET", "/advisories?state=draft", "", nil), 200, "advisory-review.v1")
	if len(list) != 1 || list[0].ID != doc.ID {
		t.Errorf("%+v", list)
	}
	record[desk.AdvisoryReview](t, p.ask("GET", "/advisories/"+doc.ID, "", nil), 200, "advisory-review.v1")
	record[struct{}](t, p.ask("GET", "/advisories/"+doc.ID+"/draft", "", nil), 200, "advisory.v1")
	record[[]desk.StepRecord](t, p.ask("GET", "/advisories/"+doc.ID+"/history", "", nil), 200, "advisory-step.v1")
	for _, format := range []string{"json", "text", "md", "html", "csaf", "eml&audience=staff&language=ja"} {
		if w := p.ask("GET", "/advisories/"+doc.ID+"/export?format="+format, "", nil); w.Code < 400 || w.Code >= 500 || !strings.Contains(w.Body.String(), `"error"`) {
			t.Errorf("a draft leaves as %s: status %d", format, w.Code)
		}
	}
	record[[]desk.DigestSummary](t, p.ask("GET", "/digests", "", nil), 200, "digest-summary.v1")
	record[httpapi.Failure](t, p.ask("GET", "/digests/1", "", nil), 404, "api-error.v1")
	inventories, err := filepath.Glob("../../examples/patch/*.csv")
	if err != nil || len(inventories) == 0 {
		t.Fatal("no inventory", err)
	}
	b, err := os.ReadFile(inventories[0])
	if err != nil {
		t.Fatal(err)
	}
	record[desk.PatchReport](t, p.ask("POST", "/patch/check?name=devices.csv", "text/csv", b), 200, "patch.v1")
	if w := p.ask("GET", "/metrics", "", nil); w.Code != 200 || !strings.Contains(w.Body.String(), "sekisho_build_info") {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
	if w := p.ask("GET", "/openapi.json", "", nil); w.Code != 200 || !json.Valid(w.Body.Bytes()) {
		t.Errorf("status %d", w.Code)
	}
}

// TestAPIRefuses asks what must not be.
func TestAPIRefuses(t *testing.T) {
	s, h := apiServer(t)
	p := newProgram(t, s, h, "all", desk.Scopes()...)
	reader := newProgram(t, s, h, "reader", desk.MailRead)
	raw := anExample(t, "phish")
	for _, tc := range []struct {
		name         string
		by           *program
		method, path string
		media, body  string
		status       int
		kind         desk.ErrorKind
	}{
		{"ScopeOfRoute", reader, "GET", "/news", "", "", 403, desk.Denied},
		{"ScopeOfKeep", reader, "POST", "/judge?keep=true", "message/rfc822", string(raw), 403, desk.Denied},
		{"NoSuchPath", p, "GET", "/nothing", "", "", 404, desk.NotFound},
		{"NoApproval", p, "POST", "/advisories/0123456789abcdef/approve", "", "", 404, desk.NotFound},
		{"UnknownParameter", p, "GET", "/mails?verdct=spam", "", "", 422, desk.Invalid},
		{"WrongWord", p, "GET", "/mails?verdict=evil", "", "", 422, desk.Invalid},
		{"Twice", p, "GET", "/mails?limit=1&limit=2", "", "", 422, desk.Invalid},
		{"WrongNumber", p, "GET", "/mails?limit=501", "", "", 422, desk.Invalid},
		{"WrongDate", p, "GET", "/mails?from=yesterday", "", "", 422, desk.Invalid},
		{"WrongCursor", p, "GET", "/mails?after=x", "", "", 422, desk.Invalid},
		{"EmptyBody", p, "POST", "/judge", "message/rfc822", "", 422, desk.Invalid},
		{"BrokenForm", p, "POST", "/judge", "multipart/form-data; boundary=x", "--x\r\n", 422, desk.Invalid},
		{"NoBoundary", p, "POST", "/judge", "multipart/form-data", "x", 422, desk.Invalid},
		{"WrongJSON", p, "POST", "/mails/x/label", "application/json", `{"label":"phish"`, 422, desk.Invalid},
		{"UnknownKey", p, "POST", "/mails/x/label", "application/json", `{"label":"phish","why":"x"}`, 422, desk.Invalid},
		{"TwoValues", p, "POST", "/mails/x/label", "application/json", `{"label":"phish"}{}`, 422, desk.Invalid},
		{"NoLabel", p, "POST", "/mails/x/label", "application/json", `{}`, 422, desk.Invalid},
		{"WrongLabel", p, "POST", "/mails/x/label", "application/json", `{"label":"odd"}`, 422, desk.Invalid},
		{"LabelOfNothing", p, "POST", "/mails/x/label", "application/json", `{"label":"phish"}`, 404, desk.NotFound},
		{"LargeJSON", p, "POST", "/mails/x/label", "application/json", strings.Repeat(" ", web.DefaultBody+1), 413, desk.Limit},
		{"NoDomain", p, "GET", "/domains/not%20a%20domain", "", "", 422, desk.Invalid},
		{"NoSource", p, "GET", "/news?source=nowhere", "", "", 404, desk.NotFound},
		{"NoStory", p, "GET", "/news/x", "", "", 404, desk.NotFound},
		{"NoAdvisory", p, "GET", "/advisories/x", "", "", 404, desk.NotFound},
		{"AdviseNothing", p, "POST", "/advise", "application/json", `{}`, 422, desk.Invalid},
		{"NoIssue", p, "GET", "/digests/one", "", "", 422, desk.Invalid},
		{"EmptyIntake", p, "POST", "/intake", "message/rfc822", "", 422, desk.Invalid},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := record[httpapi.Failure](t, tc.by.ask(tc.method, tc.path, tc.media, []byte(tc.body)), tc.status, "api-error.v1")
			if f.Error.Kind != tc.kind || f.Error.Message.JA == "" {
				t.Errorf("%+v", f)
			}
		})
	}
	if w := p.ask("POST", "/judge", "message/rfc822", raw, "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.test"); w.Code != 403 || w.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("another site: status %d", w.Code)
	}
	guess := &program{h, desk.TokenPrefix + strings.Repeat("A", 43)}
	var w *httptest.ResponseRecorder
	for range 6 {
		w = guess.ask("GET", "/mails", "", nil)
	}
	if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" {
		t.Errorf("the sixth guess: status %d", w.Code)
	}
	if w := p.ask("GET", "/mails", "", nil); w.Code != 200 {
		t.Errorf("a token that holds, from the same address: status %d", w.Code)
	}
	if err := desk.RevokeToken(t.Context(), "reader", desk.WhoAdmin, s.tokens); err != nil {
		t.Fatal(err)
	}
	if w := reader.ask("GET", "/mails", "", nil); w.Code == 200 {
		t.Error("a revoked token lets in")
	}
	if b := s.Log.(*logged).String(); strings.Contains(b, desk.TokenPrefix) || strings.Contains(b, "verdct") {
		t.Errorf("the log has a token or a query: %s", b)
	}
}

// slowFetcher answers when it is told to stop.
type slowFetcher struct {
	asked chan struct{}
}

func (f *slowFetcher) Get(ctx context.Context, _ string, _ *desk.FetchOptions) (*desk.Fetched, error) {
	select {
	case f.asked <- struct{}{}:
	default:
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestAPIStops pulls news from a server that never answers, and stops the desk.
func TestAPIStops(t *testing.T) {
	f := &slowFetcher{asked: make(chan struct{}, 1)}
	o := options(t, t.TempDir())
	o.Fetch = f
	r := start(t, o)
	token := tokenFor(t, o.DataDir, desk.NewsWrite)
	req, err := http.NewRequest(http.MethodPost, r.URL+"api/v1/news/pull", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Accept", "text/event-stream")
	resp, err := browser(t).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	<-f.asked
	began := time.Now()
	if err := r.stop(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("stopping took %v", took)
	}
	b, err := io.ReadAll(resp.Body)
	if err != nil || !strings.Contains(string(b), "event: result") && !strings.Contains(string(b), "event: error") {
		t.Errorf("%v: %s", err, b)
	}
}

// tokenFor makes a token at the terminal while a desk runs.
func tokenFor(t *testing.T, dir string, scopes ...desk.Scope) string {
	t.Helper()
	var names []string
	for _, s := range scopes {
		names = append(names, string(s))
	}
	out, errs, status := terminal(t, dir, "", "token", "add", "siem", "--scope", strings.Join(names, ","), "--output", "json")
	var rec struct{ Token string }
	if err := json.Unmarshal([]byte(out), &rec); err != nil || status != 0 {
		t.Fatalf("%d %v: %s%s", status, err, out, errs)
	}
	return rec.Token
}

// terminal runs a command on this machine.
func terminal(t *testing.T, dir, token string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	var out, errs bytes.Buffer
	environ := []string{"LANG=en_US.UTF-8"}
	if token != "" {
		environ = append(environ, "SEKISHO_TOKEN="+token)
	}
	status = cli.Main(t.Context(), append(args, "--data", dir), cli.Env{
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Environ: environ, WorkDir: t.TempDir(), Now: time.Now,
		Size: mailbox.Size,
		Walk: func(ctx context.Context, paths []string, stdin io.Reader, o cli.WalkOptions) iter.Seq[desk.Item] {
			return mailbox.Walk(ctx, paths, stdin, &mailbox.Options{MaxMessage: o.MaxMessage, Progress: o.Progress})
		},
		Store: func(ctx context.Context, dir string) (cli.Store, error) {
			return sqlite.Open(ctx, filepath.Join(dir, sqlite.FileName))
		},
		Server: func(address, token string) (cli.Server, error) { return apiclient.New(address, token, "test") },
	})
	return out.String(), errs.String(), status
}

// TestServerElsewhere asks a desk that runs from the command line of a machine
// that has nothing.
func TestServerElsewhere(t *testing.T) {
	o := configured(t, t.TempDir(), "../../examples/sekisho.yaml")
	r := start(t, o)
	token := tokenFor(t, o.DataDir, desk.MailRead, desk.NewsRead, desk.AdvisoryRead, desk.DomainRead)
	db, err := sqlite.Open(t.Context(), filepath.Join(o.DataDir, sqlite.FileName))
	if err != nil {
		t.Fatal(err)
	}
	news := &desk.NewsDeps{Store: db, Sources: o.Config.News, Facts: o.Config.Facts, Now: o.Now}
	added, err := desk.AddNews(t.Context(), example(t, "news/conduct-campaign.html"), "conduct-campaign.html", "", "", news)
	if err != nil {
		t.Fatal(err)
	}
	in, story, err := desk.StoryInput(t.Context(), added.Stories[0].ID, news)
	if err != nil {
		t.Fatal(err)
	}
	doc, _, err := desk.Advise(in, desk.AdviseDeps{Facts: o.Config.Facts, Now: o.Now})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := desk.KeepDraft(t.Context(), &desk.AdvisoryRecord{At: o.Now(), Subject: story.ID, Document: doc}, &desk.ApprovalDeps{Store: db, Audit: db, Now: o.Now}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	empty := t.TempDir()
	mails := filepath.Join("..", "..", "examples", "phish")
	var there []desk.Verdict
	out, errs, status := terminal(t, empty, token, "judge", "--server", r.URL, "--output", "json", mails)
	if err := json.Unmarshal([]byte(out), &there); err != nil || status != 0 {
		t.Fatalf("%d %v: %s", status, err, errs)
	}
	var words, want []string
	for v := range desk.Judge(t.Context(), mailbox.Walk(t.Context(), []string{mails}, nil, nil), desk.JudgeDeps{Facts: o.Config.Facts}) {
		want = append(want, v.File+" "+string(v.Verdict)+" "+v.Row)
	}
	for _, v := range there {
		words = append(words, v.File+" "+string(v.Verdict)+" "+v.Row)
	}
	if diff := cmp.Diff(want, words); diff != "" || len(words) < 3 {
		t.Errorf("here (-) and there (+):\n%s", diff)
	}
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"judge", mails}, "suspicious"},
		{[]string{"news", "list", "--since", "2000-01-01"}, story.ID},
		{[]string{"news", "list", "--since", "2000-01-01", "--output", "json"}, `"id": "` + story.ID + `"`},
		{[]string{"advisory", "list"}, doc.ID},
		{[]string{"advisory", "show", doc.ID}, doc.Drafts[0].Subject},
		{[]string{"advisory", "show", doc.ID, "--draft", "staff.ja"}, doc.Draft(advisory.Staff, lang.JA).Subject},
		{[]string{"domain", "check", "kiso-works.example"}, "kiso-works.example"},
		{[]string{"domain", "check", "kiso-works.example", "--output", "json"}, `"schema": "sekisho.domain/v1"`},
	} {
		if out, errs, status := terminal(t, empty, token, append(tc.args, "--server", r.URL)...); status != 0 || !strings.Contains(out, tc.want) || out == "" {
			t.Errorf("%v: %d %s%s", tc.args, status, out, errs)
		}
	}
	if list, err := os.ReadDir(empty); err != nil || len(list) > 0 {
		t.Errorf("something was kept here: %v %v", list, err)
	}
	for _, tc := range []struct {
		token string
		args  []string
		want  string
	}{
		{"", []string{"judge", mails, "--server", r.URL}, "SEKISHO_TOKEN has no token"},
		{"sekisho_no", []string{"judge", mails, "--server", r.URL}, "the token is missing, wrong, expired or revoked"},
		{token, []string{"judge", mails, "--server", "http://desk.kiso-works.example/"}, "without TLS"},
		{token, []string{"judge", mails, "--server", "desk"}, "not the address of a server"},
		{token, []string{"judge", mails, "--server", r.URL, "--rules", "x"}, "--rules works on this machine only"},
		{token, []string{"judge", mails, "--server", r.URL, "--offline"}, "exclude each other"},
		{token, []string{"news", "pull", "--server", r.URL}, "news pull works on this machine"},
		{token, []string{"version", "--server", r.URL}, "version works on this machine"},
		{token, []string{"advisory", "show", "0123456789abcdef", "--server", r.URL}, "no advisory"},
	} {
		if out, errs, status := terminal(t, empty, tc.token, tc.args...); status != 2 || !strings.Contains(errs, tc.want) || out != "" {
			t.Errorf("%v: %d %s%s", tc.args, status, out, errs)
		}
	}
}

// TestTokenPage makes and revokes a token in the console.
func TestTokenPage(t *testing.T) {
	r := start(t, demoOptions(t))
	c := browser(t)
	resp, err := c.Get(r.Demo)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = read(t, resp)
	values := map[string][]string{"name": {"SIEM"}, "scopes": {"mail:read"}, "for": {"90"}}
	if status, page := post(t, c, r.URL+"settings/tokens", values); status != 422 || !strings.Contains(page, `value="mail:read" checked`) || !strings.Contains(page, `value="SIEM"`) {
		t.Errorf("a wrong name: status %d", status)
	}
	values["name"], values["scopes"] = []string{"siem"}, nil
	if status, page := post(t, c, r.URL+"settings/tokens", values); status != 422 || !strings.Contains(page, "at least one scope") {
		t.Errorf("no scope: status %d", status)
	}
	values["scopes"] = []string{"mail:read", "metrics"}
	status, page := post(t, c, r.URL+"settings/tokens", values)
	_, token, found := strings.Cut(page, desk.TokenPrefix)
	if status != 200 || !found {
		t.Fatalf("status %d: %s", status, page)
	}
	token = desk.TokenPrefix + token[:43]
	asked := func() int {
		req, err := http.NewRequest(http.MethodGet, r.URL+"api/v1/mails", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := browser(t).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		status, _ := read(t, resp)
		return status
	}
	if status := asked(); status != 200 {
		t.Errorf("with the token: status %d", status)
	}
	resp, err = c.Get(r.URL + "settings")
	if err != nil {
		t.Fatal(err)
	}
	if _, page := read(t, resp); strings.Contains(page, token) || !strings.Contains(page, "<code>siem</code>") {
		t.Error("the page shows the token again, or not its name")
	}
	if status, _ := post(t, c, r.URL+"settings/tokens/siem/revoke", nil); status != http.StatusSeeOther {
		t.Errorf("status %d", status)
	}
	if status := asked(); status != 401 {
		t.Errorf("after the end: status %d", status)
	}
}
