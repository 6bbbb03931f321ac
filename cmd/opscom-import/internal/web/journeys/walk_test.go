package journeys_test

import (
	"fmt"

	"github.com/google/go-cmp/cmp"
)

// uploads opens the page and uploads a file, which leads to its first step.
func (j *journey) uploads(p *pageProgram, path string) {
	j.Helper()
	j.open(p.address)
	j.find("button", "Open the file")
	j.attaches("#file", path)
	j.goes("button", "Open the file")
}

// next goes on to the step, whose heading then has the focus.
func (j *journey) next(step string) {
	j.Helper()
	j.goes("link", "Next")
	j.isAt(step)
	if !j.scriptless {
		j.startsAtItsHeading()
	}
}

// isAt waits for the heading of the step.
func (j *journey) isAt(step string) {
	j.Helper()
	j.eventually("the step is "+step, func() bool {
		return evaluate[string](j, "(document.querySelector('h1') || {innerText: ''}).innerText") == step
	})
}

// answers presses the button that is the answer to a question, and stays at the step.
func (j *journey) answers(name string) {
	j.Helper()
	j.goes("button", name)
}

// login says what the login source of everybody is.
func (j *journey) login(source string) {
	j.Helper()
	j.fills("Login source", source)
	j.submits(j.find("textbox", "Login source"))
}

// column says what a column becomes, by its header. Choosing is enough.
func (j *journey) column(header, becomes string) {
	j.Helper()
	if j.scriptless {
		j.chooses(header+" becomes", becomes)
		j.submits(j.find("combobox", header+" becomes"))
		return
	}
	j.leaves(header, func() { j.chooses(header+" becomes", becomes) })
}

// values says what the values of the user types become, given as pairs.
func (j *journey) values(pairs ...string) {
	j.Helper()
	for i := 0; i < len(pairs); i += 2 {
		j.chooses(pairs[i]+" becomes", pairs[i+1])
	}
	j.submits(j.find("combobox", pairs[0]+" becomes"))
}

// leavesOut leaves out the rows where the column has the value.
func (j *journey) leavesOut(column, value string) {
	j.Helper()
	j.chooses("By the values of the column", column)
	j.goes("button", "Show its values")
	j.click("checkbox", value)
	j.submits(j.find("checkbox", value))
}

// pushes practices with n people from the review, and waits for the result.
func (j *journey) pushes(n int) {
	j.Helper()
	j.isAt("Review")
	j.goes("button", fmt.Sprint(n, " people"))
	j.sees("Practice is done")
}

// reached fails unless these people, and nobody else, have reached OPS-COM or what
// stands for it. Only the attributes that the first of them has are compared.
func (j *journey) reached(want, got []person) {
	j.Helper()
	var compared []person
	for _, who := range got {
		some := person{}
		for name := range want[0] {
			if value, has := who[name]; has {
				some[name] = value
			}
		}
		compared = append(compared, some)
	}
	if diff := cmp.Diff(want, compared); diff != "" {
		j.Errorf("people (-expected +arrived):\n%s", diff)
	}
}

// fillsCell types into a cell of the rows.
func (j *journey) fillsCell(header string, row int, text string) {
	j.Helper()
	j.fills(fmt.Sprintf("%s (row %d)", header, row), text)
}
