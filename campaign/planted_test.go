package campaign_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/sekisho/sekisho/campaign"
	"github.com/sekisho/sekisho/domain"
)

// planted is a mail of which it is known to what it belongs; 0 is no campaign.
type planted struct {
	campaign.Mail
	campaign int
	what     string
}

// plan is how a campaign is sent.
type plan struct {
	subject string // # is a number, @ the name of the recipient, * an identifier
	others  []string
	sender  string // of the envelope; # is a number; "" rotates over mailboxes that were taken over
	from    string // "own" writes the organisation's domain
	name    string
	network string // of the addresses: one, a /24, or "rotate"
	helo    string
	link    string // host and path; # and * change
	hosts   []string
	query   string
	file    string
	fixed   bool // the file is the same for all
}

func plans() []plan {
	return []plan{
		{subject: "Action required: conduct case # for @", sender: "notice@tcs-review.test", name: "Team Conduct", network: "203.0.113.0/24", helo: "mail.tcs-review.test", link: "/case/view/*", hosts: []string{"tcs-review.test"}},
		{subject: "至急: 未払い請求書#のご確認", sender: "own", from: "own", name: "経理部", network: "198.51.100.77", helo: "WIN-8K2", file: "請求書_#.pdf"},
		{subject: "Voice message from +# received *", sender: "own", from: "own", network: "rotate", helo: "", link: "/vm/listen/*", hosts: []string{"voice-a.test", "voice-b.test", "voice-c.test"}, query: "e=*&u=*"},
		{subject: "Shared document: Salary revision # awaiting @", from: "", network: "rotate", link: "/redirect/sharepoint/*", hosts: []string{"docs-r1.test", "docs-r2.test"}},
		{subject: "【重要】アカウントの利用確認のお願い #", others: []string{"【重要】アカウント利用確認のお願い", "【重要】お客様アカウントの利用確認のお願い #"}, sender: "info-#@#mailer.test", name: "カスタマーセンター", network: "203.0.113.128/25", link: "/login/*", hosts: []string{"k1-auth.test", "k2-auth.test", "k3-auth.test"}},
		{subject: "Your mailbox password expires in # hours", sender: "postmaster@mx-control.test", name: "IT Helpdesk", network: "203.0.113.9", link: "/owa/auth.html", hosts: []string{"files.example"}},
		{subject: "Remittance advice # attached", sender: "", network: "rotate", file: "Remittance_Advice_#.html", fixed: true},
		{subject: "お荷物のお届けについて(お問い合わせ番号 #)", others: []string{"お荷物お届けのご連絡 #", "【再配達】お荷物のお届けについて #", "不在のため持ち帰りました #"}, sender: "delivery@todoke-*.test", name: "配送センター", network: "rotate", link: "/t/*", hosts: []string{"short.example"}},
		{subject: "Docs to sign: agreement # for @", sender: "dse@sign-relay.test", name: "DocuSign", network: "198.51.100.128/25", link: "/signing/agreement/review/*", hosts: []string{"sign-relay.test", "a.sign-relay.test"}},
		{subject: "Q# bonus statement for employees", sender: "own", from: "own", name: "HR", network: "203.0.113.200", file: "Bonus_Statement_@.pdf"},
		{subject: "Security alert: unusual sign-in from #", others: []string{"Unusual sign-in activity", "We blocked a sign-in attempt #", "Verify your account now"}, sender: "alert@account-protect.test", name: "Account team", network: "rotate", link: "/verify/session/*", hosts: []string{"x1.account-protect.test", "x2.account-protect.test"}},
		{subject: "口座凍結のお知らせ", others: []string{"【緊急】口座一時停止のお知らせ", "お取引の制限について", "本人確認のお願い"}, sender: "bank-#@freemail.example", name: "銀行", network: "rotate", link: "/netbank/login/*", hosts: []string{"bank1.test", "bank2.test", "bank3.test", "bank4.test"}},
		{subject: "Purchase order PO-# from new customer", sender: "", network: "rotate", file: "PO_#.xlsm", fixed: true},
		{subject: "Fax from # received for @", others: []string{"New fax document for @", "Incoming fax # pages"}, sender: "own", from: "own", network: "198.51.100.60/30", helo: "efax", file: "Fax_#.svg"},
		{subject: "Teams: you have # unread messages", sender: "noreply@teams-notify.test", name: "Microsoft Teams", network: "203.0.113.30", link: "/l/message/*", hosts: []string{"teams-notify.test"}},
		{subject: "ETC利用照会サービス 解約予告のお知らせ #", sender: "etc-#@*.test", name: "ETC利用照会サービス", network: "rotate", link: "/etc/login/*", hosts: []string{"e1.test", "e2.test", "e3.test"}},
		{subject: "Paymеnt confirmation # overdue account", others: []string{"Payment confirmation # overdue account", "Payment confirmation # for overdue account"}, sender: "acct@pay-desk.test", network: "198.51.100.9", link: "/pay/statement/*", hosts: []string{"pay-desk.test"}},
		{subject: "Invitation to bid: municipal project #", sender: "", network: "rotate", link: "/bid/package/download/*", hosts: []string{"files.example"}, query: "bid=*&key=*"},
		{subject: "Storage almost full: # % used by @", others: []string{"Your storage is almost full, @", "@: upgrade needed", "Final notice #"}, sender: "storage@cloud-quota.test", name: "Cloud storage", network: "rotate", link: "/upgrade/quota/*", hosts: []string{"cloud-quota.test", "cloud-quota2.test"}},
		{subject: "年末調整の書類提出について(@様)", sender: "own", from: "own", name: "人事部", network: "203.0.113.77", file: "年末調整_#.zip", fixed: true},
	}
}

