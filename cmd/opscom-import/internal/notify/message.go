package notify

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"opscom-import/cmd/opscom-import/internal/config"
)

// eventTest is the event of a test message.
const eventTest config.NotifyEvent = "test"

// Message is what a target is told.
type Message struct {
	Outcome
	Event config.NotifyEvent // the one that the target is told; "" for a run that ended well
	Title string             // one line
	Text  string             // what happened, and what to do next
	Host  string             // the machine that the program runs on
	At    time.Time

	version string // of the program
}

// maxProblem is the most characters of an error that a message has.
const maxProblem = 2000

// message returns what is told of the news as this event.
func (n *Notifier) message(event config.NotifyEvent, news news, now time.Time) Message {
	m := Message{Outcome: news.Outcome, Event: event, Host: n.host, At: now, version: n.options.Version}
	m.File = printable(m.File)
	m.Problem = beginning(printable(m.Problem), maxProblem)
	m.Title = "opscom-import: " + m.headline()
	var t text
	t.line("%s", m.where())
	if news.isRecovery() {
		t.line("It is the first complete run since the failure of %s (%s).", inTime(news.earlier.Since), label(string(news.earlier.Event)))
	}
	if m.Problem != "" {
		t.block("Why:", strings.Split(m.Problem, "\n"))
	}
	t.block("Why:", m.Held)
	t.block("Rows:", m.countLines())
	t.block("Files on "+m.Host+":", m.reportLines())
	t.block("What to do:", m.nextSteps(n.options.Settings.ConfigFile))
	m.Text = t.String()
	return m
}

// testMessage is what the targets are told to try them.
func (n *Notifier) testMessage(now time.Time) Message {
	m := Message{Event: eventTest, Host: n.host, At: now, version: n.options.Version, Title: "opscom-import: test message"}
	m.Text = fmt.Sprintf("This is a test by opscom-import on %s, %s: messages about its runs reach you here. There is nothing to do.\n", n.host, inTime(now))
	return m
}

// text is a text that is written line by line.
type text struct{ strings.Builder }

func (t *text) line(format string, args ...any) { fmt.Fprintf(t, format+"\n", args...) }

// block writes lines below a heading, nothing when there are none.
func (t *text) block(heading string, lines []string) {
	if len(lines) == 0 {
		return
	}
	t.line("\n%s", heading)
	for _, line := range lines {
		t.line("  %s", printable(line))
	}
}

// headline says in a few words what happened.
func (m Message) headline() string {
	run := ""
	if m.Run > 0 {
		run = fmt.Sprintf(" (run %d)", m.Run)
	}
	name := filepath.Base(m.File)
	switch m.Event {
	case config.NotifyHeld:
		return name + " is held, nothing was sent" + run
	case config.NotifyFailed:
		return name + " failed, nothing was sent" + run
	case config.NotifyNotComplete:
		if m.Command == "watch" {
			return "the job " + m.Job + " cannot work"
		}
		return name + " is not complete" + run
	case config.NotifyRowsToFix:
		return name + " has " + english.Plural(m.ToFix, "row", "") + " to fix" + run
	case config.NotifyRecovered:
		return name + " is complete again" + run
	case config.NotifyNoFile:
		return name + " did not come"
	default:
		return name + " is complete" + run
	}
}

// where says what the message is about, when, and on which machine.
func (m Message) where() string {
	about := m.File
	if m.Target != "" {
		about += ", to " + m.Target
	}
	if m.Run > 0 {
		about = fmt.Sprintf("Run %d of %s", m.Run, about)
	}
	return fmt.Sprintf("%s, on %s, %s.", about, m.Host, inTime(m.At))
}

func (m Message) countLines() (lines []string) {
	if m.Run == 0 {
		return nil
	}
	for _, c := range m.Counts {
		lines = append(lines, humanize.Comma(int64(c.Rows))+" "+label(c.Status))
	}
	return append(lines, humanize.Comma(int64(m.Rows))+" read")
}

func (m Message) reportLines() (lines []string) {
	for _, r := range m.Reports {
		lines = append(lines, r.Name+": "+r.Path)
	}
	return lines
}

// nextSteps says what a person can do. The commands are for the user and with the
// settings of the run.
func (m Message) nextSteps(configFile string) []string {
	approve := fmt.Sprintf("opscom-import approve %d", m.Run)
	if configFile != "" {
		if path, err := filepath.Abs(configFile); err == nil {
			approve += " --config " + quoted(path)
		}
	}
	again := "Run the same command again when the cause is gone."
	if m.Folder != "" {
		again = "Remove the cause, and put the file into " + m.Folder + " again."
	}
	switch m.Event {
	case config.NotifyHeld:
		otherwise := "Otherwise correct the export; the next run reads it again."
		if m.Folder != "" {
			otherwise = "Otherwise correct the export, and put it into " + m.Folder + "."
		}
		return []string{"Look at the results. To push exactly this all the same, as the user of the job:", approve, otherwise}
	case config.NotifyNotComplete, config.NotifyFailed:
		switch {
		case m.Retry:
			return []string{"Remove the cause, if it is here. The service watch tries again by itself, and \"jobs run\" when it is started again."}
		case m.Event == config.NotifyNotComplete && m.Run > 0 && m.Folder != "": // as of a run that somebody has stopped
			return []string{"To go on, put the file into " + m.Folder + " again; or, as the user of the job:", approve}
		case m.Event == config.NotifyNotComplete && m.Run > 0:
			return []string{"Run the same command again when the cause is gone: it resumes this run. So does, as the user of the job:", approve}
		case m.Event == config.NotifyFailed && m.Folder == "":
			return []string{"Remove the cause, and run the same command again: it will fail until then."}
		default:
			return []string{again}
		}
	case config.NotifyRowsToFix:
		push := "and push that."
		if m.Folder != "" {
			push = "and put that into " + m.Folder + ", if the job's files match its name."
		}
		return []string{"The results say what is wrong with each row. Fix the rows where they come from, or in the fix workbook, " + push}
	case config.NotifyNoFile:
		return []string{"Find out why the export did not come. When it comes, it is pushed."}
	default:
		return nil
	}
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:\\+-]+$`)

// quoted returns a word of a command line as a shell reads it.
func quoted(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// label returns a word of the reports as people write it.
func label(word string) string { return strings.ReplaceAll(word, "_", " ") }

func inTime(t time.Time) string { return t.Local().Format("2006-01-02 15:04 MST") }

// beginning returns at most so many characters of a text.
func beginning(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// printable returns the text without characters that do not show, but line ends.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
			return -1
		}
		return r
	}, text)
}
