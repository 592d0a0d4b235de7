package mdm

import (
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/mql/mdm/xpath"
	"github.com/sekisho/sekisho/mql/value"
)

var (
	foundShape = value.NewShape("XPathResult", "nodes")
	nodeShape  = value.NewShape("XPathNode", "raw", "display_text", "inner_text", "links")
)

// maxFound bounds the nodes that one expression gives.
const maxFound = 5000

// What work costs in units of package budget: a node that is found, and a byte
// of HTML that is written or read as one shows it.
const (
	nodeCost = 64
	pageCost = 6
)

// outOfBudget is what is not known because the message cost too much.
var outOfBudget = value.Gap{Capability: "budget", Cause: finding.Budget}

// CheckXPath reports what is wrong with an expression for html.xpath. It is
// what package check asks of one that a rule has as a literal.
func CheckXPath(expr string) error {
	_, err := xpath.Compile(expr)
	return err
}

// xpath is html.xpath: the parts of an HTML object that an expression finds. It
// is null for an expression that cannot be read or finds no nodes.
func (m *Model) xpath(c *value.Call) value.Value {
	o := c.Arg(0).Object()
	expr, ok := c.Arg(1).Str()
	if o == nil || !ok {
		return value.Null
	}
	src, ok := o.Source().(htmlSource)
	if !ok {
		// An object that somebody else made, such as the page behind a link.
		src.text, ok = o.Field("raw").Str()
		if !ok {
			return value.Null
		}
	}
	x, ok := m.exprs[expr]
	if !ok {
		var err error
		if x, err = xpath.Compile(expr); err != nil {
			x = nil
		}
		if m.exprs == nil {
			m.exprs = map[string]*xpath.Expr{}
		}
		m.exprs[expr] = x
	}
	if x == nil {
		return value.Null
	}
	d, ok := m.docs[src.text]
	if !ok {
		var err error
		if d, err = xpath.Parse(src.text, c.Budget); err != nil {
			if c.Budget.Exhausted() {
				return value.Missing(outOfBudget)
			}
			d = nil
		}
		if m.docs == nil {
			m.docs = map[string]*xpath.Document{}
		}
		m.docs[src.text] = d
	}
	if d == nil {
		return value.Missing(outOfBudget)
	}
	nodes, err := x.Find(d, c.Budget)
	switch {
	case c.Budget.Exhausted():
		return value.Missing(outOfBudget)
	case err != nil:
		return value.Null
	}
	in := c.Arg(0).Field("raw")
	if len(nodes) > maxFound {
		nodes = nodes[:maxFound]
	}
	if !c.Budget.Spend(nodeCost * len(nodes)) {
		return value.Missing(outOfBudget)
	}
	items := make([]value.Value, len(nodes))
	for i, n := range nodes {
		v, ok := m.nodes[n]
		if !ok {
			v = m.xpathNode(in, n)
			if m.nodes == nil {
				m.nodes = map[xpath.Node]value.Value{}
			}
			m.nodes[n] = v
		}
		items[i] = v
	}
	return value.Of(foundShape.New(value.Array(items...)))
}

// xpathNode is one node: of an element its HTML and what is shown of it, of an
// attribute or text the value.
func (m *Model) xpathNode(in value.Value, n xpath.Node) value.Value {
	if n.Kind() == xpath.Attribute || n.Kind() == xpath.Text {
		v := value.String(n.Value()).From(in)
		return value.Of(nodeShape.New(v, v, v, value.Array()))
	}
	var page value.Value
	return value.Of(nodeShape.Lazy(func(name string) value.Value {
		if page.IsNull() {
			raw := n.HTML()
			if !m.in.Budget.Spend(pageCost * len(raw)) {
				return value.Missing(outOfBudget)
			}
			page = m.htmlOf(in, raw)
		}
		return page.Field(name)
	}))
}
