package schema

// These types are not in the published document. Their fields are those that
// published rules read and that the documentation of the function names.
var (
	typeDaysSince = Type{Kind: Object, Name: "DaysSince", Fields: []Field{
		{Name: "first_contact", Type: &typeFloat, Unpublished: true},
		{Name: "last_contact", Type: &typeFloat, Unpublished: true},
		{Name: "last_inbound", Type: &typeFloat, Unpublished: true},
		{Name: "last_outbound", Type: &typeFloat, Unpublished: true},
	}}

	typeTriage = Type{Kind: Object, Name: "Triage", Fields: []Field{
		{Name: "agents", Type: &Type{Kind: Object, Name: "TriageAgents", Fields: []Field{
			{Name: "asa", Type: &Type{Kind: Object, Name: "TriageAgent", Fields: []Field{
				{Name: "verdict", Type: &typeString},
			}}},
		}}},
		{Name: "classification", Type: &Type{Kind: Object, Name: "TriageClassification", Fields: []Field{
			{Name: "classification", Type: &typeString},
		}}},
		{Name: "flagged_rules", Type: &Type{Kind: Array, Elem: &typeAny}},
		{Name: "trigger", Type: &typeString},
		{Name: "user_reports", Type: &Type{Kind: Object, Name: "TriageUserReports", Fields: []Field{
			{Name: "count", Type: &typeInt},
		}}},
	}}

	typeNLU = Type{Kind: Object, Name: "NLUResult", Fields: []Field{
		{Name: "entities", Type: &Type{Kind: Array, Elem: &typeNLUEntity}},
		{Name: "error", Type: &typeString},
		{Name: "intents", Type: &Type{Kind: Array, Elem: &typeNLUIntent}},
		{Name: "language", Type: &typeString},
		{Name: "success", Type: &typeBool},
		{Name: "tags", Type: &Type{Kind: Array, Elem: &typeNLUContent}},
		{Name: "topics", Type: &Type{Kind: Array, Elem: &typeTopic}},
	}}

	typeTopics = Type{Kind: Object, Name: "TopicResult", Fields: []Field{
		{Name: "topics", Type: &Type{Kind: Array, Elem: &typeTopic}},
	}}

	typeOCR = Type{Kind: Object, Name: "OCRResult", Fields: []Field{
		{Name: "page_results", Type: &Type{Kind: Array, Elem: &Type{Kind: Object, Name: "OCRPage", Fields: []Field{
			{Name: "text", Type: &typeString},
		}}}},
		{Name: "success", Type: &typeBool},
		{Name: "text", Type: &typeString},
	}}

	typeQR = Type{Kind: Object, Name: "QRResult", Fields: []Field{
		{Name: "found", Type: &typeBool},
		{Name: "items", Type: &Type{Kind: Array, Elem: &typeStrelkaQR}},
	}}

	typeXPath = Type{Kind: Object, Name: "XPathResult", Fields: []Field{
		{Name: "nodes", Type: &Type{Kind: Array, Elem: &Type{Kind: Object, Name: "XPathNode", Fields: []Field{
			{Name: "display_text", Type: &typeString},
			{Name: "inner_text", Type: &typeString},
			{Name: "links", Type: &Type{Kind: Array, Elem: &typeLink}},
			{Name: "raw", Type: &typeString},
		}}}},
	}}

	typeText = Type{Kind: Object, Name: "TextResult", Fields: []Field{
		{Name: "text", Type: &typeString},
	}}

	typeArchive = Type{Kind: Object, Name: "ArchiveResult", Fields: []Field{
		{Name: "files", Type: &Type{Kind: Array, Elem: &typeFile}, Unpublished: true},
	}}

	typeICS = Type{Kind: Object, Name: "ICSResult", Fields: []Field{
		{Name: "events", Type: &Type{Kind: Array, Elem: &Type{Kind: Object, Name: "ICSEvent", Fields: []Field{
			{Name: "description", Type: &typeString},
			{Name: "description_html", Type: &typeBodyHTML},
			{Name: "links", Type: &Type{Kind: Array, Elem: &typeLink}},
			{Name: "raw_properties", Type: &Type{Kind: Array, Elem: &typeStrelkaKeyVal}},
		}}}},
		{Name: "product_id", Type: &typeString},
		{Name: "scale", Type: &typeString},
	}}

	typeSensitive = Type{Kind: Object, Name: "SensitiveResult", Fields: []Field{
		{Name: "elements", Type: &Type{Kind: Array, Elem: &Type{Kind: Object, Name: "SensitiveElement", Fields: []Field{
			{Name: "confidence", Type: &typeString},
			{Name: "text", Type: &typeString},
			{Name: "type", Type: &typeString},
		}}}},
	}}

	typeScore = Type{Kind: Object, Name: "AttackScore", Fields: []Field{
		{Name: "verdict", Type: &typeString},
	}}

	typePerson = Type{Kind: Object, Name: "Person", Fields: []Field{
		{Name: "display_name", Type: &typeString},
		{Name: "email", Type: &typeString},
	}}
)
