package desk_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/org"
)

var cmpPrefix = cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })

var noon = time.Date(2026, 5, 29, 12, 0, 0, 500, time.UTC)

// memory is an ExceptionStore for tests.
type memory []desk.Exception

func (m *memory) List(context.Context) ([]desk.Exception, error) { return slices.Clone(*m), nil }

func (m *memory) Add(_ context.Context, e desk.Exception) error {
	if slices.ContainsFunc(*m, func(o desk.Exception) bool { return o.ID == e.ID }) {
		return desk.ErrExceptionExists
	}
	*m = append(*m, e)
	return nil
}

func (m *memory) Remove(_ context.Context, id string) error {
	n := len(*m)
	*m = slices.DeleteFunc(*m, func(o desk.Exception) bool { return o.ID == id })
	if len(*m) == n {
		return desk.ErrNoException
	}
	return nil
}

func allowDeps(m *memory, now time.Time) desk.AllowDeps {
	return desk.AllowDeps{
		Store: m, Now: func() time.Time { return now },
		Facts: org.Facts{Domains: org.Of([]string{"kiso-works.example"})},
	}
}

// message returns what the user reads, in English.
func message(t *testing.T, err error) (desk.ErrorKind, string) {
	t.Helper()
	if err == nil {
		return "", ""
	}
	e, ok := errors.AsType[*desk.Error](err)
	if !ok {
		t.Fatalf("got %v, want a desk.Error", err)
	}
	return e.Kind, lang.Default().Say(lang.EN, e.Message)
}

func scanner() desk.AllowAddInput {
	return desk.AllowAddInput{From: "Scanner@Kiso-Works.example", IP: "198.51.100.10", Owner: " 佐藤 ", Reason: "複合機"}
}

func TestAllowAdd(t *testing.T) {
	var m memory
	out, err := desk.AllowAdd(t.Context(), scanner(), allowDeps(&m, noon))
	if err != nil {
		t.Fatal(err)
	}
	want := desk.Exception{
		ID: out.Exception.ID, From: "scanner@kiso-works.example", IP: netip.MustParsePrefix("198.51.100.10/32"),
		Owner: "佐藤", Reason: "複合機",
		Created: time.Date(2026, 5, 29, 12, 0, 0, 0, time.UTC), Expires: time.Date(2026, 8, 27, 12, 0, 0, 0, time.UTC),
	}
	if diff := cmp.Diff(want, out.Exception, cmpPrefix); diff != "" {
		t.Error(diff)
	}
	if len(out.Cautions) != 0 {
		t.Errorf("cautions: %v", out.Cautions)
	}
	if diff := cmp.Diff([]desk.Exception{want}, []desk.Exception(m), cmpPrefix); diff != "" {
		t.Error(diff)
	}
	if !strings.HasPrefix(want.ID, "ex-") || len(want.ID) != 11 {
		t.Errorf("ID %q", want.ID)
	}
}

func TestAllowAddTwice(t *testing.T) {
	var m memory
	first, err := desk.AllowAdd(t.Context(), scanner(), allowDeps(&m, noon))
	if err != nil {
		t.Fatal(err)
	}
	again := scanner()
	again.From, again.IP, again.Reason = "scanner@kiso-works.example.", "198.51.100.10/32", "another reason"
	_, err = desk.AllowAdd(t.Context(), again, allowDeps(&m, noon.Add(time.Hour)))
	kind, text := message(t, err)
	if kind != desk.Conflict || text != "the exception "+first.Exception.ID+" covers the same mail and holds until Thursday, 27 August 2026" {
		t.Errorf("%s: %s", kind, text)
	}
	late := first.Exception.Expires
	out, err := desk.AllowAdd(t.Context(), again, allowDeps(&m, late))
	if err != nil {
		t.Fatalf("renewing one that has ended: %v", err)
	}
	if len(m) != 1 || out.Exception.ID != first.Exception.ID || !m[0].Active(late) || m[0].Reason != "another reason" {
		t.Errorf("kept %+v", m)
	}
}

