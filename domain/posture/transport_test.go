package posture_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/domain/posture"
)

// site answers from memory.
type site map[string]posture.Fetched

func (s site) Get(_ context.Context, url string, maxBytes int64) (posture.Fetched, error) {
	f, ok := s[url]
	if !ok || int64(len(f.Body)) > maxBytes {
		return posture.Fetched{}, errors.New("no such host")
	}
	return f, nil
}

const stsZone = "x.example. IN MX 10 mx1.x.example.\nx.example. IN MX 20 mx2.x.example.\nmx1.x.example. IN A 192.0.2.1\nmx2.x.example. IN A 192.0.2.2\n_mta-sts.x.example. IN TXT \"v=STSv1; id=1\"\n"

func TestSTSPolicy(t *testing.T) {
	const url = "https://mta-sts.x.example/.well-known/mta-sts.txt"
	page := func(status int, kind, body string) posture.Fetched {
		return posture.Fetched{Status: status, ContentType: kind, Body: []byte(body)}
	}
	for _, tc := range []struct {
		name string
		site site
		want string
	}{
		{"Good", site{url: page(200, "text/plain; charset=utf-8", "version: STSv1\r\nmode: enforce\r\nmx: *.x.example\r\nmax_age: 604800\r\n")}, ""},
		{"Names", site{url: page(200, "text/plain", "version: STSv1\nmode: enforce\nmx: mx1.x.example\nmx: MX2.x.example\nmax_age: 604800")}, ""},
		{"Uncovered", site{url: page(200, "text/plain", "version: STSv1\nmode: enforce\nmx: mx1.x.example\nmax_age: 604800")}, "mta-sts.uncovered"},
		{"WildcardIsOneLabel", site{url: page(200, "text/plain", "version: STSv1\nmode: enforce\nmx: *.example\nmax_age: 604800")}, "mta-sts.uncovered"},
		{"Testing", site{url: page(200, "text/plain", "version: STSv1\nmode: testing\nmx: *.x.example\nmax_age: 604800")}, "mta-sts.testing"},
		{"Off", site{url: page(200, "text/plain", "version: STSv1\nmode: none\nmax_age: 604800")}, "mta-sts.off"},
		{"Short", site{url: page(200, "text/plain", "version: STSv1\nmode: enforce\nmx: *.x.example\nmax_age: 60")}, "mta-sts.short"},
		{"Kind", site{url: page(200, "text/html", "version: STSv1\nmode: enforce\nmx: *.x.example\nmax_age: 604800")}, "mta-sts.content-type"},
		{"Empty", site{url: page(200, "text/plain", "")}, "mta-sts.policy mta-sts.policy mta-sts.policy mta-sts.policy mta-sts.uncovered"},
		{"Age", site{url: page(200, "text/plain", "version: STSv1\nmode: enforce\nmx: *.x.example\nmax_age: 31557601")}, "mta-sts.policy"},
		{"Moved", site{url: page(302, "", "")}, "mta-sts.status"},
		{"Gone", site{url: page(404, "", "")}, "mta-sts.status"},
		{"Dead", site{}, "mta-sts.unreachable"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rep := check(t, parse(t, stsZone), "x.example", &posture.Options{Fetch: tc.site})
			var got []string
			for _, f := range rep.Faults {
				if f.Area == posture.AreaMTASTS {
					got = append(got, f.Code)
				}
			}
			slices.Sort(got)
			if diff := cmp.Diff(tc.want, strings.Join(got, " ")); diff != "" {
				t.Error(diff)
			}
		})
	}
	rep := check(t, parse(t, stsZone), "x.example", nil)
	if rep.MTASTS.Fetch != posture.NotAsked || !slices.ContainsFunc(rep.Unchecked, func(n posture.Need) bool { return n.Name == url }) {
		t.Errorf("nothing says that the policy was not fetched: %+v", rep.Unchecked)
	}
}

func FuzzParseSTSPolicy(f *testing.F) {
	for _, s := range []string{"version: STSv1\nmode: enforce\nmx: *.x.example\nmax_age: 604800", "mode:none", ":\n::", "max_age: -1", "mx:\r\nmx:", "version"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p := posture.ParseSTSPolicy(s)
		if len(p.MX) > 100 || p.MaxAge < 0 || p.MaxAge > 31557600 {
			t.Errorf("%+v", p)
		}
		if len(p.Errors) == 0 && (p.Version != "STSv1" || len(p.MX) == 0 && p.Mode != "none") {
			t.Errorf("%+v", p)
		}
	})
}

const goodLogo = `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" version="1.2" baseProfile="tiny-ps" viewBox="0 0 64 64"><title>Kiso</title><circle cx="32" cy="32" r="30"/></svg>`

