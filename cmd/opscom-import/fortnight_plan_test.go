package main

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"opscom-import/cmd/opscom-import/internal/config"
)

const (
	nights = 14
	kills  = 10 // of the process, in one fortnight
)

// incident is what is special about a night of a job.
type incident string

const (
	plain       incident = "plain"
	late        incident = "late"
	tooLate     incident = "after not_after"
	never       incident = "never"
	early       incident = "early"
	twice       incident = "twice"
	half        incident = "half"
	corrupt     incident = "corrupt"
	otherHeader incident = "another header"
	huge        incident = "huge"
	cutApproved incident = "cut short, approved"
	cutLeft     incident = "cut short, not approved"
	away        incident = "the Controller is away"
	full        incident = "the disk is full"
)

// fortnightPlan is all that a seed decides before anything happens.
type fortnightPlan struct {
	random   *rand.Rand
	zone     *time.Location
	first    time.Time             // midnight of the first night
	nights   map[string][]incident // by job
	arrivals []*arrival            // by time
	decided  []decision
	deaths   []death
	people   map[string]map[string]string // job, id → city, as the files that count say
	told     map[string][]config.NotifyEvent
}

// arrival is a file that comes.
type arrival struct {
	job, name string
	at        time.Time
	pause     time.Duration // between its halves; 0: it comes at once
	records   [][]string
	text      []byte // instead of records
	counts    bool   // it is pushed in the end
	place     string // where it lies then
}

// decision is what somebody does about a run that is held.
type decision struct {
	job     string
	at      time.Time
	approve bool // or the run is forgotten
}

// death is a moment at which the process dies.
type death struct {
	at  time.Time
	how string // "request", "history" or "now"
	nth int    // of these, from at on
}

func (d death) String() string {
	return fmt.Sprintf("%s: killed at %s %d", d.at.Format(time.DateTime), d.how, d.nth)
}

// newFortnightPlan draws a plan.
func newFortnightPlan(seed uint64, zone *time.Location) *fortnightPlan {
	p := &fortnightPlan{
		random: rand.New(rand.NewPCG(seed, 12)), zone: zone, nights: make(map[string][]incident),
		people: make(map[string]map[string]string), told: make(map[string][]config.NotifyEvent),
	}
	p.first = time.Date(2026, 3, 2, 0, 0, 0, 0, zone) // the clocks are set forward on the 8th
	if seed%2 == 0 {
		p.first = time.Date(2026, 10, 26, 0, 0, 0, 0, zone) // and back on 1 November
	}
	p.drawNights()
	p.students()
	p.staff()
	p.alumni()
	slices.SortStableFunc(p.arrivals, func(a, b *arrival) int { return a.at.Compare(b.at) })
	p.drawDeaths()
	return p
}

func (p *fortnightPlan) String() string {
	var text strings.Builder
	for n := range nights {
		fmt.Fprintf(&text, "%s  students: %s; staff: %s; alumni: %s\n", p.at(n, 0, 0).Format("Mon 2006-01-02"), p.nights["students"][n], p.nights["staff"][n], p.nights["alumni"][n])
	}
	for _, d := range p.deaths {
		fmt.Fprintln(&text, d)
	}
	return text.String()
}

// at is a time of a night.
func (p *fortnightPlan) at(night, hour, minute int) time.Time {
	y, m, d := p.first.Date()
	return time.Date(y, m, d+night, hour, minute, 0, 0, p.zone)
}

// drawNights shuffles what happens until nothing comes on top of something else.
func (p *fortnightPlan) drawNights() {
	students := []incident{plain, late, never, early, twice, half, corrupt, otherHeader, huge, cutApproved, cutLeft, away, full, plain}
	staff := []incident{plain, late, tooLate, twice, half, otherHeader, cutApproved, cutLeft, never, plain, plain, plain}
	alumni := []incident{never, never, plain, plain, plain, plain, plain, twice, twice, twice, twice, plain}
	isCalm := func(i incident) bool { return i == plain || i == huge || i == half || i == twice }
	for {
		p.random.Shuffle(nights, func(i, j int) { students[i], students[j] = students[j], students[i] })
		p.random.Shuffle(len(staff), func(i, j int) { staff[i], staff[j] = staff[j], staff[i] })
		p.random.Shuffle(len(alumni), func(i, j int) { alumni[i], alumni[j] = alumni[j], alumni[i] })
		others := map[string][]incident{"staff": slices.Clone(staff), "alumni": slices.Clone(alumni)}
		for n, i := range students { // what befalls all jobs
			if i == away || i == full {
				for job := range others {
					others[job] = slices.Insert(others[job], min(n, len(others[job])), i)
				}
			}
		}
		ok := isCalm(students[0]) && isCalm(others["staff"][0]) && isCalm(others["alumni"][0])
		for n := 1; n < nights; n++ {
			if b := students[n-1]; b == away || b == full {
				ok = ok && isCalm(students[n]) && isCalm(others["staff"][n]) && isCalm(others["alumni"][n])
			}
			if b := students[n-1]; students[n] == never || students[n] == late {
				ok = ok && b != twice && b != corrupt && b != otherHeader // of which another file comes later, as if it were that of the next day
			}
			if a := students[n]; a == away || a == full {
				ok = ok && others["staff"][n] == a && others["alumni"][n] == a && others["staff"][n-1] != tooLate
			}
		}
		if ok {
			p.nights["students"], p.nights["staff"], p.nights["alumni"] = students, others["staff"], others["alumni"]
			return
		}
	}
}

