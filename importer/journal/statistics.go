package journal

import "time"

// Stats say how large a journal is.
type Stats struct {
	Bytes      int64 // of its database, log and payloads
	Runs       int
	Unfinished int       // of them, held and stopped ones included
	Oldest     time.Time // when the oldest run started; zero when there is none
}

// Statistics are the measures of a journal. They hold nothing of what is stored.
type Statistics struct {
	Schema    int   // version
	Pages     int64 // of the database
	FreePages int64
	PageSize  int64        // bytes
	Tables    []TableCount // by name
}

// TableCount is how many rows a table of the database has.
type TableCount struct {
	Table string
	Rows  int64
}
