package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// header names the columns of a file.
func header() []string {
	return []string{
		"Term", "Banner ID", "Legal Last Name", "Legal First Name", "Preferred First Name", "DOB", "E-mail", "Username",
		"Addr 1", "Addr 2", "City", "State/Province", "Postal Code", "Cell Phone", "Student Type", "Enrol Status", "Parking Permit",
	}
}

// student is one row: the value of each column, as a registrar's office typed it.
type student map[string]string

// row returns what a person sees in each column.
func (s student) row() []string {
	var row []string
	for _, column := range header() {
		row = append(row, s[column])
	}
	return row
}

// class makes up students. No two have the same id, e-mail address or user name.
type class struct {
	random    *rand.Rand
	lastID    int
	names     names
	userNames map[string]int // how many have it
}

func newClass() *class {
	return &class{
		random:    rand.New(rand.NewPCG(1, 2)), // fixed: the same students every time
		lastID:    300_000,
		names:     inventedNames(),
		userNames: make(map[string]int),
	}
}

func (c *class) students(n int) []student {
	all := make([]student, n)
	for i := range all {
		all[i] = c.student()
	}
	return all
}

func (c *class) student() student {
	c.lastID += 1 + c.random.IntN(400)
	s := student{
		"Term":             "202701",
		"Banner ID":        fmt.Sprintf("%09d", c.lastID),
		"Legal Last Name":  c.pick(c.names.family),
		"Legal First Name": c.pick(c.names.given),
		"DOB":              c.birth(),
		"Student Type":     c.pick([]string{"FT", "FT", "FT", "FT", "FT", "PT", "PT", "RS", "EX"}),
		"Enrol Status":     "RE",
		"Parking Permit":   c.pick([]string{"N", "N", "Y"}),
	}
	switch {
	case c.chance(12):
		s["Preferred First Name"] = c.pick(c.names.given)
	case c.chance(30):
		s["Legal First Name"] += " " + c.pick(c.names.given)
	}
	if c.chance(8) {
		s["Legal Last Name"] += "-" + c.pick(c.names.family)
	}
	if c.chance(20) {
		s["Enrol Status"] = "AS"
	} else if c.chance(3) {
		s["Enrol Status"] = "WD"
	}
	s["Username"] = c.userName(s)
	s["E-mail"] = s["Username"] + "@" + c.pick([]string{"example.ca", "example.ca", "example.edu"})
	if c.chance(5) {
		s["E-mail"] = strings.ToUpper(s["E-mail"][:1]) + s["E-mail"][1:]
	}
	c.address(s)
	if !c.chance(6) {
		s["Cell Phone"] = c.phone()
	}
	return s
}

// userName makes one of the first letter of the first name and the last name.
func (c *class) userName(s student) string {
	first, last := plainLetters(s["Legal First Name"]), plainLetters(s["Legal Last Name"])
	name := first[:1] + last[:min(len(last), 9)]
	c.userNames[name]++
	return fmt.Sprintf("%s%02d", name, c.userNames[name])
}

// plainLetters returns the letters of a name in lower case without accents.
func plainLetters(name string) string {
	return strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII || !unicode.IsLetter(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFD.String(name))
}

func (c *class) birth() string {
	youngest := time.Date(2009, 8, 31, 0, 0, 0, 0, time.UTC)
	days := c.random.IntN(7 * 365)
	if c.chance(10) {
		days = c.random.IntN(45 * 365)
	}
	return youngest.AddDate(0, 0, -days).Format(time.DateOnly)
}

func (c *class) address(s student) {
	town := c.names.towns[c.random.IntN(len(c.names.towns))]
	s["City"], s["State/Province"] = town.name, c.pick(town.province)
	s["Addr 1"] = fmt.Sprintf("%d %s", 1+c.random.IntN(2400), c.pick(town.streets))
	if c.chance(25) {
		s["Addr 2"] = fmt.Sprintf("%s %d", c.pick([]string{"Apt.", "Unit", "Suite"}), 1+c.random.IntN(60))
	}
	s["Postal Code"] = town.postalArea
	if len(town.postalArea) == 3 {
		const letters = "ABCEGHJKLMNPRSTVWXYZ" // the others are not used in postal codes
		s["Postal Code"] += fmt.Sprintf(" %d%c%d", c.random.IntN(10), letters[c.random.IntN(len(letters))], c.random.IntN(10))
		if c.chance(15) {
			s["Postal Code"] = strings.ToLower(strings.ReplaceAll(s["Postal Code"], " ", ""))
		}
	}
}

// phone returns a number of those that are set aside for fiction, in one of the
// forms in which people type it.
func (c *class) phone() string {
	form := c.pick([]string{"%s-555-01%02d", "%s-555-01%02d", "(%s) 555-01%02d", "%s.555.01%02d", "%s55501%02d", "+1 %s 555 01%02d"})
	return fmt.Sprintf(form, c.pick([]string{"613", "819", "514", "416", "902", "315"}), c.random.IntN(100))
}

func (c *class) pick(from []string) string { return from[c.random.IntN(len(from))] }

// chance is true in so many cases of a hundred.
func (c *class) chance(percent int) bool { return c.random.IntN(100) < percent }
