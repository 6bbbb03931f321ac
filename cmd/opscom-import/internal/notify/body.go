package notify

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	"opscom-import/cmd/opscom-import/internal/config"
)

// facts is a message as JSON for programs. Members may be added; none will be removed.
type facts struct {
	Event   config.NotifyEvent `json:"event"`
	Title   string             `json:"title"`
	Text    string             `json:"text"`
	Command string             `json:"command"`
	Job     string             `json:"job"`
	File    string             `json:"file"`
	Target  string             `json:"target"`
	Run     int64              `json:"run"`
	Exit    int                `json:"exit"`
	Rows    int                `json:"rows"`
	Counts  map[string]int     `json:"counts"`
	Held    []string           `json:"held"`
	Problem string             `json:"problem"`
	Reports map[string]string  `json:"reports"`
	Host    string             `json:"host"`
	At      time.Time          `json:"at"`
	Version string             `json:"version"`
}

// Members returns the names of a message's members as JSON.
func Members() []string {
	var names []string
	for _, field := range reflect.VisibleFields(reflect.TypeFor[facts]()) {
		names = append(names, field.Tag.Get("json"))
	}
	return names
}

// body returns the message as JSON in the style of a webhook.
func (m Message) body(style string) ([]byte, error) {
	var value any
	switch style {
	case config.StyleSlack:
		value = m.slack()
	case config.StyleTeams:
		value = m.teams()
	default:
		value = m.facts()
	}
	body, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("write the message as JSON: %w", err)
	}
	return body, nil
}

func (m Message) facts() facts {
	f := facts{
		Event: m.Event, Title: m.Title, Text: m.Text, Command: m.Command, Job: m.Job, File: m.File, Target: m.Target, Run: m.Run, Exit: m.Exit, Rows: m.Rows,
		Counts: make(map[string]int), Held: append([]string{}, m.Held...), Problem: m.Problem, Reports: make(map[string]string),
		Host: m.Host, At: m.At.UTC().Truncate(time.Second), Version: m.version,
	}
	for _, c := range m.Counts {
		f.Counts[c.Status] = c.Rows
	}
	for _, r := range m.Reports {
		f.Reports[r.Name] = r.Path
	}
	return f
}

// slack returns the message for an incoming webhook of Slack. Its three special
// characters are escaped, and nothing in a path or name is a format.
func (m Message) slack() any {
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	return struct {
		Text     string `json:"text"`
		Markdown bool   `json:"mrkdwn"`
	}{escape.Replace(m.Title + "\n" + m.Text), false}
}

// teams returns the message as an adaptive card, which a workflow of Microsoft Teams
// posts. Text runs take no Markdown, so that nothing in a path or name is a format.
func (m Message) teams() any {
	type object = map[string]any
	line := func(text string, weight string) object {
		return object{"type": "RichTextBlock", "spacing": "None", "inlines": []object{{"type": "TextRun", "text": text, "weight": weight}}}
	}
	blocks := []object{line(m.Title, "Bolder")}
	for text := range strings.Lines(m.Text) {
		if text = strings.TrimSpace(text); text != "" {
			blocks = append(blocks, line(text, "Default"))
		}
	}
	card := object{
		"$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
		"type":    "AdaptiveCard", "version": "1.4", "msteams": object{"width": "Full"}, "body": blocks,
	}
	return object{"type": "message", "attachments": []object{{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}}}
}
