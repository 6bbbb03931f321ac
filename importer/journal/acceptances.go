package journal

import (
	"context"

	"opscom-import/importer"
	"opscom-import/importer/journal/internal/format"
)

// Acceptances looks up what the Controller last accepted. It holds what the journal
// knows of a target when it is first asked, some 50 bytes a key: drop it after a plan.
// It is for one goroutine at a time.
type Acceptances struct {
	load   func(ctx context.Context, target string) (*format.Acceptances, error)
	wrap   func(action string, err error) error
	target string // of which it holds the acceptances
	held   *format.Acceptances
	owners *format.OwnerIndex // nil until someone asks for an owner
}

// NewAcceptances returns what looks up the acceptances that load loads. wrap adds what could
// not be done to an error.
func NewAcceptances(load func(ctx context.Context, target string) (*format.Acceptances, error), wrap func(action string, err error) error) *Acceptances {
	return &Acceptances{load: load, wrap: wrap}
}

// Accepted returns what the Controller last accepted for each of the keys; those
// for which that is not known are not in the map.
func (a *Acceptances) Accepted(ctx context.Context, target string, keys []importer.Digest) (map[importer.Digest]importer.Acceptance, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	if err := a.hold(ctx, target); err != nil {
		return nil, err
	}
	found := make(map[importer.Digest]importer.Acceptance, len(keys))
	for _, key := range keys {
		accepted, ok, err := a.held.Find(key)
		if err != nil {
			return nil, a.wrap(LookUp, err)
		}
		if ok {
			found[key] = accepted.Acceptance
		}
	}
	return found, nil
}

// hold makes sure that the acceptances of the target are held.
func (a *Acceptances) hold(ctx context.Context, target string) error {
	if a.held != nil && a.target == target {
		return nil
	}
	held, err := a.load(ctx, target)
	if err == nil {
		a.target, a.held, a.owners = target, held, nil
	}
	return err
}

// LookUp is what cannot be done when acceptances cannot be read.
const LookUp = "look up what the Controller last accepted"

// Owner returns who has the value, by what the Controller last accepted for each person.
func (a *Acceptances) Owner(ctx context.Context, target string, value importer.UniqueValue) (owner importer.Owner, ok bool, err error) {
	if err := a.hold(ctx, target); err != nil {
		return owner, false, err
	}
	if a.owners == nil {
		if a.owners, err = a.held.IndexOwners(); err != nil {
			return owner, false, a.wrap(LookUp, err)
		}
	}
	at, ok := a.owners.Of[value]
	if !ok {
		return owner, false, nil
	}
	return a.owners.Owners[at], true, nil
}
