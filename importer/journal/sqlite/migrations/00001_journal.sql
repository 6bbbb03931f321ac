-- What belongs to the journal as a whole: one row.
CREATE TABLE journal (
    salt BLOB NOT NULL -- key of the digests
);

-- Controllers and client codes that runs are pushed to.
CREATE TABLE target (
    id            INTEGER PRIMARY KEY,
    name          TEXT    NOT NULL UNIQUE,
    folded        INTEGER NOT NULL, -- verdict.id up to which the acceptances are up to date
    sum           INTEGER NOT NULL, -- CRC-32C of name and folded
    user_types    TEXT    NOT NULL DEFAULT '[]', -- the Controller's list as it last gave it, JSON
    user_types_at INTEGER NOT NULL DEFAULT 0     -- when, in microseconds since 1970; 0: never
);

-- Runs. The counters at the end let a reader see that nothing is missing.
CREATE TABLE run (
    id           INTEGER PRIMARY KEY AUTOINCREMENT, -- a number is never used twice: payload files are called after it
    target       INTEGER NOT NULL REFERENCES target (id),
    client       TEXT    NOT NULL,
    source       TEXT    NOT NULL,
    file_hash    TEXT    NOT NULL,
    mapping_hash TEXT    NOT NULL,
    state        TEXT    NOT NULL,
    rows         INTEGER NOT NULL,
    held         TEXT    NOT NULL, -- JSON array of sentences
    reports      TEXT    NOT NULL, -- JSON object: where each report goes
    started_at   INTEGER NOT NULL, -- microseconds since 1970
    finished_at  INTEGER NOT NULL, -- 0: not finished
    slices       INTEGER NOT NULL, -- number of slices stored
    planned      INTEGER NOT NULL, -- number of rows in them
    claimed      INTEGER NOT NULL, -- every pending row up to this one may have been sent
    verdicts     INTEGER NOT NULL, -- number of verdicts stored
    sum          INTEGER NOT NULL  -- CRC-32C of the above
);
CREATE INDEX run_target ON run (target, source);

-- The plan as it was made, 256 row numbers a slice. See slice.go for the BLOB.
CREATE TABLE slice (
    run   INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    slice INTEGER NOT NULL, -- row / 256
    payloads_at   INTEGER NOT NULL, -- where its payloads stand in the run's payload file
    payloads_size INTEGER NOT NULL, -- bytes; 0: none of its rows was pending
    data  BLOB    NOT NULL,
    PRIMARY KEY (run, slice)
);

-- What was found out later about rows of a slice, in the order in which it was:
-- amendments of the plan, and outcomes. See verdict.go for the BLOB.
CREATE TABLE verdict (
    id    INTEGER PRIMARY KEY AUTOINCREMENT, -- orders the outcomes of all runs
    run   INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    slice INTEGER NOT NULL,
    seq   INTEGER NOT NULL, -- 1, 2, 3 … within the run
    data  BLOB    NOT NULL
);
CREATE UNIQUE INDEX verdict_slice ON verdict (run, slice, seq);

-- What the Controller last accepted: digests and reference ids, no text of a
-- person. It follows from the verdicts, and outlives the runs.
CREATE TABLE acceptance (
    target INTEGER NOT NULL REFERENCES target (id),
    key    BLOB    NOT NULL,
    data   BLOB    NOT NULL, -- see acceptance.go
    PRIMARY KEY (target, key)
) WITHOUT ROWID;