func TestAllowAddCautions(t *testing.T) {
	var m memory
	out, err := desk.AllowAdd(t.Context(), desk.AllowAddInput{From: "survey.example", Owner: "佐藤", Reason: "survey"}, allowDeps(&m, noon))
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Cautions) != 1 || out.Cautions[0].Key != "allow.caution.from-only" {
		t.Errorf("cautions: %v", out.Cautions)
	}
}

func TestAllowAddRefuses(t *testing.T) {
	edit := func(f func(*desk.AllowAddInput)) desk.AllowAddInput {
		in := scanner()
		f(&in)
		return in
	}
	only := func(f func(*desk.AllowAddInput)) desk.AllowAddInput {
		in := desk.AllowAddInput{Owner: "佐藤", Reason: "x"}
		f(&in)
		return in
	}
	for _, tc := range []struct {
		name string
		in   desk.AllowAddInput
		want string
	}{
		{"NoCondition", only(func(in *desk.AllowAddInput) { in.Kind = "mail.direct-send-spoof" }), "an exception needs a sender: from, ip or dkim"},
		{"NoOwner", edit(func(in *desk.AllowAddInput) { in.Owner = " " }), "an exception needs an owner, in one line of up to 100 characters"},
		{"NoReason", edit(func(in *desk.AllowAddInput) { in.Reason = "" }), "an exception needs a reason, in one line of up to 500 characters"},
		{"ReasonTwoLines", edit(func(in *desk.AllowAddInput) { in.Reason = "a\nb" }), "an exception needs a reason, in one line of up to 500 characters"},
		{"ReasonLong", edit(func(in *desk.AllowAddInput) { in.Reason = strings.Repeat("あ", 501) }), "an exception needs a reason, in one line of up to 500 characters"},
		{"FromNoDomain", edit(func(in *desk.AllowAddInput) { in.From = "scanner" }), `"scanner" is neither a mail address nor a domain`},
		{"FromDisplayName", edit(func(in *desk.AllowAddInput) { in.From = "Sato <sato@kiso-works.example" }), `"sato <sato@kiso-works.example" is neither a mail address nor a domain`},
		{"FromPublicSuffix", only(func(in *desk.AllowAddInput) { in.From = "co.jp" }), "co.jp is used by many people and organisations; an exception for all of it would let every one of them in"},
		{"FromTenantSuffix", only(func(in *desk.AllowAddInput) { in.From = "onmicrosoft.com" }), "onmicrosoft.com is used by many people and organisations; an exception for all of it would let every one of them in"},
		{"FromFreeMail", edit(func(in *desk.AllowAddInput) { in.From = "Outlook.com" }), "outlook.com is used by many people and organisations; an exception for all of it would let every one of them in"},
		{"FromOwnDomainAlone", only(func(in *desk.AllowAddInput) { in.From = "scanner@mail.kiso-works.example" }), "kiso-works.example is your own domain; From alone would let in everybody who forges it"},
		{"IPNoAddress", only(func(in *desk.AllowAddInput) { in.IP = "192.0.2.300" }), `"192.0.2.300" is neither an IP address nor a network`},
		{"IPZone", only(func(in *desk.AllowAddInput) { in.IP = "fe80::1%eth0" }), `"fe80::1%eth0" is neither an IP address nor a network`},
		{"IPWide", only(func(in *desk.AllowAddInput) { in.IP = "192.0.2.0/23" }), "192.0.2.0/23 is too wide to be trusted by itself; up to /24 is possible"},
		{"IPv6Wide", only(func(in *desk.AllowAddInput) { in.IP = "2001:db8::/47" }), "2001:db8::/47 is too wide to be trusted by itself; up to /48 is possible"},
		{"MappedWide", only(func(in *desk.AllowAddInput) { in.IP = "::ffff:192.0.2.0/100" }), "192.0.0.0/4 is too wide to be trusted by itself; up to /24 is possible"},
		{"DKIMNoDomain", only(func(in *desk.AllowAddInput) { in.DKIM = "a b" }), `"a b" is not a domain`},
		{"DKIMFreeMail", only(func(in *desk.AllowAddInput) { in.DKIM = "gmail.com" }), "gmail.com signs the mail of everybody who has a mailbox there"},
		{"DKIMFreeMailAndDomain", only(func(in *desk.AllowAddInput) { in.DKIM, in.From = "gmail.com", "survey.example" }), "gmail.com signs the mail of everybody who has a mailbox there"},
		{"Kind", edit(func(in *desk.AllowAddInput) { in.Kind = "spoof" }), `"spoof" is not a kind of finding`},
		{"KindCharacters", edit(func(in *desk.AllowAddInput) { in.Kind = "mail.X" }), `"mail.X" is not a kind of finding`},
		{"Past", edit(func(in *desk.AllowAddInput) { in.Expires = noon }), "the end of the exception is not in the future"},
		{"TooLong", edit(func(in *desk.AllowAddInput) { in.Expires = noon.AddDate(0, 0, 367) }), "an exception lasts 366 days at most"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var m memory
			_, err := desk.AllowAdd(t.Context(), tc.in, allowDeps(&m, noon))
			kind, text := message(t, err)
			if diff := cmp.Diff(tc.want, text); diff != "" {
				t.Error(diff)
			}
			if kind != desk.Invalid || len(m) != 0 {
				t.Errorf("kind %q, kept %d", kind, len(m))
			}
		})
	}
}

