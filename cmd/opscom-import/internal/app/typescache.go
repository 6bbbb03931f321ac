package app

import (
	"sync"
	"time"

	"opscom-import/mapping"
)

// TypesCache remembers the user types that each target has listed, so that checks that
// follow one another do not ask again each time. It may be used by several goroutines.
type TypesCache struct {
	mu       sync.Mutex
	byTarget map[string]listedTypes
}

type listedTypes struct {
	list []mapping.UserType
	at   time.Time
}

// typesLast is how long a list is remembered: a user type that was created in OPS-COM
// meanwhile is known after that.
const typesLast = time.Minute

// get returns the list of a target, and false when none is remembered. A nil cache
// remembers nothing.
func (c *TypesCache) get(target string, now time.Time) ([]mapping.UserType, bool) {
	if c == nil {
		return nil, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	listed, ok := c.byTarget[target]
	return listed.list, ok && now.Sub(listed.at) < typesLast
}

func (c *TypesCache) put(target string, list []mapping.UserType, now time.Time) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byTarget == nil {
		c.byTarget = map[string]listedTypes{}
	}
	c.byTarget[target] = listedTypes{list, now}
}
