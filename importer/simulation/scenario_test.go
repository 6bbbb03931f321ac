package simulation_test

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
	"math"
	"math/rand/v2"
	"time"

	"opscom-import/importer"
	"opscom-import/importer/sandbox"
	"opscom-import/mapping"
)

// scenario is all that a seed decides before anything happens. What it decides on
// the way is drawn from the seed and from what it is about, such as the third write
// of the second process, so that it does not depend on the order of events.
type scenario struct {
	seed     uint64
	settings settings
	faults   sandbox.Faults // of the Controller
	wire     wire
	slowDisk time.Duration // a write to the journal takes up to that long
	files    []*file       // runs, one after the other
}

// settings are those of the command.
type settings struct {
	workers, burst           int
	rate                     float64 // 0: no limit
	maxAttempts, maxFailures int
	timeout                  time.Duration
	maxBad                   importer.Limit
}

// wire says how often the network fails before the Controller has the request.
type wire struct {
	refused float64 // share of the requests for which there is no connection
	cut     float64 // share of the requests that are cut in the middle
	idle    time.Duration
}

// draw returns random numbers that depend on nothing but the seed and on what they
// are for.
func draw(seed uint64, what string, numbers ...int) *rand.Rand {
	h := fnv.New64a()
	_, _ = io.WriteString(h, what) // a hash never fails
	for _, n := range numbers {
		_, _ = h.Write(binary.LittleEndian.AppendUint64(nil, uint64(n)))
	}
	return rand.New(rand.NewPCG(seed, h.Sum64())) //nolint:gosec // faults, no secret
}

func chance(random *rand.Rand, p float64) bool { return random.Float64() < p }

// spread returns a time between low and high, as likely in each order of magnitude.
func spread(random *rand.Rand, low, high time.Duration) time.Duration {
	return time.Duration(float64(low) * math.Pow(float64(high)/float64(low), random.Float64()))
}

func pick[T any](random *rand.Rand, choices ...T) T { return choices[random.IntN(len(choices))] }

func newScenario(seed uint64) *scenario {
	s := &scenario{seed: seed, settings: newSettings(seed), faults: newFaults(seed), files: newFiles(seed)}
	random := draw(seed, "wire and disk")
	if chance(random, 0.4) {
		s.wire.refused = random.Float64() * 0.1
	}
	if chance(random, 0.4) {
		s.wire.cut = random.Float64() * 0.1
	}
	s.wire.idle = pick(random, 0, 0, time.Second, 20*time.Second)
	s.slowDisk = pick(random, time.Millisecond, 5*time.Millisecond, 50*time.Millisecond, 2*time.Second)
	return s
}

func newSettings(seed uint64) settings {
	random := draw(seed, "settings")
	s := settings{
		workers: pick(random, 1, 2, 3, 4, 8, 8, 16, 32), burst: pick(random, 1, 1, 1, 5),
		rate:        pick(random, 0, 0, 2, 10, 33.3, 100),
		maxAttempts: 1 + random.IntN(8), maxFailures: pick(random, 0, 3, 8, 20, 20, 50),
		timeout: spread(random, 500*time.Millisecond, time.Minute),
	}
	if chance(random, 0.1) {
		s.maxBad = importer.Limit{Set: true, Count: random.IntN(5)}
	}
	return s
}

// newFaults draws how the Controller misbehaves. Answers never take exactly the
// same time, so that few things happen at one instant.
func newFaults(seed uint64) sandbox.Faults {
	random := draw(seed, "faults")
	f := sandbox.Faults{
		Latency: spread(random, 100*time.Microsecond, time.Second),
		Jitter:  spread(random, time.Millisecond, 2*time.Second),
	}
	if chance(random, 0.3) {
		f.Slow = sandbox.Slow{Share: random.Float64() * 0.1, For: spread(random, time.Second, 2*time.Minute)}
	}
	if chance(random, 0.3) {
		f.Outage = sandbox.Window{After: spread(random, time.Second, 10*time.Minute), For: spread(random, time.Minute, time.Hour)}
	}
	if chance(random, 0.2) {
		f.Revoked = sandbox.Window{After: spread(random, 100*time.Millisecond, 10*time.Minute), For: spread(random, time.Minute, time.Hour)}
	}
	if chance(random, 0.2) {
		low := 1 + 20*random.Float64()
		f.Rate = sandbox.MovingRate{Low: low, High: low * (1 + 9*random.Float64()), Period: spread(random, 10*time.Second, 10*time.Minute)}
	}
	if chance(random, 0.3) {
		f.Require = []mapping.Attribute{mapping.City}
	}
	f.Failures = newFailures(random)
	return f
}

// newFailures draws some kinds of failures, and how often each meets a push. They
// are rare in some seeds, and nothing gets through at once in others.
func newFailures(random *rand.Rand) (failures []sandbox.Failure) {
	kinds := []sandbox.Kind{
		sandbox.TooMany, sandbox.TooManyUntil, sandbox.InternalError, sandbox.BadGateway, sandbox.ServiceUnavailable,
		sandbox.GatewayTimeout, sandbox.DropBefore, sandbox.DropAfter, sandbox.DropDuring, sandbox.Hang, sandbox.Truncate,
		sandbox.Lie, sandbox.CodeIn200, sandbox.Drip, sandbox.Endless, sandbox.Bomb,
	}
	random.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
	kinds = kinds[:random.IntN(len(kinds)+1)]
	left := pick(random, 0.01, 0.05, 0.2, 0.5, 0.7)
	for i, kind := range kinds {
		share := min(left, left/float64(len(kinds)-i)*2*random.Float64())
		left -= share
		failure := sandbox.Failure{Kind: kind, Share: share}
		switch kind {
		case sandbox.Endless, sandbox.Bomb: // they cost real time
			failure.Share = min(share, 0.01)
		case sandbox.CodeIn200:
			failure.Code = pick(random, 9016, 9019, 9020, 9022, 9030, 9099)
		case sandbox.Drip:
			failure.Over = spread(random, time.Second, 2*time.Minute)
		case sandbox.TooMany, sandbox.TooManyUntil, sandbox.ServiceUnavailable:
			failure.RetryAfter = pick(random, 0, time.Second, 7*time.Second, 2*time.Minute, time.Hour, 10*365*24*time.Hour)
		}
		if kind != sandbox.CodeIn200 && kind != sandbox.Endless && kind != sandbox.Bomb && chance(random, 0.1) {
			failure.Share, failure.First = 0, 1
		}
		failures = append(failures, failure)
	}
	return failures
}

func (s *scenario) String() string {
	text := fmt.Sprintf("seed %d: settings %+v, faults %+v, wire %+v, slow disk %v", s.seed, s.settings, s.faults, s.wire, s.slowDisk)
	for i, n := range s.files {
		text += fmt.Sprintf("\nfile %d: %s", i+1, n)
	}
	return text
}
