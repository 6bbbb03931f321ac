package fleet

import (
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/riverqueue/river"
)

// Schema is where River keeps its jobs.
const Schema = "river"

// laneQueue returns River's queue of the jobs of a Controller's clients: a worker pushes to one Controller, and lanes of
// others would only come to it in vain. Operators see the name.
func laneQueue(controller string) string {
	u, err := url.Parse(controller)
	if err != nil || u.Host == "" {
		return "lanes"
	}
	host := strings.Trim(notInQueues.ReplaceAllString(strings.ToLower(u.Host), "-"), "-")
	hash := sha256.Sum256([]byte(controller))
	return fmt.Sprintf("lanes-%s-%x", strings.TrimRight(host[:min(len(host), 40)], "-"), hash[:4])
}

var notInQueues = regexp.MustCompile("[^a-z0-9]+")

// Priority says whose run goes first when there are more lanes than slots.
type Priority int

// A person waits for the end of their push; nobody does for one at night.
const (
	Person    Priority = 1
	Scheduled Priority = 2
)

// LaneArgs is the job of a lane.
type LaneArgs struct {
	Run   int64 `json:"run"`
	Lane  int   `json:"lane"`
	Epoch int   `json:"epoch"` // the lane's when the job was made: with another epoch it does nothing
}

// Kind is of river.JobArgs.
func (LaneArgs) Kind() string { return "lane" }

// InsertOpts is of river.JobArgs. That the job is tried so often means nothing: the lane of
// one that is given up gets another. The queue is the Controller's.
func (LaneArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{MaxAttempts: 25, UniqueOpts: river.UniqueOpts{ByArgs: true}}
}

func (a LaneArgs) attrs() slog.Attr {
	return slog.Group("", "run", a.Run, "lane", a.Lane, "epoch", a.Epoch)
}

// How long things last unless a test says otherwise.
const (
	defaultLease = 10 * time.Second // of a lane
	defaultTurn  = 30 * time.Second // of a lane, while others wait
	maxTurns     = 10               // that a lane may have one after another, while nobody waits

	// A job whose worker cannot say any more what became of it is put into the line again by
	// River after rescueAfter; its lane has long gone on with another job then.
	jobTimeout  = 10 * time.Minute
	rescueAfter = 15 * time.Minute
)
