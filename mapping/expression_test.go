package mapping

import (
	"strings"
	"testing"
)

func TestConditions(t *testing.T) {
	header := []string{"Status", "Enrol Status", "Prénom", "len"}
	cells := texts(" AS ", "RE", "Zoë", "3")
	for source, want := range map[string]string{
		`Status in ["AS", "RE"]`:                                    "true",
		`status == "AS" and PRENOM == "Zoë"`:                        "true",
		`Prénom == "Zoë"`:                                           "true",
		`col("Enrol Status") == "RE"`:                               "true",
		`col("enrol_status") != "RE"`:                               "false",
		`Enrol_Status == "RE"`:                                      "true",
		`len(Status) == 2 and len == "3"`:                           "true",
		`Status matches "^A" && !(Status > "B")`:                    "true",
		`let s = lower(Status); s == "as"`:                          "true",
		`let Status = "x"; Status == "x" and col("status") == "AS"`: "true",
		`any(["AS", "RE"], # == Status)`:                            "true",
		`col("Status") | hasPrefix("A")`:                            "true",

		`Statsu == "AS"`:                          `there is no column "Statsu"; the nearest is "Status" (character 1 of the expression)`,
		`Status == "é" and col("X")`:              `there is no column "X" (character 19 of the expression)`,
		"Status ==\n\"AS\" and Zodiac":            `there is no column "Zodiac" (line 2, character 10 of the expression)`,
		`col(Status) == "AS"`:                     `col takes one header in quotes, as in col("Last Name") (character 1 of the expression)`,
		`col() == "AS"`:                           `col takes one header in quotes`,
		`trimm(Status) == "AS"`:                   `there is no function "trimm"; the nearest is "trim" (character 1 of the expression)`,
		`now().Year() > 3`:                        `there is no function "now" (character 1 of the expression)`,
		`Status > 3`:                              `mismatched types string and int) (character 8 of the expression)`,
		`Status ==`:                               `unexpected token EOF (character 9 of the expression)`,
		`$env["column 0"] == "AS"`:                `there is no column "$env"`,
		`Status`:                                  `expected bool, but got string`,
		strings.Repeat("true and ", 600) + "true": `exceeds maximum allowed`,

		strings.Repeat("(", 50) + "true" + strings.Repeat(")", 50):            "true",
		strings.Repeat("(true) and ", 60) + "true":                            "true",
		`Status == "` + strings.Repeat("(", 60) + `\"" or ` + "`\\` != '['":   "true",
		strings.Repeat("[", 51):                                               `more than 50 brackets inside each other (character 51 of the expression)`,
		strings.Repeat("(", 9_990) + "true" + strings.Repeat(")", 9_990):      `more than 50 brackets`,
		`Status in ["` + strings.Repeat("x", 20_000) + `"]`:                   `the expression is too long: 20000 characters`,
		`Status in ["` + strings.Repeat(`x", "`, 900) + `x"] or Status > "A"`: "true",
	} {
		got := ""
		e, err := newCondition(source, header)
		if err == nil {
			var holds bool
			holds, err = e.holds(cells)
			got = map[bool]string{true: "true", false: "false"}[holds]
		}
		if err != nil {
			got = err.Error()
		}
		if got != want && (err == nil || !strings.Contains(got, want)) {
			t.Errorf("%s: got %s, want %s", source, got, want)
		}
	}
}

func TestConditionWithoutAnswer(t *testing.T) {
	e, err := newCondition(`fromJSON(Status)`, []string{"Status"})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{"true": "", "3": "bool(float64)", "null": "", `"x"`: "bool(string)", "{": "unexpected end"} {
		_, err := e.holds(texts(text))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}

func TestTexts(t *testing.T) {
	header := []string{"A", "B"}
	for source, want := range map[string]string{
		`A + B`:                           "x12",
		`int(B)`:                          "12",
		`int(B) * 100000000000000000`:     "1200000000000000000",
		`1e20`:                            "100000000000000000000",
		`0.1`:                             "0.1",
		`find([A], # == "y")`:             "",
		`A == "x" ? "yes" : "no"`:         "yes",
		`[A, B] | join("-")`:              "x-12",
		`fromJSON("[1]")`:                 "the result is not text but a []interface {}",
		`A == "x"`:                        "the expression gives true or false",
		`[A, B]`:                          "the expression gives no text; a list becomes one with join",
		`{"a": A}`:                        "the expression gives no text",
		`map(1..99999, # % 2) | join("")`: "memory budget exceeded",
	} {
		got := ""
		e, err := newText(source, header)
		if err == nil {
			got, err = e.text(texts("x", "12"))
		}
		if err != nil {
			got = err.Error()
		}
		if got != want && (err == nil || !strings.Contains(got, want)) {
			t.Errorf("%s: got %s, want %s", source, got, want)
		}
	}
}