func TestAllowAddAccepts(t *testing.T) {
	for _, tc := range []struct {
		name string
		in   desk.AllowAddInput
	}{
		{"IPAlone", desk.AllowAddInput{IP: "192.0.2.0/24"}},
		{"IPv6Alone", desk.AllowAddInput{IP: "2001:db8::/48"}},
		{"WideIPWithDKIM", desk.AllowAddInput{IP: "192.0.2.0/16", DKIM: "survey.example"}},
		{"DKIMAlone", desk.AllowAddInput{DKIM: "Survey.example"}},
		{"FreeMailAddress", desk.AllowAddInput{From: "kiso.partner@gmail.com", DKIM: "gmail.com"}},
		{"OwnDomainProven", desk.AllowAddInput{From: "kiso-works.example", DKIM: "survey.example"}},
		{"International", desk.AllowAddInput{From: "木曽.example"}},
		{"DomainWithAt", desk.AllowAddInput{From: "@survey.example"}},
		{"LongestTime", desk.AllowAddInput{DKIM: "survey.example", Expires: noon.AddDate(0, 0, 366)}},
		{"Kind", desk.AllowAddInput{DKIM: "survey.example", Kind: "mail.direct-send-spoof"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var m memory
			tc.in.Owner, tc.in.Reason = "佐藤", "x"
			if err := tc.in.Validate(); err != nil {
				t.Fatal(err)
			}
			out, err := desk.AllowAdd(t.Context(), tc.in, allowDeps(&m, noon))
			if err != nil {
				t.Fatal(err)
			}
			if err := out.Exception.Validate(); err != nil {
				t.Errorf("kept one that does not hold: %v", err)
			}
		})
	}
}

