package importer

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"opscom-import/mapping"
)

// owners are who has which value before the test.
type owners map[UniqueValue]Owner

func (o owners) Owner(_ context.Context, _ string, value UniqueValue) (Owner, bool, error) {
	owner, ok := o[value]
	return owner, ok, nil
}

var testSalt = []byte("salt")

// ownersOf returns the owners after people were accepted: unique id, e-mail address and user
// name, joined by "|".
func ownersOf(people ...string) owners {
	known, digester := owners{}, NewDigester(testSalt)
	for _, person := range people {
		cells := strings.Split(person, "|")
		var p mapping.Profile
		p.Set(mapping.Email, cells[1])
		p.Set(mapping.UserName, cells[2])
		for _, value := range digester.Unique(&p) {
			if value.IsDigest() {
				known[value] = Owner{Key: digester.Key("SSO", cells[0]), AcceptedAt: time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)}
			}
		}
	}
	return known
}

// before are the people whom the Controller accepted earlier.
var before = []string{"1|a@x.ca|ann", "2|b@x.ca|bo", "3|c@x.ca|cy", "4|d@x.ca|di", "5||"}

func TestCollisions(t *testing.T) {
	const someone, circle, keeps = "for someone else, as accepted on 2026-08-01", "in a circle", "who does not give it up"
	for _, tc := range []struct {
		name     string
		rows     []string       // unique id, e-mail address, user name, first name, date of birth, standing
		warnings map[int]string // part of a row's warnings, by row
		rounds   map[int]int
	}{
		{"the same people", []string{"1|a@x.ca|ann|||", "2|b@x.ca|bo|||"}, nil, nil},
		{"the same in another spelling", []string{" 1 | A@X.ca|ANN|||"}, nil, nil},
		{"new values", []string{"1|new@x.ca|new|||"}, nil, nil},
		{"an address of someone who is not in the file", []string{"1|B@x.ca||||"}, map[int]string{2: "email (column B): The Controller has this e-mail address " + someone}, nil},
		{"a user name of someone who is not in the file", []string{"9||bo|||"}, map[int]string{2: "user_name (column C): The Controller has this user name " + someone}, nil},
		{"both", []string{"9|a@x.ca|bo|||"}, map[int]string{2: "e-mail address " + someone + "|user name " + someone}, nil},
		{"an address that is given up above", []string{"2|new@x.ca||||", "1|b@x.ca||||"}, nil, map[int]int{3: 1}},
		{"an address that is given up below", []string{"1|b@x.ca||||", "2|new@x.ca||||"}, nil, map[int]int{2: 1}},
		{"a chain", []string{"1|b@x.ca||||", "2|c@x.ca||||", "3|d@x.ca||||", "4|new@x.ca||||"}, nil, map[int]int{2: 3, 3: 2, 4: 1}},
		{"a row that waits for two", []string{"1|b@x.ca|cy|||", "2|new@x.ca||||", "3||di|||", "4||new|||"}, nil, map[int]int{2: 2, 4: 1}},
		{"two that wait for one", []string{"9|b@x.ca||||", "8||bo|||", "2|new@x.ca|new|||"}, nil, map[int]int{2: 1, 3: 1}},
		{"two people who exchange addresses", []string{"1|b@x.ca||||", "2|a@x.ca||||"}, map[int]string{2: "row 3, and the rows wait", 3: "row 2, and the rows wait"}, nil},
		{"one who waits for a circle", []string{"9||ann|||", "1|b@x.ca|new|||", "2|a@x.ca||||"}, map[int]string{2: circle, 3: circle, 4: circle}, nil},
		{"one that a circle does not wait for", []string{"1|b@x.ca|cy|||", "2|a@x.ca||||", "3||new|||"}, map[int]string{2: "row 3, and the rows wait", 3: circle}, nil},
		{"a circle by address and user name", []string{"1|b@x.ca|new|||", "2|new@x.ca|ann|||"}, map[int]string{2: circle, 3: circle}, nil},
		{"an invalid row that would give it up", []string{"1|b@x.ca||||", "2|new@x.ca|||2004-02-31|"}, map[int]string{2: "row 3, " + keeps}, nil},
		{"a row that is left out", []string{"1|b@x.ca||||", "2|new@x.ca||||gone"}, map[int]string{2: someone}, nil},
		{"a row that says nothing of it", []string{"1|b@x.ca||||", "2||new|||"}, map[int]string{2: "row 3, " + keeps}, nil},
		{"a row that will be refused itself", []string{"1|b@x.ca||||", "2|c@x.ca||||"}, map[int]string{2: "row 3, " + keeps, 3: someone}, map[int]int{2: 1}},
		{"a row above them", []string{"9|a@x.ca||||", "1|b@x.ca||||", "2|c@x.ca||||"}, map[int]string{2: "row 3, " + keeps, 3: "row 4, " + keeps, 4: someone}, map[int]int{2: 2, 3: 1}},
		{"a user name that is somebody's address", []string{"9||b@x.ca|||"}, nil, nil},
		{"an address that somebody else in the file gets", []string{"1|b@x.ca||||", "3|b@x.ca||||"}, nil, nil}, // both are invalid
		{"identical rows", []string{"1|b@x.ca||||", "2|new@x.ca||||", "2|new@x.ca||||", "1|b@x.ca||||"}, nil, map[int]int{2: 1}},
		{"rows that contradict each other", []string{"1|b@x.ca||||", "2|new@x.ca||||", "2|newer@x.ca||||"}, map[int]string{2: "row 3, " + keeps}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			plan, store := makePlan(t, &Planner{
				Source: &rowsSource{names: planNames, rows: tc.rows}, Mapper: mapper(t, `standing != "gone"`, planNames), Salt: testSalt, Owners: ownersOf(before...),
			})
			counted := 0
			for number, row := range store.rows {
				if row.Round != tc.rounds[number] {
					t.Errorf("row %d is sent in round %d, want %d", number, row.Round, tc.rounds[number])
				}
				result := row.Result()
				counted += len(row.Problems)
				want := strings.Split(tc.warnings[number], "|")
				for _, part := range want {
					if !strings.Contains(result.Warnings, part) || part == "" && result.Warnings != "" {
						t.Errorf("row %d is warned %q, want %q", number, result.Warnings, want)
					}
				}
				if (row.Round > 0 || tc.warnings[number] != "") && (row.Status != StatusPending || len(row.Payload) == 0) {
					t.Errorf("row %d is %s: it must be sent", number, row.Status)
				}
			}
			reported := 0
			for _, p := range plan.Problems {
				reported += p.Count
			}
			if reported != counted {
				t.Errorf("%d problems are counted, the rows have %d", reported, counted)
			}
		})
	}
}