type world struct {
	rnd *rand.Rand
	ids int
}

func (w *world) fill(s, recipient string) string {
	local, _, _ := strings.Cut(recipient, "@")
	var b strings.Builder
	for _, r := range s {
		switch r {
		case '#':
			fmt.Fprintf(&b, "%d", 10+w.rnd.IntN(90000))
		case '*':
			fmt.Fprintf(&b, "%08x%d", w.rnd.Uint32(), w.rnd.IntN(10))
		case '@':
			b.WriteString(local)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func (w *world) address(network string) netip.Addr {
	if network == "rotate" {
		return netip.AddrFrom4([4]byte{100, byte(64 + w.rnd.IntN(60)), byte(w.rnd.IntN(250)), byte(1 + w.rnd.IntN(250))})
	}
	if p, err := netip.ParsePrefix(network); err == nil {
		a := p.Addr().As4()
		a[3] += byte(w.rnd.IntN(1 << (32 - p.Bits())))
		return netip.AddrFrom4(a)
	}
	return netip.MustParseAddr(network)
}

func (w *world) hash() string { w.ids++; return fmt.Sprintf("%064x", w.ids) }

var people = []string{"sato", "tanaka", "suzuki", "yamada", "ito", "kobayashi", "watanabe", "nakamura", "mori", "abe"}

func (w *world) recipient() string {
	return people[w.rnd.IntN(len(people))] + strconv.Itoa(w.rnd.IntN(30)) + "@kiso-works.example"
}

// campaigns makes n variants of each plan.
func (w *world) campaigns(n int) []planted {
	var out []planted
	for i, p := range plans() {
		fixed := w.hash()
		for v := range n {
			to := w.recipient()
			subject := p.subject
			if len(p.others) > 0 && v%3 > 0 {
				subject = p.others[(v-1)%len(p.others)]
			}
			m := campaign.Mail{Subject: w.fill(subject, to), Recipients: []string{to}, Name: p.name, IP: w.address(p.network), Helo: p.helo, MessageID: w.fill("*@x.test", to)}
			switch p.sender {
			case "own":
				m.MailFrom = to
			case "":
				m.MailFrom, m.Proven = fmt.Sprintf("user%d@partner%d.example", w.rnd.IntN(50), w.rnd.IntN(8)), true
			default:
				m.MailFrom = w.fillKeepAt(p.sender)
			}
			m.From = m.MailFrom
			if p.link != "" {
				m.Links = []campaign.Link{
					{Host: domain.Name(p.hosts[w.rnd.IntN(len(p.hosts))]), Path: w.fill(p.link, to), Query: w.fill(p.query, to)},
					{Host: "www.brand.example", Path: "/privacy"}, {Host: "www.brand.example", Path: "/products/overview"},
				}
			}
			if p.file != "" {
				h := fixed
				if !p.fixed {
					h = w.hash()
				}
				m.Files = []campaign.File{{Name: w.fill(p.file, to), SHA256: h}}
			}
			out = append(out, planted{m, i + 1, p.subject})
		}
	}
	return out
}

// fillKeepAt fills numbers and identifiers of an address.
func (w *world) fillKeepAt(s string) string {
	parts := strings.Split(s, "@")
	return w.fill(parts[0], "") + "@" + w.fill(parts[1], "")
}

// harmless makes what else is in a mailbox, some of it close to the campaigns.
func (w *world) harmless() []planted {
	var out []planted
	add := func(what string, m campaign.Mail) {
		if len(m.Recipients) == 0 {
			m.Recipients = []string{w.recipient()}
		}
		if m.From == "" {
			m.From = m.MailFrom
		}
		out = append(out, planted{m, 0, what})
	}
	for i := range 10 { // newsletters, two of them by the same service
		host := domain.Name(fmt.Sprintf("news%d.example", i))
		for v := range 20 {
			add("newsletter", campaign.Mail{
				Subject: fmt.Sprintf("%s: what is new in week %d", []string{"Tool digest", "Factory weekly", "Offers for you", "製造業ニュース", "Webinar"}[i%5], v), MailFrom: fmt.Sprintf("bounce-%d@mailer.example", v),
				From: "news@" + string(host), IP: netip.MustParseAddr("192.0.2.10"), Signers: []domain.Name{host, "mailer.example"}, Proven: true,
				Links: []campaign.Link{{Host: host, Path: fmt.Sprintf("/issue/%d", v)}, {Host: "click.mailer.example", Path: "/ls/click", Query: "upn=abc"}},
			})
		}
	}
	for i := range 8 { // partners, whose mailboxes some campaigns use
		for v := range 15 {
			subjects := []string{"請求書送付の件", "Re: meeting", "お見積書", "Invoice", "Invoice 12" + strconv.Itoa(v), "図面の件", "Re: Purchase order PO-77", "ご連絡", "Delivery date", "Remittance", "出荷予定", "Your order", "Hello", "お礼", "Contract draft"}
			add("partner", campaign.Mail{
				Subject: subjects[v], MailFrom: fmt.Sprintf("user%d@partner%d.example", w.rnd.IntN(50), i), IP: w.address("rotate"), Proven: true, Signers: []domain.Name{domain.Name(fmt.Sprintf("partner%d.example", i))},
				Links: []campaign.Link{{Host: domain.Name(fmt.Sprintf("www.partner%d.example", i)), Path: "/"}}, Files: []campaign.File{{Name: "invoice.pdf", SHA256: w.hash()}},
			})
		}
	}
	for _, p := range plans() { // the real mail that campaigns imitate, and mail that staff pass on
		to := w.recipient()
		add("imitated", campaign.Mail{
			Subject: w.fill(p.subject, to), Recipients: []string{to}, MailFrom: "bounce@brand.example", From: "service@brand.example", Name: p.name, IP: netip.MustParseAddr("192.0.2.77"), Proven: true, Signers: []domain.Name{"brand.example"},
			Links: []campaign.Link{{Host: "www.brand.example", Path: "/products/overview"}, {Host: "app.brand.example", Path: "/open"}},
		})
		add("passed on", campaign.Mail{Subject: "FW: " + w.fill(p.subject, to), Recipients: []string{"it@kiso-works.example"}, MailFrom: to, From: to, Inside: true})
	}
	for v := range 50 {
		add("private", campaign.Mail{Subject: []string{"Hi", "Photos", "明日の件", "Invoice", "Re: dinner"}[v%5], MailFrom: fmt.Sprintf("friend%d@freemail.example", v), IP: netip.MustParseAddr("192.0.2.99"), Proven: true, Signers: []domain.Name{"freemail.example"}})
	}
	for v := range 60 {
		add("notice", campaign.Mail{
			Subject: []string{"Your invoice is ready", "ご利用明細のお知らせ", "Password changed", "Security alert", "お荷物お届けのお知らせ", "Action required"}[v%6], MailFrom: fmt.Sprintf("no-reply@shop%d.example", v), IP: w.address("rotate"), Proven: true,
			Links: []campaign.Link{{Host: domain.Name(fmt.Sprintf("shop%d.example", v)), Path: "/login"}, {Host: "files.example", Path: fmt.Sprintf("/share/doc%d", v)}, {Host: "short.example", Path: fmt.Sprintf("/t/%d", v)}},
		})
	}
	for v := range 40 {
		add("inside", campaign.Mail{Subject: []string{"議事録", "Minutes", "年末調整の提出期限", "Bonus dates", "経費精算"}[v%5], MailFrom: w.recipient(), Inside: true})
	}
	return out
}

func options() *campaign.Options {
	has := func(names ...domain.Name) func(domain.Name) bool {
		return func(n domain.Name) bool {
			for _, x := range names {
				if n == x || n.IsSubdomainOf(x) {
					return true
				}
			}
			return false
		}
	}
	return &campaign.Options{
		Own: has("kiso-works.example"), SharedDomain: has("freemail.example", "mailer.example"), SharedHost: has("files.example", "short.example", "mailer.example"),
		SharedAddress: func(ip netip.Addr) bool { return netip.MustParsePrefix("192.0.2.0/24").Contains(ip) },
	}
}

// traced leaves of a mail what a message trace has.
func traced(m campaign.Mail) campaign.Mail {
	return campaign.Mail{IP: m.IP, MailFrom: m.MailFrom, From: m.From, Name: m.Name, Subject: m.Subject, Recipients: m.Recipients, Proven: m.Proven, Inside: m.Inside}
}

// TestPlanted finds the mails of 20 campaigns among harmless ones: with all
// facts, and with those of a message trace alone.
func TestPlanted(t *testing.T) {
	for _, tc := range []struct {
		name              string
		facts             func(campaign.Mail) campaign.Mail
		precision, recall float64
	}{
		{"Mails", func(m campaign.Mail) campaign.Mail { return m }, 0.97, 0.92},
		{"Trace", traced, 0.97, 0.83},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := &world{rnd: rand.New(rand.NewPCG(1, 2))}
			all := append(w.campaigns(12), w.harmless()...)
			found, right, wanted := 0, 0, 0
			wrong, missed := map[string]int{}, map[string]int{}
			for i := range all {
				if all[i].campaign == 0 || i > 0 && all[i-1].campaign == all[i].campaign {
					continue
				}
				probe := campaign.NewProbe(&all[i].Mail, options())
				for j := range all {
					if i == j {
						continue
					}
					m := tc.facts(all[j].Mail)
					l := probe.Compare(&m)
					hit := l.Level == campaign.Same || l.Level == campaign.Alike
					belongs := all[i].campaign == all[j].campaign
					if belongs {
						wanted++
					}
					switch {
					case hit && belongs:
						found++
						right++
					case hit:
						found++
						wrong[fmt.Sprintf("%q and %q (%s): %d %+v", all[i].Subject, all[j].Subject, all[j].what, l.Score, l.Reasons)]++
					case belongs:
						missed[fmt.Sprintf("%q and %q: %d %+v", all[i].Subject, all[j].Subject, l.Score, l.Reasons)]++
					}
				}
			}
			precision, recall := float64(right)/float64(found), float64(right)/float64(wanted)
			t.Logf("%d mails: precision %.3f, recall %.3f (%d found, %d right, %d wanted)", len(all), precision, recall, found, right, wanted)
			if precision < tc.precision || recall < tc.recall || testing.Verbose() {
				for k := range wrong {
					t.Log("wrong:", k)
				}
				for k := range missed {
					t.Log("missed:", k)
				}
			}
			if precision < tc.precision || recall < tc.recall {
				t.Errorf("want at least %.2f and %.2f", tc.precision, tc.recall)
			}
		})
	}
}
