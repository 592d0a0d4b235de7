package link

import (
	"slices"
	"strings"
	"sync"

	"github.com/sekisho/sekisho/domain"
)

// Rewriter names a service whose links lead somewhere else than their host.
// Where others have a name for it already, in the MQL data model, it is theirs.
type Rewriter string

// The rewriters of mail security services.
const (
	SafeLinks  Rewriter = "azure_safelink" // Microsoft Defender for Office 365
	Proofpoint Rewriter = "proofpoint"
	Mimecast   Rewriter = "mimecast"
	Barracuda  Rewriter = "barracuda"
	Cisco      Rewriter = "cisco"
	TrendMicro Rewriter = "trend_micro"
	Symantec   Rewriter = "symantec"
	Sophos     Rewriter = "sophos"
	FireEye    Rewriter = "fireeye"
	Checkpoint Rewriter = "checkpoint"
	FortiMail  Rewriter = "fortimail"
	Cloudflare Rewriter = "cloudflare"
	EdgePilot  Rewriter = "edgepilot"
	Hornet     Rewriter = "hornetsecurity"
	Inky       Rewriter = "inky"
)

// The redirects of large sites, which name the target in a parameter.
const (
	Google      Rewriter = "google_open_redirect"
	GoogleAMP   Rewriter = "google_amp"
	GoogleAds   Rewriter = "google_adservices"
	DoubleClick Rewriter = "doubleclick"
	Bing        Rewriter = "bing_open_redirect"
	LinkedIn    Rewriter = "linkedin"
	Facebook    Rewriter = "facebook"
	Instagram   Rewriter = "instagram"
	YouTube     Rewriter = "youtube"
	Yahoo       Rewriter = "yahoo"
	HrefLi      Rewriter = "href_li"
	Deref       Rewriter = "deref_mail"
	Slack       Rewriter = "slack"
	Steam       Rewriter = "steam"
	VK          Rewriter = "vk"
	Mailru      Rewriter = "mail_ru"
)

// The trackers of delivery services.
const (
	AmazonSES  Rewriter = "aws_ses"
	Postmark   Rewriter = "postmark"
	Mandrill   Rewriter = "mandrill"
	Mailgun    Rewriter = "mailgun"
	Mailjet    Rewriter = "mailjet"
	SendGrid   Rewriter = "sendgrid"
	Mailchimp  Rewriter = "mailchimp"
	HubSpot    Rewriter = "hubspot"
	Salesforce Rewriter = "salesforce"
	Dynamics   Rewriter = "microsoft_dynamics"
	Tracker    Rewriter = "tracker" // another delivery service
	Shortener  Rewriter = "shortener"
)

// OpenRedirect is any other host that is told in a parameter where to send the
// visitor. Nobody vouches for it: it may as well stay where it is.
const OpenRedirect Rewriter = "open_redirect"

// Vouched reports whether the service is known to lead to where the link says
// it does, so that the link is as good or bad as its target.
func (r Rewriter) Vouched() bool { return r != "" && r != OpenRedirect }

// service is a host, with what is below it, and how its links are undone. The
// undo function is nil for a service whose links only the service can undo; it
// answers "" for a page of the service that is no redirect.
type service struct {
	host string // matches itself and names below it
	name Rewriter
	path string // the path starts with it, in lower case
	undo func(URL) string
}

// mixed reports whether the same paths serve pages that are no redirects.
func (s service) mixed() bool {
	switch s.name {
	case Google, GoogleAMP, GoogleAds, DoubleClick, Bing, LinkedIn, Facebook, YouTube, Steam, VK, Dynamics:
		return true
	default:
		return false
	}
}

