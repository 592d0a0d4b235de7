package schema

import (
	"maps"
	"slices"
)

// Capability is what an evaluator must have to answer a function. It is the
// word of a finding.Need.
type Capability string

// The capabilities. Pure functions need none.
const (
	History         Capability = "history"          // who wrote to whom before
	Files           Capability = "files"            // files taken apart: archives, documents, calendars
	OCR             Capability = "ocr"              // text in pictures
	QR              Capability = "qr"               // QR codes in pictures
	Screenshot      Capability = "screenshot"       // a picture of the message as it is shown
	Classifier      Capability = "classifier"       // intent, entities and topics of a text
	Logo            Capability = "logo"             // brands in a picture
	MacroClassifier Capability = "macro_classifier" // whether macros are malicious
	Translation     Capability = "translation"      // a text in English
	LinkAnalysis    Capability = "link_analysis"    // what a browser saw behind a link
	Whois           Capability = "whois"            // when and by whom a domain was registered
	Sensitive       Capability = "sensitive_data"   // card numbers, identity numbers and the like
	AttackScore     Capability = "attack_score"     // the opinion of the Sublime platform
)

// Offline reports whether the capability can be had from the message and the
// organisation alone: without the network and without a model that somebody
// else trained.
func (c Capability) Offline() bool {
	switch c {
	case "", History, Files, QR, Sensitive:
		return true
	default:
		return false
	}
}

// Accept says what a parameter takes.
type Accept uint8

// What parameters take. An argument that is not known before the rule runs is
// always taken.
const (
	AcceptAny       Accept = iota
	AcceptString           // text
	AcceptNumber           // an integer or a float
	AcceptBool             // true or false
	AcceptArray            // any array
	AcceptStrings          // an array of strings
	AcceptNumbers          // an array of numbers
	AcceptMap              // a map
	AcceptSized            // text, an array or a map
	AcceptPredicate        // a condition on each element of the first argument
	AcceptEach             // any expression on each element of the first argument
	AcceptRegexp           // a regular expression (RE2)
	AcceptGlob             // text with * and ?
	AcceptXPath            // XPath 1.0
	AcceptCIDR             // an IP network or address
	AcceptIP               // an IP object, or its text
	AcceptDomain           // a Domain object, or its text
	AcceptLink             // a Link or a URL object
	AcceptFile             // an object with content: Attachment, File, and so on
	AcceptHTML             // an object with HTML: BodyHTML, FinalDOM
)

// Param is a parameter of a function.
type Param struct {
	Name     string
	Accept   Accept
	Optional bool
	Values   []string // of a keyword: all there are; nil: any
}

// Returns says how the type of a result is found.
type Returns uint8

// How results are typed.
const (
	ReturnsType    Returns = iota // Function.Result
	ReturnsFirst                  // the type of the first argument
	ReturnsBodies                 // an array of what the second argument is
	ReturnsElement                // an element of the first argument
	ReturnsValues                 // an array of the values of a map
	ReturnsSum                    // an element, or what the second argument is
	ReturnsJoin                   // what all arguments have in common
)

// Function is a function of the language.
type Function struct {
	Name     string
	Params   []Param // by position
	Variadic bool    // the last parameter may come again
	Keywords []Param // by name; all optional
	Returns  Returns
	Result   *Type // of ReturnsType
	Needs    Capability
}

// Loop reports whether the second argument is evaluated for each element of
// the first.
func (f *Function) Loop() bool {
	return len(f.Params) > 1 && (f.Params[1].Accept == AcceptPredicate || f.Params[1].Accept == AcceptEach)
}

// Least returns the number of arguments by position that f must have.
func (f *Function) Least() int {
	n := 0
	for _, p := range f.Params {
		if !p.Optional {
			n++
		}
	}
	return n
}

// Most returns the number of arguments by position that f may have, -1 for
// any number.
func (f *Function) Most() int {
	if f.Variadic {
		return -1
	}
	return len(f.Params)
}

// Param returns the parameter of argument i, which repeats the last one of a
// variadic function.
func (f *Function) Param(i int) *Param {
	if i >= len(f.Params) {
		if !f.Variadic || len(f.Params) == 0 {
			return nil
		}
		i = len(f.Params) - 1
	}
	return &f.Params[i]
}

// Keyword returns a parameter by name.
func (f *Function) Keyword(name string) *Param {
	for i := range f.Keywords {
		if f.Keywords[i].Name == name {
			return &f.Keywords[i]
		}
	}
	return nil
}

// Lookup returns a function by its name or an older name of it.
func Lookup(name string) (*Function, bool) {
	if f, ok := functionTable[name]; ok {
		return f, true
	}
	f, ok := functionTable[canonical(name)]
	return f, ok
}

