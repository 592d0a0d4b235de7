-- Aggregate reports on DMARC. Times are those of the report.
CREATE TABLE dmarc_report (
	id             INTEGER PRIMARY KEY,
	organisation TEXT NOT NULL,
	domain         TEXT NOT NULL,
	org            TEXT NOT NULL, -- the reporter
	report_id      TEXT NOT NULL,
	begin          INTEGER NOT NULL,
	until          INTEGER NOT NULL,
	hash           BLOB NOT NULL, -- SHA-256 of the report as written
	carrier        TEXT NOT NULL, -- whether the mail that brought it was authentic
	carrier_domain TEXT NOT NULL,
	added          INTEGER NOT NULL,
	records        INTEGER NOT NULL,
	messages       INTEGER NOT NULL,
	passing        INTEGER NOT NULL, -- messages that passed DMARC
	head           TEXT NOT NULL, -- JSON: all of the report but its records
	UNIQUE (organisation, org, report_id, domain, begin, until)
) STRICT;
CREATE INDEX dmarc_report_begin ON dmarc_report (organisation, begin);
CREATE INDEX dmarc_report_hash ON dmarc_report (organisation, hash);

CREATE TABLE dmarc_record (
	report        INTEGER NOT NULL REFERENCES dmarc_report (id) ON DELETE CASCADE,
	n             INTEGER NOT NULL,
	organisation TEXT NOT NULL,
	ip            TEXT NOT NULL,
	count         INTEGER NOT NULL,
	disposition   TEXT NOT NULL,
	dkim          TEXT NOT NULL, -- as the reporter evaluated it
	spf           TEXT NOT NULL,
	dkim_aligned  INTEGER NOT NULL, -- computed again from the results
	spf_aligned   INTEGER NOT NULL,
	header_from   TEXT NOT NULL,
	envelope_from TEXT NOT NULL,
	envelope_to   TEXT NOT NULL,
	results       TEXT NOT NULL, -- JSON: results of DKIM and SPF, reasons for an override
	PRIMARY KEY (report, n)
) STRICT, WITHOUT ROWID;

-- Reports that were read at any time, those that another replaced included.
CREATE TABLE report_seen (
	organisation TEXT NOT NULL,
	hash         BLOB NOT NULL,
	PRIMARY KEY (organisation, hash)
) STRICT, WITHOUT ROWID;

-- Failure reports, and reports on SMTP TLS.
CREATE TABLE report_other (
	id             INTEGER PRIMARY KEY,
	organisation TEXT NOT NULL,
	kind           TEXT NOT NULL, -- failure, tls
	key            TEXT NOT NULL, -- the identity within its kind
	at             INTEGER NOT NULL, -- arrival of the message, begin of the period
	hash           BLOB NOT NULL,
	carrier        TEXT NOT NULL,
	carrier_domain TEXT NOT NULL,
	added          INTEGER NOT NULL,
	report         TEXT NOT NULL, -- JSON
	UNIQUE (organisation, kind, key)
) STRICT;
CREATE INDEX report_other_at ON report_other (organisation, at);
