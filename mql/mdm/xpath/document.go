// Package xpath finds parts of an HTML document by XPath 1.0
// (https://www.w3.org/TR/1999/REC-xpath-19991116/), as rules of the Message
// Query Language ask for them: without namespaces and variables.
//
// A document is kept as a list of its nodes in document order, so that the
// descendants of a node are a stretch of the list. Work is charged to a budget:
// expressions and documents are both written by strangers.
package xpath

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/net/html"

	"github.com/sekisho/sekisho/budget"
)

// Kind is the type of a node.
type Kind uint8

// The kinds of nodes.
const (
	Root Kind = iota
	Element
	Attribute
	Text
	Comment
)

// ErrDocument means that a document is too large or nested too deeply.
var ErrDocument = errors.New("xpath: the document cannot be read")

// Limits on documents.
const (
	maxDocument = 4 << 20 // bytes
	maxNodes    = 500_000
	maxDepth    = 1000
)

// Document is an HTML document. It is immutable and safe for concurrent use.
type Document struct {
	nodes    []node
	elements map[string][]int32 // by name, in document order
}

// node is a node of a document. The attributes of an element follow it in the
// list, and then its children.
type node struct {
	kind   Kind
	name   string // of an element or attribute
	value  string // of an attribute, text or comment
	parent int32  // -1 for the root
	end    int32  // place after the last descendant
	source *html.Node
}

// Node is one node of a document.
type Node struct {
	d *Document
	i int32
}

// Parse reads a document as browsers do, with the elements that they imply. The
// error is [ErrDocument].
func Parse(text string, b *budget.Budget) (*Document, error) {
	if len(text) > maxDocument || !b.Spend(8*len(text)) {
		return nil, ErrDocument
	}
	root, err := html.Parse(strings.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDocument, err)
	}
	d := &Document{elements: map[string][]int32{}}
	if !d.add(root, -1, 0) {
		return nil, ErrDocument
	}
	return d, nil
}

func (d *Document) add(n *html.Node, parent int32, depth int) bool {
	if depth > maxDepth || len(d.nodes) > maxNodes {
		return false
	}
	at := int32(len(d.nodes))
	x := node{parent: parent, source: n}
	switch n.Type {
	case html.DocumentNode:
		x.kind = Root
	case html.ElementNode:
		x.kind, x.name = Element, n.Data
		d.elements[n.Data] = append(d.elements[n.Data], at)
	case html.TextNode:
		x.kind, x.value = Text, n.Data
	case html.CommentNode:
		x.kind, x.value = Comment, n.Data
	default:
		return true // a document type is no node of XPath
	}
	d.nodes = append(d.nodes, x)
	for _, a := range n.Attr {
		d.nodes = append(d.nodes, node{kind: Attribute, name: a.Key, value: a.Val, parent: at, end: int32(len(d.nodes)) + 1})
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if !d.add(c, at, depth+1) {
			return false
		}
	}
	d.nodes[at].end = int32(len(d.nodes))
	return true
}

// Kind returns the type of the node.
func (n Node) Kind() Kind { return n.d.nodes[n.i].kind }

// Name returns the name of an element or attribute, empty for other nodes.
func (n Node) Name() string { return n.d.nodes[n.i].name }

// Value returns the string value (XPath section 5): the text in an element, the
// value of an attribute, or the text itself.
func (n Node) Value() string {
	s, _ := n.d.value(n.i, nil)
	return s
}

// HTML writes the node as HTML; of an attribute or text it is the value.
func (n Node) HTML() string {
	x := n.d.nodes[n.i]
	if x.kind == Attribute || x.kind == Text {
		return x.value
	}
	var b strings.Builder
	if html.Render(&b, x.source) != nil {
		return ""
	}
	return b.String()
}

// value returns the string value of a node and whether it could be paid for.
func (d *Document) value(i int32, b *budget.Budget) (string, bool) {
	x := &d.nodes[i]
	if x.kind != Element && x.kind != Root {
		return x.value, b.Spend(1)
	}
	if !b.Spend(int(x.end - i)) {
		return "", false
	}
	first, more, size := "", false, 0
	for j := i + 1; j < x.end; j++ {
		if d.nodes[j].kind == Text {
			more = more || size > 0
			if size == 0 {
				first = d.nodes[j].value
			}
			size += len(d.nodes[j].value)
		}
	}
	if !more {
		return first, true
	}
	if !b.Spend(size) {
		return "", false
	}
	var out strings.Builder
	out.Grow(size)
	for j := i + 1; j < x.end; j++ {
		if d.nodes[j].kind == Text {
			out.WriteString(d.nodes[j].value)
		}
	}
	return out.String(), true
}