// Names returns the names of all functions, sorted, without older names.
func Names() []string { return slices.Sorted(maps.Keys(functionTable)) }

// canonical returns the name of the function that was called name before.
func canonical(name string) string {
	switch name {
	case "beta.binexplode":
		return "file.explode"
	case "beta.oletools":
		return "file.oletools"
	case "beta.expand_archives":
		return "file.expand_archives"
	case "beta.parse_text":
		return "file.parse_text"
	case "beta.whois":
		return "network.whois"
	case "beta.linkanalysis":
		return "ml.link_analysis"
	case "beta.logo_detect":
		return "ml.logo_detect"
	case "beta.ml_nlu_classifier":
		return "ml.nlu_classifier"
	case "beta.ml_macro_classifier":
		return "ml.macro_classifier"
	case "beta.attack_score":
		return "ml.attack_score"
	case "beta.html_xpath":
		return "html.xpath"
	case "beta.scan_base64":
		return "strings.scan_base64"
	case "beta.message_screenshot":
		return "file.message_screenshot"
	case "ml.extract_sensitive_information":
		return "beta.ml_extract_sensitive_information"
	case "like", "ilike":
		return "strings." + name
	case "regex_match":
		return "regex.match"
	case "regex_search":
		return "regex.contains"
	case "iregex_search":
		return "regex.icontains"
	case "edit_distance":
		return "strings.levenshtein"
	case "iedit_distance":
		return "strings.ilevenshtein"
	}
	return ""
}

// functionTable is filled once and never changed.
var functionTable = functions()