// register keeps the people of a job as its files have them.
type register struct {
	plan   *fortnightPlan
	job    string
	prefix int
	cities []string
	failed bool // its last result is a failure
}

func (p *fortnightPlan) register(job string, prefix int) *register {
	r := &register{plan: p, job: job, prefix: prefix, cities: make([]string, 60)}
	p.people[job] = make(map[string]string)
	return r
}

// records returns the next version of the file, with so many rows besides, and what is in it.
func (r *register) records(version, more int) (records [][]string) {
	for i := range r.cities {
		if version == 0 || r.plan.random.IntN(6) == 0 {
			r.cities[i] = fmt.Sprintf("Ville %d", version)
		}
	}
	records = [][]string{{"ID", "First", "Last", "User", "E-mail", "City", "Status"}}
	for i := range len(r.cities) + more {
		city := "Ville"
		if i < len(r.cities) {
			city = r.cities[i]
		}
		id := fmt.Sprintf("%d%07d", r.prefix, i)
		records = append(records, []string{id, "Zoë", "Tremblay", "u" + id, "p" + id + "@example.edu", city, "AS"})
	}
	return records
}

// arrives plans a file. What it says counts if it is pushed in the end.
func (r *register) arrives(a arrival) {
	a.job = r.job
	if a.counts {
		for _, record := range a.records[1:] {
			if strings.Contains(record[4], "@") {
				r.plan.people[r.job][record[0]] = record[5]
			}
		}
	}
	r.plan.arrivals = append(r.plan.arrivals, &a)
}

// spoil makes a row one that needs a person, now and then.
func (r *register) spoil(records [][]string) (event config.NotifyEvent) {
	if r.plan.random.IntN(3) > 0 {
		return ""
	}
	records[1+r.plan.random.IntN(len(r.cities))][4] = "no address"
	return config.NotifyRowsToFix
}

// ends plans what people are told at the end of a run.
func (r *register) ends(event config.NotifyEvent) {
	switch event {
	case "":
		if !r.failed {
			return
		}
		event, r.failed = config.NotifyRecovered, false
	case config.NotifyRowsToFix:
		r.failed = false
	default:
		r.failed = true
	}
	r.plan.told[r.job] = append(r.plan.told[r.job], event)
}

func date(t time.Time) string { return t.Format(time.DateOnly) }

// students plans a folder whose files are pushed as they arrive.
func (p *fortnightPlan) students() {
	r := p.register("students", 1)
	for n := range nights + 1 {
		what := plain
		if n < nights {
			what = p.nights["students"][n]
		}
		more := 0
		if what == huge {
			more = 1500
		}
		a := arrival{name: p.studentsName(n), at: p.at(n, 3, p.random.IntN(50)), counts: true, place: "done"}
		if what == never {
			r.ends(config.NotifyNoFile)
			continue
		}
		a.records = r.records(n, more)
		var event config.NotifyEvent
		if what == plain {
			event = r.spoil(a.records)
		}
		p.student(r, what, n, a, event)
	}
}

// student plans one night's file.
func (p *fortnightPlan) student(r *register, what incident, n int, a arrival, event config.NotifyEvent) {
	again := a
	again.at = p.at(n, 13, 10)
	switch what {
	case early:
		a.at = p.at(n-1, 21, 5)
	case late:
		a.at = p.at(n, 7, 40)
		r.ends(config.NotifyNoFile)
	case twice:
		r.arrives(again)
	case half:
		a.at, a.pause = p.at(n, 2, 5), 25*time.Minute
	case corrupt, otherHeader:
		bad := a
		bad.counts, bad.place = false, "failed"
		if bad.at = p.at(n, 2, 20); what == corrupt {
			bad.text = []byte("PK\x03\x04 and nothing that could be read")
		} else {
			bad.records = slices.Clone(bad.records)
			bad.records[0] = []string{"Number", "A", "B", "C", "D", "E", "F"}
		}
		r.arrives(bad)
		r.ends(config.NotifyFailed)
		a.at = p.at(n, 10, 15)
	case cutApproved:
		a.records = a.records[:31]
		p.decided = append(p.decided, decision{"students", p.at(n, 9, 30), true})
		r.ends(config.NotifyHeld)
	case cutLeft:
		a.records = a.records[:31]
		a.counts, a.place = false, "failed"
		p.decided = append(p.decided, decision{"students", p.at(n, 9, 50), false})
		r.arrives(a)
		r.ends(config.NotifyHeld)
		return
	case away, full:
		r.ends(config.NotifyNotComplete)
	}
	r.arrives(a)
	r.ends(event)
}