// services are checked in order.
var services = []service{
	{"safelinks.protection.outlook.com", SafeLinks, "", param("url")},
	{"safelinks.protection.office365.us", SafeLinks, "", param("url")},
	{"safelinks.o365.cn", SafeLinks, "", param("url")},
	{"statics.teams.cdn.office.net", SafeLinks, "/evergreen-assets/safelinks", param("url")},
	{"urldefense.com", Proofpoint, "", proofpoint},
	{"urldefense.us", Proofpoint, "", proofpoint},
	{"urldefense.proofpoint.com", Proofpoint, "", proofpoint},
	{"mimecast.com", Mimecast, "/s/", nil},
	{"mimecastprotect.com", Mimecast, "", nil},
	{"linkprotect.cudasvc.com", Barracuda, "/url", param("a")},
	{"secure-web.cisco.com", Cisco, "", lastSegment},
	{"trendmicro.com", TrendMicro, "/wis/clicktime", param("url")},
	{"trendmicro.co.jp", TrendMicro, "/wis/clicktime", param("url")},
	{"clicktime.symantec.com", Symantec, "", symantec},
	{"clicktime.cloud.postoffice.net", Symantec, "", symantec},
	{"protection.sophos.com", Sophos, "", sophos},
	{"protect2.fireeye.com", FireEye, "", param("u")},
	{"protect.fireeye.com", FireEye, "", param("u")},
	{"protect.checkpoint.com", Checkpoint, "/v2/", checkpoint},
	{"url.avanan.click", Checkpoint, "/v2/", checkpoint},
	{"fortimailcloud.com", FortiMail, "/fmlurlsvc/", param("url")},
	{"fortimail.com", FortiMail, "/fmlurlsvc/", param("url")},
	{"link.edgepilot.com", EdgePilot, "/s/", nil},
	{"seclinks.cloud-security.net", Hornet, "", param("url")},
	{"atpscan.global.hornetsecurity.com", Hornet, "", param("url")},
	{"shared.outlook.inky.com", Inky, "/link", param("url")},
	{"google.com", GoogleAMP, "/amp/", pathURL("/amp/")},
	{"google.com", Google, "/travel/clk", param("pcurl")},
	{"notifications.google.com", Google, "/g/", nil},
	{"ampproject.org", GoogleAMP, "/", pathURL("/c/", "/v/")},
	{"googleadservices.com", GoogleAds, "/pagead/aclk", param("adurl")},
	{"doubleclick.net", DoubleClick, "", param("adurl", "ds_dest_url", "destinationurl", "url")},
	{"bing.com", Bing, "/ck/a", bing},
	{"bing.com", Bing, "/aclick", bing},
	{"linkedin.com", LinkedIn, "/redir/redirect", param("url")},
	{"linkedin.com", LinkedIn, "/safety/go", param("url")},
	{"linkedin.com", Shortener, "/slink", nil},
	{"lnkd.in", Shortener, "", nil},
	{"facebook.com", Facebook, "/l.php", param("u")},
	{"facebook.com", Facebook, "/flx/warn", param("u")},
	{"l.instagram.com", Instagram, "", param("u")},
	{"youtube.com", YouTube, "/redirect", param("q")},
	{"r.search.yahoo.com", Yahoo, "", yahoo},
	{"href.li", HrefLi, "", wholeQuery},
	{"deref-mail.com", Deref, "/mail/client", param("redirecturl")},
	{"deref-gmx.net", Deref, "/mail/client", param("redirecturl")},
	{"deref-web.de", Deref, "/mail/client", param("redirecturl")},
	{"slack-redir.net", Slack, "/link", param("url")},
	{"steamcommunity.com", Steam, "/linkfilter", param("url", "u")},
	{"vk.com", VK, "/away.php", param("to")},
	{"click.mail.ru", Mailru, "", param("url")},
	{"awstrack.me", AmazonSES, "/l0/", pathURL("/L0/")},
	{"pstmrk.it", Postmark, "/", postmark},
	{"mandrillapp.com", Mandrill, "/track/click", mandrill},
	{"mailgun.org", Mailgun, "/c/", nil},
	{"mjt.lu", Mailjet, "/", mailjet},
	{"sendgrid.net", SendGrid, "", nil},
	{"list-manage.com", Mailchimp, "", nil},
	{"mailchi.mp", Mailchimp, "", nil},
	{"hubspotlinks.com", HubSpot, "", nil},
	{"hubspotlinksfree.com", HubSpot, "", nil},
	{"hs-sites.com", HubSpot, "/e3t/", nil},
	{"exct.net", Salesforce, "", nil},
	{"exacttarget.com", Salesforce, "", nil},
	{"sfmc-content.com", Salesforce, "", nil},
	{"dynamics.com", Dynamics, "/t/", dynamics},
	{"svc.dynamics.com", Dynamics, "", dynamics},
}