func TestLogo(t *testing.T) {
	for _, tc := range []struct{ name, svg, want string }{
		{"Good", goodLogo, ""},
		{"Profile", strings.Replace(goodLogo, "tiny-ps", "tiny", 1), "profile"},
		{"Version", strings.Replace(goodLogo, `version="1.2"`, `version="1.1"`, 1), "version"},
		{"Title", strings.Replace(goodLogo, "<title>Kiso</title>", "", 1), "title"},
		{"Script", strings.Replace(goodLogo, "<circle", "<script/><circle", 1), "script"},
		{"Handler", strings.Replace(goodLogo, "<circle", `<circle onclick="x"`, 1), "script"},
		{"External", strings.Replace(goodLogo, "<circle", `<use href="https://x.test/a"/><circle`, 1), "external"},
		{"Fragment", strings.Replace(goodLogo, "<circle", `<use href="#a"/><circle`, 1), ""},
		{"Wide", strings.Replace(goodLogo, "0 0 64 64", "0 0 128 64", 1), "square"},
		{"Large", strings.Replace(goodLogo, "</svg>", strings.Repeat("<g/>", 20_000)+"</svg>", 1), "large"},
		{"HTML", "<html><svg/></html>", "not-svg"},
		{"Nothing", "", "not-svg"},
		{"Binary", "\x89PNG\r\n", "not-svg"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, strings.Join(posture.CheckLogo([]byte(tc.svg)), " ")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzCheckLogo(f *testing.F) {
	f.Add([]byte(goodLogo))
	f.Add([]byte("<svg viewBox='a b c d'><svg>"))
	f.Add([]byte("<!DOCTYPE svg [<!ENTITY a 'b'>]><svg>&a;</svg>"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(posture.CheckLogo(b)) == 0 && !bytes.Contains(b, []byte("tiny-ps")) {
			t.Error("a logo without its profile")
		}
	})
}

// certificate writes one for a logo, with a key that repeats.
func certificate(t *testing.T, name string, usage asn1.ObjectIdentifier, until time.Time) []byte {
	t.Helper()
	seed := make([]byte, ed25519.SeedSize)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range seed {
		seed[i] = byte(r.Uint32())
	}
	key := ed25519.NewKeyFromSeed(seed)
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Kiso"}, DNSNames: []string{name},
		NotBefore: until.AddDate(-1, 0, 0), NotAfter: until, UnknownExtKeyUsage: []asn1.ObjectIdentifier{usage},
	}
	der, err := x509.CreateCertificate(nil, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func TestBIMIFiles(t *testing.T) {
	const logo, mark = "https://x.example/l.svg", "https://x.example/m.pem"
	zoneText := "x.example. IN A 192.0.2.1\n_dmarc.x.example. IN TXT \"v=DMARC1; p=reject\"\ndefault._bimi.x.example. IN TXT \"v=BIMI1; l=" + logo + "; a=" + mark + "\"\n"
	usage := asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 31}
	now := time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)
	svg := posture.Fetched{Status: 200, Body: []byte(goodLogo)}
	for _, tc := range []struct {
		name string
		cert []byte
		svg  posture.Fetched
		want string
	}{
		{"Good", certificate(t, "x.example", usage, now.AddDate(0, 6, 0)), svg, ""},
		{"Expired", certificate(t, "x.example", usage, now.AddDate(0, -1, 0)), svg, "bimi.certificate/expired"},
		{"Early", certificate(t, "x.example", usage, now.AddDate(2, 0, 0)), svg, "bimi.certificate/early"},
		{"OtherName", certificate(t, "y.example", usage, now.AddDate(0, 6, 0)), svg, "bimi.certificate/name"},
		{"OtherUsage", certificate(t, "x.example", asn1.ObjectIdentifier{1, 2, 3}, now.AddDate(0, 6, 0)), svg, "bimi.certificate/usage"},
		{"NoPEM", []byte("hello"), svg, "bimi.certificate/pem"},
		{"NoCertificate", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")}), svg, "bimi.certificate/certificate"},
		{"NoLogo", certificate(t, "x.example", usage, now.AddDate(0, 6, 0)), posture.Fetched{Status: 404}, "bimi.unreachable/"},
		{"BadLogo", certificate(t, "x.example", usage, now.AddDate(0, 6, 0)), posture.Fetched{Status: 200, Body: []byte("x")}, "bimi.logo/not-svg"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rep := check(t, parse(t, zoneText), "x.example", &posture.Options{Now: now, Fetch: site{logo: tc.svg, mark: {Status: 200, Body: tc.cert}}})
			var got []string
			for _, f := range rep.Faults {
				if f.Area == posture.AreaBIMI {
					got = append(got, f.Code+"/"+f.Quote)
				}
			}
			if diff := cmp.Diff(tc.want, strings.Join(got, " ")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestBIMIOfTheOrganization takes the record of the domain above.
func TestBIMIOfTheOrganization(t *testing.T) {
	z := parse(t, "_dmarc.x.example. IN TXT \"v=DMARC1; p=reject\"\ndefault._bimi.x.example. IN TXT \"v=BIMI1; l=https://x.example/l.svg\"\n")
	if rep := check(t, z, "news.x.example", nil); rep.BIMI.State != posture.Present || rep.BIMI.Logo != "https://x.example/l.svg" {
		t.Errorf("%+v", rep.BIMI)
	}
}
