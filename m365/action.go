package m365

import (
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/lang"
)

// firstResponse is what to do about the mail itself, before any setting: keep
// it, see who else has it, and look after whoever clicked.
func firstResponse(d *Decision) []finding.Action {
	return []finding.Action{
		{Message: lang.M("m365.action.preserve"), Audience: finding.Admin, Within: finding.Now},
		{
			Message: lang.M("m365.action.find"), Audience: finding.Admin, Within: finding.Now,
			Commands: []string{
				"// Microsoft Defender > Hunting > Advanced hunting",
				`let id = "` + d.messageID() + `";`,
				"let ip = toscalar(EmailEvents | where NetworkMessageId == id | take 1 | project SenderIPv4);",
				"EmailEvents | where Timestamp > ago(30d) and (NetworkMessageId == id or (isnotempty(ip) and SenderIPv4 == ip))",
				"| project Timestamp, RecipientEmailAddress, SenderFromAddress, SenderMailFromAddress, SenderIPv4, Subject, DeliveryLocation, NetworkMessageId",
			},
		},
		{Message: lang.M("m365.action.clicked"), Audience: finding.Admin, Within: finding.Now},
		{Message: lang.M("m365.action.staff"), Audience: finding.Staff, Within: finding.Today},
	}
}

// impactQuery shows who would be stopped: mail of the own domain to the own
// domain that matched no connector and that nothing authenticated.
func impactQuery(d *Decision) []string {
	return []string{
		"// Microsoft Defender > Hunting > Advanced hunting",
		`let ours = dynamic(["` + d.domainName() + `"]);`,
		"EmailEvents | where Timestamp > ago(30d)",
		`| extend Rcpt = tolower(tostring(split(RecipientEmailAddress, "@")[1]))`,
		"| where Rcpt in~ (ours) and SenderMailFromDomain in~ (ours) and isempty(Connectors)",
		"| extend A = parse_json(AuthenticationDetails)",
		"| summarize Mails = count(), Recipients = dcount(RecipientEmailAddress), Example = take_any(Subject), SPF = make_set(tostring(A.SPF), 5) by SenderIPv4, SenderFromAddress",
		"| order by Mails desc",
	}
}

func deviceCheck(d *Decision) []finding.Action {
	return []finding.Action{{
		Message: lang.M("m365.action.own-device", "ip", d.ClientIP.String()), Audience: finding.Admin, Within: finding.Today,
	}}
}

// restrict is the way to turn Direct Send off without stopping one's own
// devices: look, provide, set, verify, and know how to undo.
func restrict(d *Decision) []finding.Action {
	return []finding.Action{
		{Message: lang.M("m365.action.impact"), Audience: finding.Admin, Within: finding.Today, Commands: impactQuery(d)},
		{Message: lang.M("m365.action.connector-first"), Audience: finding.Admin, Within: finding.Week},
		{
			Message: lang.M("m365.action.reject"), Audience: finding.Admin, Within: finding.Week,
			Commands: []string{
				"Connect-ExchangeOnline",
				"Set-OrganizationConfig -RejectDirectSend $true",
				"Get-OrganizationConfig | Format-List RejectDirectSend",
			},
		},
		{
			Message: lang.M("m365.action.undo"), Audience: finding.Admin, Within: finding.None,
			Commands: []string{"Set-OrganizationConfig -RejectDirectSend $false"},
		},
		{Message: lang.M("m365.action.not-enough"), Audience: finding.Admin, Within: finding.Month},
	}
}

func senderCheck(d *Decision) []finding.Action {
	return []finding.Action{{
		Message: lang.M("m365.action.own-service", "sender", hostOf(d.MailFrom)), Audience: finding.Admin, Within: finding.Today,
	}}
}

// closeOwnDomain is what stops a forged From whose MAIL FROM is foreign.
func closeOwnDomain(d *Decision) []finding.Action {
	actions := []finding.Action{
		{Message: lang.M("m365.action.reject-no-help"), Audience: finding.Admin, Within: finding.Today},
		{
			Message: lang.M("m365.action.dmarc", "domain", d.Domain), Audience: finding.Admin, Within: finding.Month,
			Commands: []string{"Resolve-DnsName -Type TXT _dmarc." + d.domainName()},
		},
		{
			Message: lang.M("m365.action.antispoof"), Audience: finding.Admin, Within: finding.Week,
			Commands: []string{
				"Connect-ExchangeOnline",
				"Get-AntiPhishPolicy | Format-List Name,Enabled,EnableSpoofIntelligence,AuthenticationFailAction,HonorDmarcPolicy,DmarcRejectAction,DmarcQuarantineAction",
			},
		},
	}
	if d.MXBypass {
		actions = append(actions, lockDown())
	}
	return actions
}

// lockDown closes the way past a filter that the MX records name.
func lockDown() finding.Action {
	return finding.Action{
		Message: lang.M("m365.action.lock-down"), Audience: finding.Admin, Within: finding.Week,
		Commands: []string{
			"Connect-ExchangeOnline",
			"Get-InboundConnector | Format-List Name,Enabled,ConnectorType,SenderDomains,SenderIPAddresses,RestrictDomainsToIPAddresses,RestrictDomainsToCertificate",
			`New-InboundConnector -Name "Filter only" -ConnectorType Partner -SenderDomains * -RestrictDomainsToIPAddresses $true -SenderIPAddresses <addresses of your filter> -Enabled $false`,
		},
	}
}

