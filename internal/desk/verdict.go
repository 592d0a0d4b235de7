package desk

import (
	"time"

	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/lang"
)

// VerdictSchema names the shape of a [Verdict] in JSON. The JSON Schema is
// docs/schema/verdict.v1.json.
const VerdictSchema = "sekisho.verdict/v1"

// Word is the verdict in one word.
type Word string

// The verdicts, from worst to none.
const (
	Malicious  Word = "malicious"
	Suspicious Word = "suspicious"
	Spam       Word = "spam"
	Clean      Word = "clean"     // no sign of danger was found; never "safe"
	Undecided  Word = "undecided" // it could not be read or judged as a whole
)

// Verdict is what the desk says of one message. It is the JSON record of
// "sekisho judge".
type Verdict struct {
	Schema    string     `json:"schema"`
	File      string     `json:"file"`
	Index     int        `json:"index,omitempty"` // 1-based position in a mailbox
	SHA256    string     `json:"sha256,omitempty"`
	Size      int        `json:"size,omitempty"`
	Form      Form       `json:"form,omitempty"`
	MessageID string     `json:"message_id,omitempty"`
	From      *Mailbox   `json:"from,omitempty"`
	To        []Mailbox  `json:"to,omitempty"`
	Subject   string     `json:"subject,omitempty"`
	Date      *time.Time `json:"date,omitempty"`

	Verdict Word      `json:"verdict"`
	Score   int       `json:"score"` // 0 to 100, fixed by the row of the verdict table
	Row     string    `json:"row"`   // the row of the verdict table that decided
	Reason  lang.Text `json:"reason"`

	Judged     Judged     `json:"judged"`
	Wrapper    *Wrapper   `json:"wrapper,omitempty"`
	Attached   []Attached `json:"attached,omitempty"`
	Findings   []Finding  `json:"findings"`
	Exceptions []Applied  `json:"exceptions,omitempty"`

	Authentication *Authentication `json:"authentication,omitempty"`
	DirectSend     *DirectSend     `json:"direct_send,omitempty"`
	Delivery       []Fact          `json:"delivery,omitempty"` // why it reached the reader
	Links          []Link          `json:"links"`
	Attachments    []Attachment    `json:"attachments"`

	Sender       *SenderHistory `json:"sender,omitempty"` // what the history knows of the sender; absent without one
	Organisation *Organisation  `json:"organisation,omitempty"`
	Rules        *RuleCoverage  `json:"rules,omitempty"` // absent where no rules were asked
	NotChecked   []Unchecked    `json:"not_checked"`
	Defects      []Defect       `json:"defects,omitempty"`
	Timings      Timings        `json:"timings"`
	Error        *Failure       `json:"error,omitempty"`

	// Stamp is what was verified of the outermost message, as the body of an
	// Authentication-Results field (RFC 8601), where [Handover] asks for it.
	Stamp string `json:"-"`

	// Traits is by what the message and those in it are compared with others. Only
	// who keeps mails asks for it.
	Traits *MailTraits `json:"-"`
}

// Mailbox is a name and an address.
type Mailbox struct {
	Name    string `json:"name,omitempty"`
	Address string `json:"address"`
}

// String returns the mailbox as a person reads it.
func (m Mailbox) String() string {
	if m.Name == "" {
		return m.Address
	}
	return m.Name + " <" + m.Address + ">"
}

// Judged says which message the verdict is about.
type Judged struct {
	Part string    `json:"part"` // ID of the root of the judged message
	How  string    `json:"how"`  // message, attached, inline-forward, header
	Note lang.Text `json:"note,omitzero"`
}

// Wrapper is the mail around the judged message: who handed it in.
type Wrapper struct {
	From    *Mailbox `json:"from,omitempty"`
	Subject string   `json:"subject,omitempty"`
	Program string   `json:"program,omitempty"`
}

// Attached is another message in the same input and the verdict on it alone.
type Attached struct {
	Part     string   `json:"part"`
	From     *Mailbox `json:"from,omitempty"`
	Subject  string   `json:"subject,omitempty"`
	Verdict  Word     `json:"verdict"`
	Score    int      `json:"score"`
	Findings int      `json:"findings"`
}

// Finding is a [finding.Finding] in words.
type Finding struct {
	ID         string              `json:"id"`
	Kind       finding.Kind        `json:"kind"`
	Severity   finding.Severity    `json:"severity"`
	Title      lang.Text           `json:"title"`
	Subject    finding.Subject     `json:"subject"`
	Evidence   []Evidence          `json:"evidence"`
	Actions    []Action            `json:"actions"`
	Rule       finding.Rule        `json:"rule"`
	References []finding.Reference `json:"references"`
}

// Evidence is a [finding.Evidence] in words.
type Evidence struct {
	Where Where     `json:"where"`
	Quote string    `json:"quote"`
	Note  lang.Text `json:"note,omitzero"`
}

// Where is a [finding.Where].
type Where = finding.Where