func TestExceptionMatches(t *testing.T) {
	ip := netip.MustParseAddr("198.51.100.10")
	for _, tc := range []struct {
		name  string
		e     desk.Exception
		claim desk.Claim
		want  bool
	}{
		{"NoCondition", desk.Exception{}, desk.Claim{From: "a@survey.example"}, false},
		{"KindIsNoCondition", desk.Exception{Kind: "mail.x"}, desk.Claim{Kind: "mail.x"}, false},
		{"Domain", desk.Exception{From: "survey.example"}, desk.Claim{From: "a@Survey.example."}, true},
		{"SubDomain", desk.Exception{From: "survey.example"}, desk.Claim{From: "a@mail.survey.example"}, true},
		{"NotASubDomain", desk.Exception{From: "survey.example"}, desk.Claim{From: "a@evilsurvey.example"}, false},
		{"DomainInLocalPart", desk.Exception{From: "survey.example"}, desk.Claim{From: "survey.example@evil.test"}, false},
		{"TwoAts", desk.Exception{From: "survey.example"}, desk.Claim{From: "a@survey.example@evil.test"}, false},
		{"International", desk.Exception{From: "xn--wovqd.example"}, desk.Claim{From: "a@木曽.example"}, true},
		{"Address", desk.Exception{From: "a@survey.example"}, desk.Claim{From: "A@survey.example"}, true},
		{"OtherAddress", desk.Exception{From: "a@survey.example"}, desk.Claim{From: "b@survey.example"}, false},
		{"AddressNoSubDomain", desk.Exception{From: "a@survey.example"}, desk.Claim{From: "a@x.survey.example"}, false},
		{"NoFrom", desk.Exception{From: "survey.example"}, desk.Claim{}, false},
		{"IP", desk.Exception{IP: netip.MustParsePrefix("198.51.100.0/24")}, desk.Claim{IP: ip}, true},
		{"IPMapped", desk.Exception{IP: netip.MustParsePrefix("198.51.100.0/24")}, desk.Claim{IP: netip.MustParseAddr("::ffff:198.51.100.10")}, true},
		{"IPZone", desk.Exception{IP: netip.MustParsePrefix("2001:db8::/48")}, desk.Claim{IP: netip.MustParseAddr("2001:db8::1%eth0")}, true},
		{"OtherIP", desk.Exception{IP: netip.MustParsePrefix("198.51.100.11/32")}, desk.Claim{IP: ip}, false},
		{"UnknownIP", desk.Exception{IP: netip.MustParsePrefix("198.51.100.10/32")}, desk.Claim{}, false},
		{"DKIM", desk.Exception{DKIM: "survey.example"}, desk.Claim{DKIM: []string{"other.example", "SURVEY.example"}}, true},
		{"DKIMSubDomain", desk.Exception{DKIM: "survey.example"}, desk.Claim{DKIM: []string{"x.survey.example"}}, false},
		{"All", desk.Exception{From: "survey.example", IP: netip.MustParsePrefix("198.51.100.10/32"), DKIM: "survey.example", Kind: "mail.x"}, desk.Claim{From: "a@survey.example", IP: ip, DKIM: []string{"survey.example"}, Kind: "mail.x"}, true},
		{"AllButIP", desk.Exception{From: "survey.example", IP: netip.MustParsePrefix("198.51.100.11/32"), DKIM: "survey.example"}, desk.Claim{From: "a@survey.example", IP: ip, DKIM: []string{"survey.example"}}, false},
		{"OtherKind", desk.Exception{From: "survey.example", Kind: "mail.x"}, desk.Claim{From: "a@survey.example", Kind: "mail.y"}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := tc.e.Matches(tc.claim); got != tc.want {
				t.Errorf("got %t", got)
			}
		})
	}
}

// TestExceptionValidate tries what only an edited file can hold.
func TestExceptionValidate(t *testing.T) {
	good := desk.Exception{ID: "ex-1", From: "survey.example", Owner: "佐藤", Reason: "x", Created: noon, Expires: noon.AddDate(0, 0, 1)}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		edit func(*desk.Exception)
		want string
	}{
		{"NoID", func(e *desk.Exception) { e.ID = "" }, "an exception needs its ID"},
		{"NoEnd", func(e *desk.Exception) { e.Expires = time.Time{} }, "an exception needs the dates created and expires"},
		{"NoStart", func(e *desk.Exception) { e.Created = time.Time{} }, "an exception needs the dates created and expires"},
		{"EndsBefore", func(e *desk.Exception) { e.Expires = e.Created }, "the exception ends before it begins"},
		{"TooLong", func(e *desk.Exception) { e.Expires = e.Created.AddDate(2, 0, 0) }, "an exception lasts 366 days at most"},
		{"UpperCase", func(e *desk.Exception) { e.From = "Survey.example" }, `"Survey.example" is neither a mail address nor a domain`},
		{"AtOnly", func(e *desk.Exception) { e.From = "@survey.example" }, `"@survey.example" is neither a mail address nor a domain`},
		{"HostBits", func(e *desk.Exception) { e.IP = netip.MustParsePrefix("192.0.2.1/24") }, "192.0.2.1/24 is neither an IP address nor a network"},
		{"Mapped", func(e *desk.Exception) { e.IP = netip.MustParsePrefix("::ffff:192.0.2.1/128") }, "::ffff:192.0.2.1/128 is neither an IP address nor a network"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := good
			tc.edit(&e)
			kind, text := message(t, e.Validate())
			if kind != desk.Invalid || text != tc.want {
				t.Errorf("%s: %s", kind, text)
			}
		})
	}
}

