// Package m365 reads what Microsoft 365 writes into a message and decides from
// it whether a mail that uses the organisation's own domain came from outside
// without anybody signing in (Direct Send abuse and its relatives).
//
// The hard part is trust. A header field is only words, and most of a header
// was written by the sender. [NewPath] finds the hop at which Exchange Online
// took the message over, and from there the fields that Exchange Online wrote;
// [Path.Provenance] says so for each field. [ReadStamps] and [Authenticate]
// read those fields, and [DirectSend] decides step by step, quoting the very
// words that decided.
//
// # Where Exchange Online writes
//
// Measured over some thousand messages exported from Exchange Online
// mailboxes, nearly every header has this order (in some, a Return-Path that the
// sender wrote keeps its place among his fields):
//
//	Received: ... by a mailbox server              hops inside Exchange Online
//	Authentication-Results, Received-SPF           written by the front end
//	Received: from SENDER (IP) by *.mail.protection.outlook.com     the ingress
//	the fields of the message as it was sent
//	Return-Path                                    replaced on delivery
//	X-MS-Exchange-Organization-*, X-MS-Exchange-CrossTenant-*, ...  the tail
//
// So Authentication-Results count above the ingress only. The fields named
// X-MS-Exchange-Organization-* are removed from mail that arrives from outside
// (the header firewall), and then written at the end. This package therefore
// believes them in two places: above the ingress, and in the tail, which is
// the run of fields at the end of the header that only Exchange Online writes.
// Among the fields of the sender they are never believed. Neither place exists
// in a file that does not come from an Exchange Online mailbox, which the
// topmost Received field tells.
//
// Sources: https://learn.microsoft.com/defender-office-365/message-headers-eop-mdo,
// https://learn.microsoft.com/exchange/header-firewall-exchange-2013-help.
package m365