// A row that is not sent takes nothing from anyone.
func TestUnchangedRowsCollideWithNobody(t *testing.T) {
	names := []string{"unique_id", "email"}
	rows := []string{"1|b@x.ca"}
	_, first := makePlan(t, &Planner{Source: &rowsSource{names: names, rows: rows}, Mapper: mapper(t, "", names), Salt: testSalt})
	known := acceptances{first.rows[2].Key: {Hash: first.rows[2].Hash}}
	for _, everybody := range []bool{false, true} {
		_, store := makePlan(t, &Planner{
			Source: &rowsSource{names: names, rows: rows}, Mapper: mapper(t, "", names), Salt: testSalt,
			Owners: ownersOf(before...), Acceptances: known, Everybody: everybody,
		})
		if warned := len(store.rows[2].Problems) > 0; warned != everybody {
			t.Errorf("everybody is sent: %v; the row that did not change is warned: %v", everybody, warned)
		}
	}
}

// A check needs no payloads, and finds the same.
func TestCheckFindsCollisionsToo(t *testing.T) {
	rows := []string{"1|b@x.ca||||", "9|c@x.ca||||", "2|new@x.ca||||"}
	for _, checkOnly := range []bool{false, true} {
		_, store := makePlan(t, &Planner{
			Source: &rowsSource{names: planNames, rows: rows}, Mapper: mapper(t, "", planNames), Salt: testSalt,
			Owners: ownersOf(before...), CheckOnly: checkOnly,
		})
		if store.rows[2].Round != 1 || len(store.rows[2].Problems) != 0 || len(store.rows[3].Problems) != 1 {
			t.Errorf("only a check: %v; the rows are %+v", checkOnly, store.rows)
		}
		if isEmpty := store.rows[2].Payload == nil && store.rows[2].Hash == (Digest{}); isEmpty != checkOnly {
			t.Errorf("only a check: %v; there is no payload: %v", checkOnly, isEmpty)
		}
	}
}

// What is said of a collision quotes nobody: neither the value, nor the other person's id.
func TestCollisionsQuoteNoValue(t *testing.T) {
	known := ownersOf("ID-CANARY-1|canary@x.ca|canary", "ID-CANARY-2|canary2@x.ca|")
	_, store := makePlan(t, &Planner{
		Source: &rowsSource{names: planNames, rows: []string{"9|canary@x.ca|canary|||", "8|canary2@x.ca||||", "ID-CANARY-2||new|||"}},
		Mapper: mapper(t, "", planNames), Salt: testSalt, Owners: known,
	})
	for _, number := range []int{2, 3} {
		row := store.rows[number]
		if len(row.Problems) == 0 {
			t.Errorf("row %d has no warning", number)
		}
		for _, p := range row.Problems {
			if text := strings.ToLower(fmt.Sprintf("%+v", p)); strings.Contains(text, "canary") {
				t.Errorf("row %d: %s", number, text)
			}
		}
	}
}

// Everybody gets the next person's address: as many rounds as people, in linear time.
func TestLongChain(t *testing.T) {
	const people = 3000
	var earlier, rows []string
	wanted := map[int]int{}
	for i := range people {
		earlier = append(earlier, fmt.Sprintf("%d|p%d@x.ca|", i, i))
		rows = append(rows, fmt.Sprintf("%d|p%d@x.ca||||", i, i+1))
		wanted[i+2] = people - 1 - i
	}
	_, store := makePlan(t, &Planner{
		Source: &rowsSource{names: planNames, rows: rows}, Mapper: mapper(t, "", planNames), Salt: testSalt, Owners: ownersOf(earlier...),
	})
	for number, round := range wanted {
		if got := store.rows[number].Round; got != round {
			t.Fatalf("row %d is in round %d, want %d", number, got, round)
		}
	}
}

// A store gets rows that wait in the file's order.
func TestRoundsComeInFileOrder(t *testing.T) {
	log := &amendedRows{}
	p := &Planner{
		Source: &rowsSource{names: planNames, rows: []string{"1|b@x.ca|cy|||", "4|new@x.ca||||", "3|d@x.ca|new|||", "2|c@x.ca||||"}},
		Mapper: mapper(t, "", planNames), Salt: testSalt, Owners: ownersOf(before...), Store: log,
	}
	if _, err := p.Make(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(log.rows, []int{2, 4, 5}) {
		t.Errorf("the rows %v were amended", log.rows)
	}
}

// amendedRows is a store that keeps the numbers of the rows that are amended.
type amendedRows struct{ rows []int }

func (*amendedRows) Append(context.Context, []PlannedRow) error { return nil }

func (r *amendedRows) Amend(_ context.Context, amendments []Amendment) error {
	for _, a := range amendments {
		r.rows = append(r.rows, a.Row)
	}
	return nil
}
