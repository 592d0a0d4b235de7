package grounding

// sign is something about a sentence that speaks against its being borne out.
type sign int

const (
	sInvented    sign = iota // a thing of which no source speaks
	sRival                   // the source has another thing of its class instead
	sStranger                // a name in katakana that no source has
	sHarm                    // a harm, an arrest, an apology of which no source tells
	sHarmDenied              // that the source denies
	sHarmDoubted             // that the source only suspects
	sDenied                  // a thing of which the source speaks only to deny it
	sDoubted                 // or only with doubt
	sToo                     // "this one as well", which the source takes out
	sOpposite                // the opposite is said of the same
	sFlatly                  // clearly so
	sUncertain               // the source is less sure of it
	sMood                    // a denial beside a statement
	sDoubt                   // the best sentence of the source doubts it
	sFuture                  // it has not happened yet
	sAll
	sOnly
	sMost
	sBound    // more than, where the source has up to
	sReversed // from 5 to 3, where the source has from 3 to 5
	sWhole    // the number of all, taken for a part
	sUnit     // counts something else in the source
	sDateDoes // on the date something else happened
	sDateIs   // and to something else
	sCountDoes
	sCountIs
	sNameIs
	sPlace      // the date or identifier stands in a sentence about something else
	sUncovered  // how much no sentence of the source has, in the same language
	sUncoveredX // the same across languages
	sLetters    // pairs of characters that the best sentence does not have
	signs
)

// weighing is what a sign weighs and as what it is told. The weights were fitted to
// the labelled sentences that may be read (see advisory/testdata/grounding), by
// logistic regression that holds on to what a sign is worth by its nature; each sign
// speaks against a sentence or not at all.
type weighing struct {
	weight float64
	kind   Kind
}

var weights = [signs]weighing{
	sInvented:    {2.2, Nowhere},
	sRival:       {2.1, Nowhere},
	sStranger:    {3.2, Nowhere},
	sHarm:        {2.0, Nowhere},
	sHarmDenied:  {2.4, Opposite},
	sHarmDoubted: {1.0, Certainty},
	sDenied:      {2.0, Opposite},
	sDoubted:     {1.0, Certainty},
	sToo:         {3.2, Opposite},
	sOpposite:    {2.4, Opposite},
	sFlatly:      {0.8, Opposite},
	sUncertain:   {2.1, Certainty},
	sMood:        {3.0, Opposite},
	sDoubt:       {2.8, Certainty},
	sFuture:      {3.5, Certainty},
	sAll:         {4.3, Scope},
	sOnly:        {2.2, Scope},
	sMost:        {2.9, Scope},
	sBound:       {3.7, Opposite},
	sReversed:    {4.0, Opposite},
	sWhole:       {2.6, Elsewhere},
	sUnit:        {1.4, Elsewhere},
	sDateDoes:    {1.3, Elsewhere},
	sDateIs:      {0.9, Elsewhere},
	sCountDoes:   {0.7, Elsewhere},
	sCountIs:     {0.8, Elsewhere},
	sNameIs:      {0.7, Elsewhere},
	sPlace:       {2.0, Elsewhere},
	sUncovered:   {1.7, Nowhere},
	sUncoveredX:  {2.5, Nowhere},
	sLetters:     {0.3, Nowhere},
}

const (
	// trust is what a sentence starts with.
	trust = -2.5
	// limit is the sum of weights from which a sentence is flagged.
	limit = 0.6
)

// weigh flags a sentence if enough speaks against it, as what weighs most.
func (a *alignment) weigh() {
	x := a.signs()
	sum, most := trust, 0.0
	best := sInvented
	for s, v := range x {
		w := v * weights[s].weight
		sum += w
		if w > most {
			best, most = sign(s), w
		}
	}
	if sum > limit {
		want := ""
		if a.best >= 0 {
			want = a.c.g.sentences[a.best].text
		}
		a.c.flag(weights[best].kind, a.c.text, want)
	}
}

// signs returns how much of each sign a sentence shows, from 0 to 1.
func (a *alignment) signs() [signs]float64 {
	var x [signs]float64
	a.things(&x)
	a.harms(&x)
	a.strangers(&x)
	a.denied(&x)
	a.too(&x)
	x[sOpposite], x[sUncertain] = a.polarity()
	if x[sOpposite] > 0.7 {
		x[sFlatly] = 1
	}
	x[sMood] = a.mood()
	a.doubt(&x)
	a.quantities(&x)
	a.reversed(&x)
	a.most(&x)
	a.parts(&x)
	a.anchors(&x)
	a.places(&x)
	a.coverage(&x)
	if x[sInvented] > 0 {
		// What is invented is not covered: it counts once.
		x[sUncovered], x[sUncoveredX] = x[sUncovered]/2, x[sUncoveredX]/2
	}
	return x
}