// Action is a [finding.Action] in words, with its date.
type Action struct {
	Text     lang.Text        `json:"text"`
	Audience finding.Audience `json:"audience"`
	Within   finding.Within   `json:"within"`
	Due      string           `json:"due,omitempty"` // date, YYYY-MM-DD, in the organisation's time zone
	Commands []string         `json:"commands,omitempty"`
}

// Authentication is what the receiving system said, as stamped in the header.
type Authentication struct {
	Trusted  bool         `json:"trusted"` // stamped by the receiving system rather than by somebody before it
	SPF      *AuthResult  `json:"spf,omitempty"`
	DKIM     []AuthResult `json:"dkim,omitempty"`
	DMARC    *AuthResult  `json:"dmarc,omitempty"`
	ARC      *AuthResult  `json:"arc,omitempty"`
	CompAuth *AuthResult  `json:"compauth,omitempty"`
	Verified *Verified    `json:"verified,omitempty"` // by us, now; absent where DNS is off
	Differs  []Fact       `json:"differs,omitempty"`  // where claim and verification disagree
}

// Verified is what sekisho verified itself.
type Verified struct {
	SPF   *AuthResult  `json:"spf,omitempty"`
	DKIM  []AuthResult `json:"dkim,omitempty"`
	DMARC *AuthResult  `json:"dmarc,omitempty"`
	ARC   *AuthResult  `json:"arc,omitempty"`
}

// AuthResult is one result of mail authentication.
type AuthResult struct {
	Result   string     `json:"result"`
	Domain   string     `json:"domain,omitempty"`
	Action   string     `json:"action,omitempty"` // DMARC
	Reason   string     `json:"reason,omitempty"` // compauth reason code, or the comment
	Meaning  lang.Text  `json:"meaning,omitzero"`
	Evidence []Evidence `json:"evidence,omitempty"`
}

// DirectSend is the decision whether the mail misuses Direct Send.
type DirectSend struct {
	Verdict    string    `json:"verdict"`
	Confidence string    `json:"confidence,omitempty"`
	Domain     string    `json:"domain,omitempty"`   // the own domain that the From claims
	Presumed   bool      `json:"presumed,omitempty"` // that domain is presumed, not configured
	Meaning    lang.Text `json:"meaning"`
	Steps      []Step    `json:"steps"`
}

// Step is one step of the decision.
type Step struct {
	Step     string     `json:"step"`
	Result   string     `json:"result"` // in a stable word
	Text     lang.Text  `json:"text"`
	Evidence []Evidence `json:"evidence"`
}

// Fact is a sentence with its evidence.
type Fact struct {
	Text     lang.Text  `json:"text"`
	Evidence []Evidence `json:"evidence,omitempty"`
}

// Link is a link of the message.
type Link struct {
	URL       string   `json:"url"`                 // as written, never defanged in JSON
	Target    string   `json:"target,omitempty"`    // behind all known rewriters, where it differs
	Rewriters []string `json:"rewriters,omitempty"` // from the outside in
	Domain    string   `json:"domain,omitempty"`    // organisational domain of the target
	Visible   string   `json:"visible,omitempty"`
	Where     Where    `json:"where"`
	Source    string   `json:"source"`              // html, text, ...
	In        string   `json:"in,omitempty"`        // the attached file that it stands in, and the one inside it
	Deceptive bool     `json:"deceptive,omitempty"` // the visible text names another domain
}

// Attachment is an attached file.
type Attachment struct {
	Part     string `json:"part"`
	Name     string `json:"name,omitempty"`
	Declared string `json:"declared_type"`
	Found    string `json:"found_type"`
	Size     int    `json:"size"`
	SHA256   string `json:"sha256"`
	Inline   bool   `json:"inline,omitempty"`
}

// Organisation says which domains were taken for the organisation's own.
type Organisation struct {
	Domains  []string `json:"domains"`
	Presumed bool     `json:"presumed"`
	Confirm  string   `json:"confirm,omitempty"` // the command that confirms a presumed domain
}

// Unchecked is something that was not looked at.
type Unchecked struct {
	Capability string        `json:"capability"`
	Cause      finding.Cause `json:"cause"`
	Text       lang.Text     `json:"text"`
}

// Applied is an exception that changed the verdict.
type Applied struct {
	ID      string       `json:"id"`
	Kind    finding.Kind `json:"kind"`
	Owner   string       `json:"owner"`
	Reason  string       `json:"reason"`
	Expires string       `json:"expires"`
}

// Defect is a way in which the message departs from the standards.
type Defect struct {
	Code   string `json:"code"`
	Part   string `json:"part"`
	Offset int    `json:"offset"`
}

// Timings is how long the work took, in milliseconds.
type Timings struct {
	Read  float64 `json:"read_ms"`
	Judge float64 `json:"judge_ms"`
}

// Failure is why an input could not be judged.
type Failure struct {
	Kind ErrorKind `json:"kind"`
	Text lang.Text `json:"text"`
	Hint lang.Text `json:"hint,omitzero"`
}
