-- Mails: what lists show and search. The verdict has a table of its own, so that
-- a list need not read past it.
CREATE TABLE mail (
	row          INTEGER PRIMARY KEY,
	organisation TEXT NOT NULL,
	id           TEXT NOT NULL, -- SHA-256 of the bytes and the envelope
	blob         TEXT NOT NULL, -- SHA-256 of the bytes
	kept         INTEGER NOT NULL,
	at           INTEGER NOT NULL, -- date of the mail
	from_name    TEXT NOT NULL,
	from_address TEXT NOT NULL,
	recipients   TEXT NOT NULL, -- JSON
	subject      TEXT NOT NULL,
	size         INTEGER NOT NULL,
	verdict      TEXT NOT NULL,
	score        INTEGER NOT NULL,
	reason       TEXT NOT NULL, -- JSON
	source       TEXT NOT NULL,
	label        TEXT NOT NULL,
	envelope     TEXT NOT NULL, -- JSON, '' where unknown
	words        TEXT NOT NULL, -- subject, names and addresses in one case and width
	UNIQUE (organisation, id)
) STRICT;
CREATE INDEX mail_by_at ON mail (organisation, at DESC, id);
CREATE INDEX mail_by_verdict ON mail (organisation, verdict, label, at DESC, id);
CREATE INDEX mail_by_kept ON mail (organisation, kept);
CREATE INDEX mail_by_blob ON mail (blob);

CREATE TABLE mail_verdict (
	mail    INTEGER PRIMARY KEY REFERENCES mail (row) ON DELETE CASCADE,
	verdict BLOB NOT NULL -- JSON, gzip
) STRICT;

-- Runs of three characters of mail.words, for search.
CREATE VIRTUAL TABLE mail_text USING fts5 (words, content='', contentless_delete=1, tokenize='trigram case_sensitive 1');
-- The runs by themselves: a word of one or two characters is looked up in them.
CREATE VIRTUAL TABLE mail_run USING fts5vocab(mail_text, row);