// trackers are hosts of other delivery services whose links only they can undo.
var trackers = []string{
	"rs6.net", "constantcontact.com", "createsend.com", "createsend1.com", "cmail19.com", "cmail20.com", "sendibt1.com", "sendibt2.com", "sendibt3.com",
	"sendibm1.com", "sendibm3.com", "sp1-brevo.net", "sparkpostmail.com", "spgo.io", "mktoweb.com", "mkt-tracking.com", "pardot.com",
	"klclick.com", "klclick1.com", "klclick2.com", "klclick3.com", "trk.klclick.com", "convertkit-mail.com", "convertkit-mail2.com", "ck.page",
	"activehosted.com", "emlnk.com", "emlnk1.com", "acemlna.com", "acemlnb.com", "acemlnc.com", "getresponse.com", "aweber.com", "mlsend.com", "mailerlite.com",
	"sailthru.com", "bmetrack.com", "cheetahmail.com", "eloqua.com", "en25.com", "responsys.net", "rsgsv.net", "silverpop.com", "pages03.net", "pages05.net",
	"customeriomail.com", "intercom-mail.com", "intercom-clicks.com", "iterable.com", "links.iterable.com", "braze.com", "appboy.com", "moengage.com", "sendinblue.com", "elasticemail.com",
	"smtp2go.com", "sendpulse.com", "turbo-smtp.com", "mailtrack.io", "yesware.com", "substack.com", "beehiiv.com", "flodesk.com", "drip.com", "zcsend.net", "zohocampaigns.com", "maillist-manage.com",
	"cuenote.jp", "bmmail.jp", "combzmail.jp", "blayn.jp", "benchmarkemail.com", "ontraport.com", "infusionsoft.com", "infusion-links.com", "keap-link001.com",
}

// shorteners are hosts whose links say nothing of their target.
var shorteners = []string{
	"bit.ly", "bitly.com", "j.mp", "tinyurl.com", "t.co", "goo.gl", "ow.ly", "is.gd", "v.gd", "buff.ly", "rebrand.ly", "cutt.ly", "rb.gy", "t.ly", "shorturl.at",
	"tiny.cc", "lc.cx", "s.id", "x.gd", "00m.in", "qr.paps.jp", "onl.la", "onl.tl", "urx.space", "ux.nu", "amzn.to", "fb.me", "youtu.be", "aka.ms", "1drv.ms", "l.ead.me", "qrco.de", "me-qr.com", "linktr.ee",
}

var opaque = sync.OnceValue(func() map[domain.Name]Rewriter {
	m := make(map[domain.Name]Rewriter, len(trackers)+len(shorteners))
	for _, h := range trackers {
		m[domain.Name(h)] = Tracker
	}
	for _, h := range shorteners {
		m[domain.Name(h)] = Shortener
	}
	return m
})

// lookup returns the service of u.
func lookup(u URL) (service, bool) {
	if !u.IsWeb() || u.Host == "" {
		return service{}, false
	}
	path := strings.ToLower(u.Path[:min(len(u.Path), 100)])
	for _, s := range services {
		if u.Host.IsSubdomainOf(domain.Name(s.host)) && strings.HasPrefix(path, s.path) {
			return s, true
		}
	}
	if isGoogle(u.Host) && (path == "/url" || path == "/url/") {
		return service{name: Google, undo: param("q", "url")}, true
	}
	hosts := opaque()
	for n := u.Host; n != ""; n = n.Parent() {
		if r, ok := hosts[n]; ok {
			// The service's own pages are no redirects.
			if r == Tracker && (u.Host == n || u.Host == "www."+n) {
				break
			}
			return service{name: r}, true
		}
	}
	return service{}, false
}

