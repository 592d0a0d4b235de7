// Package text reads plain text as mail programs do: it finds the addresses
// that they turn into links, and takes a message apart into what its sender
// wrote and what stood in the messages below.
//
// The same text may be the display text of an HTML page; see the Page of
// package extract/html.
package text