func TestExceptionActive(t *testing.T) {
	e := desk.Exception{Created: noon, Expires: noon.Add(time.Hour)}
	for _, tc := range []struct {
		name string
		at   time.Time
		want bool
	}{
		{"Before", noon.Add(-1), false},
		{"First", noon, true},
		{"Last", noon.Add(time.Hour - 1), true},
		{"End", noon.Add(time.Hour), false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := e.Active(tc.at); got != tc.want {
				t.Errorf("got %t", got)
			}
		})
	}
}

func TestExceptionJSON(t *testing.T) {
	b, err := json.Marshal(desk.Exception{ID: "ex-1", DKIM: "survey.example", Owner: "o", Reason: "r", Created: noon.Truncate(time.Second), Expires: noon.Truncate(time.Second)})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"id":"ex-1","dkim":"survey.example","owner":"o","reason":"r","created":"2026-05-29T12:00:00Z","expires":"2026-05-29T12:00:00Z"}`
	if diff := cmp.Diff(want, string(b)); diff != "" {
		t.Error(diff)
	}
}

func TestAllowListAndRemove(t *testing.T) {
	m := memory{
		{ID: "ex-b", DKIM: "b.example", Created: noon, Expires: noon.AddDate(0, 0, 30)},
		{ID: "ex-old", DKIM: "c.example", Created: noon.AddDate(0, 0, -90), Expires: noon},
		{ID: "ex-a", DKIM: "a.example", Created: noon, Expires: noon.AddDate(0, 0, 10)},
	}
	list := func(in desk.AllowListInput) (ids []string, ended int) {
		t.Helper()
		out, err := desk.AllowList(t.Context(), in, allowDeps(&m, noon))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range out.Exceptions {
			ids = append(ids, e.ID)
		}
		return ids, out.Ended
	}
	ids, ended := list(desk.AllowListInput{})
	if diff := cmp.Diff([]string{"ex-a", "ex-b"}, ids); diff != "" || ended != 1 {
		t.Errorf("ended %d, %s", ended, diff)
	}
	ids, ended = list(desk.AllowListInput{Ended: true})
	if diff := cmp.Diff([]string{"ex-old", "ex-a", "ex-b"}, ids); diff != "" || ended != 1 {
		t.Errorf("ended %d, %s", ended, diff)
	}

	out, err := desk.AllowRemove(t.Context(), desk.AllowRemoveInput{ID: "ex-b "}, allowDeps(&m, noon))
	if err != nil || out.Exception.DKIM != "b.example" {
		t.Fatalf("removed %+v, %v", out, err)
	}
	_, err = desk.AllowRemove(t.Context(), desk.AllowRemoveInput{ID: "ex-b"}, allowDeps(&m, noon))
	if kind, text := message(t, err); kind != desk.NotFound || text != `there is no exception "ex-b"` {
		t.Errorf("%s: %s", kind, text)
	}
	_, err = desk.AllowRemove(t.Context(), desk.AllowRemoveInput{}, allowDeps(&m, noon))
	if kind, _ := message(t, err); kind != desk.Invalid {
		t.Errorf("without an ID: %s", kind)
	}
}