// isGoogle reports whether n is Google's under any country's suffix.
func isGoogle(n domain.Name) bool {
	return domain.SLD(n) == "google" && (n == domain.Organizational(n) || strings.HasPrefix(string(n), "www."))
}

// redirectParams are the parameters in which sites name a redirect's target.
// Those of sign-in protocols, such as redirect_uri, are left out: the page that
// opens is the sign-in page.
var redirectParams = []string{
	"url", "u", "redirect", "redirecturl", "redirect_url", "redir", "rurl", "target", "targeturl", "dest", "desturl", "destination", "goto", "go", "to",
	"link", "out", "adurl", "location", "href", "uri", "ref_url", "lp", "click", "clickurl", "r", "l", "q",
}

// Unwrap takes off one layer: it returns the URL that u says it leads to, and
// who would lead there. Where rewriter is given and ok is false, the service is
// known and only it knows the target.
func Unwrap(u URL) (inner string, rewriter Rewriter, ok bool) {
	if s, found := lookup(u); found {
		if s.undo == nil {
			return "", s.name, false
		}
		if inner = s.undo(u); inner != "" {
			if v, err := Parse(inner); err == nil && !v.IsZero() {
				return inner, s.name, true
			}
		}
		if !s.mixed() {
			return "", s.name, false
		}
	}
	return openRedirect(u)
}

// openRedirect looks for a whole URL in a parameter.
func openRedirect(u URL) (string, Rewriter, bool) {
	if !u.IsWeb() || !strings.Contains(u.Query, "=") {
		return "", "", false
	}
	n := 0
	for pair := range strings.SplitSeq(u.Query, "&") {
		if n++; n > 100 {
			break
		}
		k, v, _ := strings.Cut(pair, "=")
		if len(v) < len("//a.b") || !slices.Contains(redirectParams, strings.ToLower(strings.TrimPrefix(k, "amp;"))) {
			continue
		}
		v = Unescape(v)
		if strings.HasPrefix(v, "aHR0c") {
			v = base64URL(v)
		}
		if strings.Contains(v, "%3A%2F%2F") || strings.Contains(v, "%3a%2f%2f") {
			v = Unescape(v)
		}
		if !hasWebScheme(v) && !strings.HasPrefix(v, "//") {
			continue
		}
		inner, err := Parse(v)
		// A site that sends visitors on within itself is no redirect.
		if err != nil || !inner.IsWeb() || u.Host != "" && inner.Host != "" && u.Organizational() == inner.Organizational() {
			continue
		}
		return v, OpenRedirect, true
	}
	return "", "", false
}

func hasWebScheme(s string) bool {
	s = strings.ToLower(s[:min(len(s), 8)])
	return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://") || strings.HasPrefix(s, `http:\\`) || strings.HasPrefix(s, `https:\\`)
}

// maxSteps bounds how many layers are taken off.
const maxSteps = 8

// Step is one layer that was taken off.
type Step struct {
	URL      URL // what was inside
	Rewriter Rewriter
}

// Resolution is where a link leads as far as it says so itself.
type Resolution struct {
	Steps  []Step
	Target URL // innermost; the link itself where nothing was taken off

	// Opaque is the service that Target belongs to where only the service
	// knows where that leads.
	Opaque Rewriter

	// Loop reports that the layers contain each other, or are too many.
	Loop bool
}

// Resolve takes off all layers of u, up to 8.
func Resolve(u URL) Resolution {
	r := Resolution{Target: u}
	seen := []string{u.String()}
	for {
		inner, rewriter, ok := Unwrap(r.Target)
		if !ok {
			r.Opaque = rewriter
			return r
		}
		v, err := Parse(inner)
		if err != nil {
			return r
		}
		s := v.String()
		if len(r.Steps) == maxSteps || slices.Contains(seen, s) {
			r.Loop = true
			return r
		}
		seen = append(seen, s)
		r.Steps = append(r.Steps, Step{URL: v, Rewriter: rewriter})
		r.Target = v
	}
}
