package html

import "golang.org/x/net/html/atom"

// kind says how an element takes part in the rules of the tree (HTML standard
// section 13.2.6).
type kind uint16

const (
	void       kind = 1 << iota // has no content
	formatting                  // reopened when a block around it is closed
	special                     // not closed by the end tag of an inline element outside
	breaks                      // starts and ends a line
	paragraph                   // has a blank line around it
	closesP                     // its start tag closes an open p
	scope                       // end tags inside do not reach out of it
	clears                      // its end tag ends formatting that was opened inside
	unseen                      // its text is never shown
	tabular                     // text in it is moved before the table
)

var kinds = map[atom.Atom]kind{
	atom.Area: void, atom.Base: void, atom.Basefont: void, atom.Bgsound: void, atom.Br: void, atom.Col: void, atom.Embed: void,
	atom.Frame: void, atom.Hr: void | closesP, atom.Img: void, atom.Image: void, atom.Input: void, atom.Keygen: void,
	atom.Link: void, atom.Meta: void, atom.Param: void, atom.Source: void, atom.Track: void, atom.Wbr: void,

	atom.A: formatting, atom.B: formatting, atom.Big: formatting, atom.Code: formatting, atom.Em: formatting,
	atom.Font: formatting, atom.I: formatting, atom.Nobr: formatting, atom.S: formatting, atom.Small: formatting,
	atom.Strike: formatting, atom.Strong: formatting, atom.Tt: formatting, atom.U: formatting,

	atom.Address: special | breaks | closesP, atom.Article: special | breaks | closesP, atom.Aside: special | breaks | closesP,
	atom.Center: special | breaks | closesP, atom.Details: special | breaks | closesP, atom.Dir: special | breaks | closesP,
	atom.Div: special | breaks | closesP, atom.Dl: special | breaks | closesP, atom.Fieldset: special | breaks | closesP,
	atom.Figcaption: special | breaks | closesP, atom.Figure: special | breaks | closesP, atom.Footer: special | breaks | closesP,
	atom.Form: special | breaks | closesP, atom.Header: special | breaks | closesP, atom.Hgroup: special | breaks | closesP,
	atom.Main: special | breaks | closesP, atom.Menu: special | breaks | closesP, atom.Nav: special | breaks | closesP,
	atom.Ol: special | breaks | closesP, atom.Section: special | breaks | closesP, atom.Summary: special | breaks | closesP,
	atom.Ul: special | breaks | closesP, atom.Listing: special | breaks | closesP, atom.Xmp: special | breaks | closesP,
	atom.Plaintext:  special | breaks | closesP,
	atom.Blockquote: special | breaks | paragraph | closesP, atom.Pre: special | breaks | paragraph | closesP,
	atom.P: special | breaks | paragraph | closesP, atom.Li: special | breaks | closesP,
	atom.Dd: special | breaks | closesP, atom.Dt: special | breaks | closesP,
	atom.H1: special | breaks | paragraph | closesP, atom.H2: special | breaks | paragraph | closesP,
	atom.H3: special | breaks | paragraph | closesP, atom.H4: special | breaks | paragraph | closesP,
	atom.H5: special | breaks | paragraph | closesP, atom.H6: special | breaks | paragraph | closesP,

	atom.Table: special | breaks | closesP | scope | tabular, atom.Tbody: special | breaks | tabular, atom.Thead: special | breaks | tabular,
	atom.Tfoot: special | breaks | tabular, atom.Tr: special | breaks | tabular, atom.Td: special | scope | clears,
	atom.Th: special | scope | clears, atom.Caption: special | breaks | scope | clears, atom.Colgroup: special,
	atom.Body: special | breaks, atom.Html: special | scope, atom.Head: special,
	atom.Button: special, atom.Object: special | scope | clears, atom.Applet: special | scope | clears, atom.Marquee: special | breaks | scope | clears,
	atom.Select: special, atom.Textarea: special | breaks,
	atom.Option: breaks, atom.Optgroup: breaks, atom.Legend: breaks, atom.Dialog: breaks | closesP,

	atom.Script: special | unseen, atom.Style: special | unseen, atom.Title: special | unseen, atom.Template: special | scope | clears | unseen,
	atom.Iframe: special | unseen, atom.Noembed: special | unseen, atom.Noframes: special | unseen, atom.Datalist: unseen, atom.Rp: unseen,
}

// implied lists the open elements that a start tag ends, and those that it
// looks for them through.
var implied = map[atom.Atom]struct{ ends, within []atom.Atom }{
	atom.Li:     {[]atom.Atom{atom.Li}, []atom.Atom{atom.Address, atom.Div, atom.P}},
	atom.Dd:     {[]atom.Atom{atom.Dd, atom.Dt}, []atom.Atom{atom.Address, atom.Div, atom.P}},
	atom.Dt:     {[]atom.Atom{atom.Dd, atom.Dt}, []atom.Atom{atom.Address, atom.Div, atom.P}},
	atom.Option: {[]atom.Atom{atom.Option}, nil},
	atom.Button: {[]atom.Atom{atom.Button}, []atom.Atom{atom.P, atom.Div}},
	atom.Td:     {[]atom.Atom{atom.Td, atom.Th}, cellContent},
	atom.Th:     {[]atom.Atom{atom.Td, atom.Th}, cellContent},
	atom.Tr:     {[]atom.Atom{atom.Tr}, append([]atom.Atom{atom.Td, atom.Th}, cellContent...)},
	atom.Tbody:  {[]atom.Atom{atom.Tbody, atom.Thead, atom.Tfoot, atom.Caption}, append([]atom.Atom{atom.Tr, atom.Td, atom.Th}, cellContent...)},
	atom.Thead:  {[]atom.Atom{atom.Tbody, atom.Thead, atom.Tfoot, atom.Caption}, append([]atom.Atom{atom.Tr, atom.Td, atom.Th}, cellContent...)},
	atom.Tfoot:  {[]atom.Atom{atom.Tbody, atom.Thead, atom.Tfoot, atom.Caption}, append([]atom.Atom{atom.Tr, atom.Td, atom.Th}, cellContent...)},
	atom.A:      {[]atom.Atom{atom.A}, nil},
}

// cellContent are the blocks that may be left open in a table cell.
var cellContent = []atom.Atom{
	atom.Address, atom.Blockquote, atom.Center, atom.Dd, atom.Div, atom.Dl, atom.Dt, atom.Form, atom.H1, atom.H2, atom.H3, atom.H4,
	atom.H5, atom.H6, atom.Li, atom.Ol, atom.P, atom.Pre, atom.Section, atom.Ul, atom.Button, atom.Select,
}