// staff plans a folder whose files are pushed at 02:30, which one night of the spring has
// not, until 06:00.
func (p *fortnightPlan) staff() {
	r := p.register("staff", 2)
	for n := range nights + 1 {
		what := plain
		if n < nights {
			what = p.nights["staff"][n]
		}
		a := arrival{name: "staff-" + date(p.at(n, 0, 0)) + ".csv", at: p.at(n, 1, 5), counts: true, place: "done"}
		if what == never {
			continue
		}
		a.records = r.records(n, 0)
		bad := a
		switch what {
		case late:
			a.at = p.at(n, 4, 10)
		case tooLate:
			a.at = p.at(n, 8, 0)
		case twice:
			again := a
			again.at = p.at(n, 4, 40)
			r.arrives(again)
		case half:
			a.at, a.pause = p.at(n, 4, 0), 45*time.Second
		case otherHeader:
			bad.records, bad.counts, bad.place = slices.Clone(a.records), false, "failed"
			bad.records[0] = []string{"Number", "A", "B", "C", "D", "E", "F"}
			r.arrives(bad)
			r.ends(config.NotifyFailed)
			a.at = p.at(n, 5, 0)
		case cutApproved:
			a.records = a.records[:31]
			p.decided = append(p.decided, decision{"staff", p.at(n, 9, 30), true})
			r.ends(config.NotifyHeld)
		case cutLeft:
			a.records = a.records[:31]
			a.counts, a.place = false, "failed"
			p.decided = append(p.decided, decision{"staff", p.at(n, 9, 55), false})
			r.arrives(a)
			r.ends(config.NotifyHeld)
			continue
		case away, full:
			r.ends(config.NotifyNotComplete)
		}
		r.arrives(a)
		r.ends("")
	}
}

// alumni plans a file that stays where it is, and is pushed at 01:30, which one night of the
// autumn has twice.
func (p *fortnightPlan) alumni() {
	r := p.register("alumni", 3)
	isThere := true
	for n := range nights + 1 {
		what := plain
		if n < nights {
			what = p.nights["alumni"][n]
		}
		a := arrival{name: "alumni.csv", at: p.at(n-1, 19, 30), counts: true}
		switch {
		case what == never:
			isThere = false
			r.arrives(arrival{name: a.name, at: a.at, place: "gone"})
			r.ends(config.NotifyFailed)
			continue
		case what == twice && isThere && n > 0: // the file of the day before
		default:
			isThere = true
			a.records = r.records(n, 0)
			r.arrives(a)
		}
		if what == away || what == full {
			r.ends(config.NotifyNotComplete)
		}
		r.ends("")
	}
}

// drawDeaths draws when the process dies: around the time at which files arrive and are
// due. Somebody who approves a run is left in peace.
func (p *fortnightPlan) drawDeaths() {
	for len(p.deaths) < kills {
		var at time.Time
		if p.random.IntN(2) == 0 {
			at = p.arrivals[p.random.IntN(len(p.arrivals))].at.Add(time.Duration(p.random.IntN(360)) * time.Second)
		} else {
			at = p.at(p.random.IntN(nights), 1+p.random.IntN(2), 30).Add(time.Duration(p.random.IntN(240)) * time.Second)
		}
		hour := at.In(p.zone).Hour()
		isNear := func(d death) bool { return d.at.Sub(at).Abs() < longestAim+5*time.Minute }
		if at.Before(p.at(0, 1, 0)) || hour >= 8 && hour <= 11 || slices.ContainsFunc(p.deaths, isNear) {
			continue
		}
		how := []string{"request", "request", "history", "history", "now"}[p.random.IntN(5)]
		nth := map[string]int{"request": 1 + p.random.IntN(60), "history": 1 + p.random.IntN(12), "now": 1}[how]
		p.deaths = append(p.deaths, death{at, how, nth})
	}
	slices.SortFunc(p.deaths, func(a, b death) int { return a.at.Compare(b.at) })
}

// isAway reports whether the Controllers are away: from an evening to the morning.
func (p *fortnightPlan) isAway(now time.Time) bool {
	n := slices.Index(p.nights["students"], away)
	return n >= 0 && !now.Before(p.at(n-1, 18, 0)) && now.Before(p.at(n, 8, 0))
}

func (p *fortnightPlan) studentsName(night int) string {
	return "students-" + date(p.at(night, 0, 0)) + ".xlsx"
}

// path is where a file arrives, in a folder for each job.
func (a *arrival) path(root string) string { return filepath.Join(root, a.job, a.name) }