func functions() map[string]*Function {
	table := map[string]*Function{}
	add := func(f Function) { table[f.Name] = &f }

	array := Param{Name: "array", Accept: AcceptArray}
	predicate := Param{Name: "condition", Accept: AcceptPredicate}
	each := Param{Name: "expression", Accept: AcceptEach}
	optionalEach := each
	optionalEach.Optional = true
	add(Function{Name: "any", Params: []Param{array, predicate}, Result: &typeBool})
	add(Function{Name: "all", Params: []Param{array, predicate}, Result: &typeBool})
	add(Function{Name: "filter", Params: []Param{array, predicate}, Returns: ReturnsFirst})
	add(Function{Name: "map", Params: []Param{array, each}, Returns: ReturnsBodies})
	add(Function{Name: "distinct", Params: []Param{array, optionalEach}, Returns: ReturnsFirst})
	add(Function{Name: "ratio", Params: []Param{array, predicate}, Result: &typeFloat})
	add(Function{Name: "sum", Params: []Param{array, optionalEach}, Returns: ReturnsSum})
	add(Function{Name: "length", Params: []Param{{Name: "value", Accept: AcceptSized}}, Result: &typeInt})
	add(Function{Name: "flatten", Params: []Param{array}, Returns: ReturnsElement})
	add(Function{Name: "keys", Params: []Param{{Name: "map", Accept: AcceptMap}}, Result: ArrayOf(&typeString)})
	add(Function{Name: "values", Params: []Param{{Name: "map", Accept: AcceptMap}}, Returns: ReturnsValues})
	add(Function{Name: "coalesce", Params: []Param{{Name: "value"}}, Variadic: true, Returns: ReturnsJoin})

	text := Param{Name: "text", Accept: AcceptString}
	part := Param{Name: "part", Accept: AcceptString}
	glob := Param{Name: "pattern", Accept: AcceptGlob}
	pattern := Param{Name: "pattern", Accept: AcceptRegexp}
	matches := ArrayOf(&typeRegexMatch)
	for _, i := range []string{"", "i"} {
		for _, name := range []string{"contains", "starts_with", "ends_with"} {
			add(Function{Name: "strings." + i + name, Params: []Param{text, part}, Variadic: true, Result: &typeBool})
		}
		add(Function{Name: "strings." + i + "like", Params: []Param{text, glob}, Variadic: true, Result: &typeBool})
		add(Function{Name: "strings." + i + "levenshtein", Params: []Param{text, part}, Result: &typeInt})
		add(Function{Name: "strings." + i + "count", Params: []Param{text, part}, Result: &typeInt})
		add(Function{Name: "regex." + i + "contains", Params: []Param{text, pattern}, Variadic: true, Result: &typeBool})
		add(Function{Name: "regex." + i + "match", Params: []Param{text, pattern}, Variadic: true, Result: &typeBool})
		add(Function{Name: "regex." + i + "count", Params: []Param{text, pattern}, Variadic: true, Result: &typeInt})
		add(Function{Name: "regex." + i + "extract", Params: []Param{text, pattern}, Variadic: true, Result: matches})
	}
	add(Function{Name: "strings.replace_confusables", Params: []Param{text}, Result: &typeString})
	add(Function{Name: "strings.concat", Params: []Param{text}, Variadic: true, Result: &typeString})
	add(Function{Name: "strings.parse_url", Params: []Param{text}, Keywords: []Param{{Name: "strict", Accept: AcceptBool}}, Result: &typeURL})
	add(Function{Name: "strings.parse_domain", Params: []Param{text}, Result: &typeDomain})
	add(Function{Name: "strings.parse_email", Params: []Param{text}, Result: &typeEmailAddress})
	add(Function{Name: "strings.parse_json", Params: []Param{text}, Result: &typeAny})
	add(Function{Name: "strings.parse_html", Params: []Param{text}, Result: &typeBodyHTML})
	encodings := Param{Name: "encodings", Accept: AcceptStrings}
	base64 := []Param{{Name: "format", Accept: AcceptString, Values: []string{"standard", "url"}}, {Name: "ignore_padding", Accept: AcceptBool}, encodings}
	add(Function{Name: "strings.scan_base64", Params: []Param{text}, Keywords: base64, Result: ArrayOf(&typeString)})
	add(Function{Name: "strings.decode_base64", Params: []Param{text}, Keywords: base64, Result: &typeString})
	add(Function{Name: "hash.sha256", Params: []Param{text}, Result: &typeString})

	htmlParam := Param{Name: "html", Accept: AcceptHTML}
	add(Function{Name: "html.xpath", Params: []Param{htmlParam, {Name: "xpath", Accept: AcceptXPath}}, Result: &typeXPath})
	add(Function{Name: "beta.ip_in", Params: []Param{{Name: "ip", Accept: AcceptIP}, {Name: "network", Accept: AcceptCIDR}}, Variadic: true, Result: &typeBool})

	for _, name := range []string{"profile.by_sender", "profile.by_sender_email", "profile.by_sender_domain", "beta.profile.by_reply_to"} {
		add(Function{Name: name, Result: &typeSenderProfile, Needs: History})
	}

	file := []Param{{Name: "file", Accept: AcceptFile}}
	add(Function{Name: "file.parse_eml", Params: file, Result: &typeMessage})
	add(Function{Name: "file.parse_html", Params: file, Result: &typeBodyHTML})
	add(Function{Name: "file.parse_text", Params: file, Keywords: []Param{encodings}, Result: &typeText})
	add(Function{Name: "file.explode", Params: file, Result: ArrayOf(&typeStrelkaResponse), Needs: Files})
	add(Function{Name: "file.expand_archives", Params: file, Result: &typeArchive, Needs: Files})
	add(Function{Name: "file.oletools", Params: file, Result: &typeOletoolsResult, Needs: Files})
	add(Function{Name: "beta.parse_exif", Params: file, Result: &typeStrelkaExifTool, Needs: Files})
	add(Function{Name: "beta.file.parse_ics", Params: file, Result: &typeICS, Needs: Files})
	add(Function{Name: "beta.scan_qr", Params: file, Result: &typeQR, Needs: QR})
	add(Function{Name: "beta.ocr", Params: file, Result: &typeOCR, Needs: OCR})
	add(Function{Name: "file.message_screenshot", Result: &typeFile, Needs: Screenshot})
	add(Function{Name: "file.html_screenshot", Params: []Param{htmlParam}, Result: &typeFile, Needs: Screenshot})

	add(Function{Name: "ml.nlu_classifier", Params: []Param{text}, Keywords: []Param{{Name: "subject", Accept: AcceptString}}, Result: &typeNLU, Needs: Classifier})
	add(Function{Name: "beta.ml_topic", Params: []Param{text}, Keywords: []Param{{Name: "subject", Accept: AcceptString}}, Result: &typeTopics, Needs: Classifier})
	add(Function{Name: "ml.logo_detect", Params: file, Result: &typeLogoDetectResult, Needs: Logo})
	add(Function{Name: "ml.macro_classifier", Params: file, Result: &typeMacroClassifierResult, Needs: MacroClassifier})
	add(Function{Name: "ml.link_analysis", Params: []Param{{Name: "link", Accept: AcceptLink}}, Keywords: []Param{{Name: "mode", Accept: AcceptString}}, Result: &typeLinkAnalysisResult, Needs: LinkAnalysis})
	add(Function{Name: "network.whois", Params: []Param{{Name: "domain", Accept: AcceptDomain}}, Result: &typeWhoisResult, Needs: Whois})
	add(Function{Name: "beta.ml_translate", Params: []Param{text}, Result: &typeText, Needs: Translation})
	add(Function{Name: "beta.ml_extract_sensitive_information", Params: []Param{text}, Result: &typeSensitive, Needs: Sensitive})
	add(Function{Name: "ml.attack_score", Result: &typeScore, Needs: AttackScore})
	add(Function{Name: "beta.fuzzy_attack_score", Result: &typeScore, Needs: AttackScore})
	return table
}
