// Package syntax reads the Message Query Language: the language in which the
// rules of Sublime Security, and those of sekisho, ask questions about a mail.
//
// [Parse] turns a source into a tree of [Expr] nodes. Every node knows its
// bytes in the source; comments are kept, so that [Format] can rewrite a
// source without losing a word. A source with mistakes gives several
// diagnostics with their place and what to do, and as much of a tree as could
// be read.
//
// The language, as documented at https://docs.sublime.security/docs/syntax:
//
//	source    = expr
//	or        = and { "or" and }
//	and       = not { "and" not }
//	not       = "not" not | compare
//	compare   = add { ("==" | "!=" | "=~" | "!~" | "<" | "<=" | ">" | ">=") add }
//	          | add "is" [ "not" ] "null"
//	          | add [ "not" ] ( "in" | "in~" ) ( tuple | add )
//	add       = mul { ( "+" | "-" ) mul }
//	mul       = unary { ( "*" | "/" | "%" ) unary }
//	unary     = "-" unary | postfix
//	postfix   = primary { "." ident | "[" expr "]" | "[" [ expr ] ":" [ expr ] "]" | call }
//	primary   = int "of" "(" expr { "," expr } ")" | literal | "$" ident | ident
//	          | "." { "." } [ ident ] | "[" [ expr { "," expr } ] "]" | "(" expr ")"
//
// Only < and <= chain. A call follows a dotted name only;
// its arguments by name (mode="aggressive") come last. Every list may end in a
// comma. A string in double quotes knows the escapes \r \n \t \' \" \\ and
// \u{...}; one in single quotes is raw, and two apostrophes in it are one.
package syntax
