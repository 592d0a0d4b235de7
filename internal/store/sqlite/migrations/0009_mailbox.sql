-- Mailboxes that are read: how far, and what came of the last look.
CREATE TABLE mailbox (
	organisation TEXT NOT NULL,
	name         TEXT NOT NULL,
	cursor       TEXT NOT NULL,
	begun        INTEGER NOT NULL,
	mails        INTEGER NOT NULL,
	refused      INTEGER NOT NULL,
	last_mail    INTEGER NOT NULL,
	last_read    INTEGER NOT NULL,
	failed       INTEGER NOT NULL,
	problem      TEXT NOT NULL, -- JSON
	PRIMARY KEY (organisation, name)
) STRICT, WITHOUT ROWID;

-- Mails of mailboxes that were done with.
CREATE TABLE mailbox_mark (
	organisation TEXT NOT NULL,
	mailbox      TEXT NOT NULL,
	key          TEXT NOT NULL,
	hash         TEXT NOT NULL, -- SHA-256 of the bytes; empty without
	at           INTEGER NOT NULL,
	why          TEXT NOT NULL, -- JSON; empty for a mail that was handed on
	PRIMARY KEY (organisation, mailbox, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX mailbox_mark_hash ON mailbox_mark (organisation, mailbox, hash);
CREATE INDEX mailbox_mark_why ON mailbox_mark (organisation, mailbox, at) WHERE why <> '';

-- What somebody signed in for, sealed.
CREATE TABLE mailbox_token (
	organisation TEXT NOT NULL,
	mailbox      TEXT NOT NULL,
	token        BLOB NOT NULL,
	PRIMARY KEY (organisation, mailbox)
) STRICT, WITHOUT ROWID;
