-- The people of the last complete run of a source, once that run is forgotten.
CREATE TABLE roster (
    target INTEGER NOT NULL REFERENCES target (id),
    series TEXT    NOT NULL, -- path of the source without its dates
    run    INTEGER NOT NULL,
    data   BLOB    NOT NULL, -- see roster.go
    PRIMARY KEY (target, series)
);