func gatewaySpoofActions() []finding.Action {
	return []finding.Action{
		{Message: lang.M("m365.action.gateway-policy"), Audience: finding.Admin, Within: finding.Week},
		enhancedFiltering(),
	}
}

func gatewayActions() []finding.Action { return []finding.Action{enhancedFiltering()} }

func enhancedFiltering() finding.Action {
	return finding.Action{
		Message: lang.M("m365.action.enhanced-filtering"), Audience: finding.Admin, Within: finding.Month,
		Commands: []string{
			"Connect-ExchangeOnline",
			"Get-InboundConnector | Format-List Name,SenderIPAddresses,EFSkipLastIP,EFSkipIPs,EFUsers",
		},
	}
}

func deviceActions() []finding.Action {
	return []finding.Action{{Message: lang.M("m365.action.device-connector"), Audience: finding.Admin, Within: finding.Month}}
}

func connectorActions() []finding.Action {
	return []finding.Action{{
		Message: lang.M("m365.action.connector-certificate"), Audience: finding.Admin, Within: finding.Week,
		Commands: []string{
			"Connect-ExchangeOnline",
			"Get-InboundConnector | Format-List Name,ConnectorType,TlsSenderCertificateName,SenderIPAddresses,CloudServicesMailEnabled",
		},
	}}
}

// allowListActions names the list that let the mail in.
func allowListActions(sfv Value) []finding.Action {
	key, commands := "m365.action.allow-policy", []string{
		"Connect-ExchangeOnline",
		"Get-HostedContentFilterPolicy | Format-List Name,AllowedSenders,AllowedSenderDomains",
		"Get-HostedConnectionFilterPolicy | Format-List Name,IPAllowList",
	}
	switch {
	case sfv.Is("SFE"):
		key, commands = "m365.action.allow-mailbox", []string{
			"Connect-ExchangeOnline",
			"Get-MailboxJunkEmailConfiguration -Identity <mailbox> | Format-List TrustedSendersAndDomains",
		}
	case sfv.Is("SKN"):
		key, commands = "m365.action.allow-rule", []string{
			"Connect-ExchangeOnline",
			"Get-TransportRule | Where-Object { $_.SetSCL -eq -1 } | Format-List Name,State,Description",
			"Get-HostedConnectionFilterPolicy | Format-List Name,IPAllowList",
		}
	}
	return []finding.Action{{Message: lang.M(key), Audience: finding.Admin, Within: finding.Week, Commands: commands}}
}

func spoofPages() []finding.Reference {
	return []finding.Reference{
		{Title: "Introducing more control over Direct Send in Exchange Online (Microsoft)", URL: "https://techcommunity.microsoft.com/blog/exchange/introducing-more-control-over-direct-send-in-exchange-online/4408790"},
		{Title: "Set-OrganizationConfig (Microsoft)", URL: "https://learn.microsoft.com/powershell/module/exchange/set-organizationconfig"},
		{Title: "Anti-spoofing protection (Microsoft)", URL: "https://learn.microsoft.com/defender-office-365/anti-phishing-protection-spoofing-about"},
		{Title: "Respond to a compromised email account (Microsoft)", URL: "https://learn.microsoft.com/defender-office-365/responding-to-a-compromised-email-account"},
	}
}

func gatewayPages() []finding.Reference {
	return []finding.Reference{
		{Title: "Enhanced Filtering for Connectors (Microsoft)", URL: "https://learn.microsoft.com/exchange/mail-flow-best-practices/use-connectors-to-configure-mail-flow/enhanced-filtering-for-connectors"},
		{Title: "Configure trusted ARC sealers (Microsoft)", URL: "https://learn.microsoft.com/defender-office-365/email-authentication-arc-configure"},
	}
}

func devicePages() []finding.Reference {
	return []finding.Reference{
		{Title: "How to set up a multifunction device or application to send email (Microsoft)", URL: "https://learn.microsoft.com/exchange/mail-flow-best-practices/how-to-set-up-a-multifunction-device-or-application-to-send-email-using-microsoft-365-or-office-365"},
	}
}

func connectorPages() []finding.Reference {
	return []finding.Reference{
		{Title: "Configure mail flow using connectors (Microsoft)", URL: "https://learn.microsoft.com/exchange/mail-flow-best-practices/use-connectors-to-configure-mail-flow/use-connectors-to-configure-mail-flow"},
	}
}

func headerPages() []finding.Reference {
	return []finding.Reference{
		{Title: "Anti-spam message headers in Microsoft 365 (Microsoft)", URL: "https://learn.microsoft.com/defender-office-365/message-headers-eop-mdo"},
	}
}

func allowListPages() []finding.Reference {
	return []finding.Reference{
		{Title: "Create safe sender lists (Microsoft)", URL: "https://learn.microsoft.com/defender-office-365/create-safe-sender-lists-in-office-365"},
	}
}
