package eval

import (
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mql/value"
)

// Need says for people what a missing value would take.
func Need(g value.Gap) finding.Need {
	n := finding.Need{Capability: g.Capability, Cause: g.Cause}
	switch g.Capability {
	case "list":
		n.Detail = lang.M("mql.need.list", "name", g.Name)
	case "history":
		n.Detail = lang.M("mql.need.history")
		switch g.Name {
		case "reach":
			n.Detail = lang.M("mql.need.history.reach")
		case "sent":
			n.Detail = lang.M("mql.need.history.sent")
		}
	case "files":
		n.Detail = lang.M("mql.need.files")
	case "ocr":
		n.Detail = lang.M("mql.need.ocr")
	case "qr":
		n.Detail = lang.M("mql.need.qr")
	case "yara":
		n.Detail = lang.M("mql.need.yara")
	case "screenshot":
		n.Detail = lang.M("mql.need.screenshot")
	case "classifier":
		n.Detail = lang.M("mql.need.classifier")
	case "logo":
		n.Detail = lang.M("mql.need.logo")
	case "macro_classifier":
		n.Detail = lang.M("mql.need.macro_classifier")
	case "translation":
		n.Detail = lang.M("mql.need.translation")
	case "link_analysis":
		n.Detail = lang.M("mql.need.link_analysis")
	case "whois":
		n.Detail = lang.M("mql.need.whois")
	case "sensitive_data":
		n.Detail = lang.M("mql.need.sensitive_data")
	case "attack_score":
		n.Detail = lang.M("mql.need.attack_score")
	case "budget":
		n.Detail = lang.M("mql.need.budget")
	default:
		n.Detail = lang.M("mql.need.function", "name", g.Name)
	}
	return n
}
