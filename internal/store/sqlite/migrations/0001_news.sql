-- Sources: what came of the pulls of each.
CREATE TABLE news_source (
	organisation TEXT NOT NULL,
	id           TEXT NOT NULL,
	state        TEXT NOT NULL, -- JSON
	PRIMARY KEY (organisation, id)
) STRICT, WITHOUT ROWID;

-- Documents as they were fetched, for what items were read from.
CREATE TABLE news_snapshot (
	organisation TEXT NOT NULL,
	id           TEXT NOT NULL, -- "sha256:..."
	at           INTEGER NOT NULL,
	body         BLOB NOT NULL, -- gzip
	PRIMARY KEY (organisation, id)
) STRICT;

-- Items: one row for each version; the newest is what counts.
CREATE TABLE news_item (
	organisation TEXT NOT NULL,
	id           TEXT NOT NULL,
	version      INTEGER NOT NULL,
	newest       INTEGER NOT NULL, -- 1 for the last version
	source       TEXT NOT NULL,
	at           INTEGER NOT NULL, -- when this version was read
	snapshot     TEXT NOT NULL,
	item         TEXT NOT NULL, -- JSON
	change       TEXT NOT NULL, -- JSON, what changed since the version before
	PRIMARY KEY (organisation, id, version)
) STRICT;
CREATE INDEX news_item_newest ON news_item (organisation, newest, at);

-- Stories: what items tell together, with the grade.
CREATE TABLE news_story (
	organisation TEXT NOT NULL,
	id           TEXT NOT NULL,
	grade        TEXT NOT NULL,
	last         INTEGER NOT NULL, -- time of the last item
	story        TEXT NOT NULL, -- JSON
	PRIMARY KEY (organisation, id)
) STRICT;
CREATE INDEX news_story_last ON news_story (organisation, last);

CREATE TABLE news_story_item (
	organisation TEXT NOT NULL,
	item         TEXT NOT NULL,
	story        TEXT NOT NULL,
	PRIMARY KEY (organisation, item),
	FOREIGN KEY (organisation, story) REFERENCES news_story (organisation, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX news_story_item_story ON news_story_item (organisation, story);

-- Advisories: one row for each version of what was written about a subject.
CREATE TABLE advisory (
	organisation TEXT NOT NULL,
	id           TEXT NOT NULL, -- hash of the content
	subject      TEXT NOT NULL, -- the story
	version      INTEGER NOT NULL,
	at           INTEGER NOT NULL,
	document     TEXT NOT NULL, -- JSON
	PRIMARY KEY (organisation, id),
	UNIQUE (organisation, subject, version)
) STRICT;
