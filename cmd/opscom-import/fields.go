package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"opscom-import/mapping"
)

func fieldsCommand(s streams) *cobra.Command {
	return &cobra.Command{
		Use:   "fields",
		Short: "List the attributes of a profile, their accepted names and limits",
		Args:  noArgument,
		RunE: with(s, func(_ context.Context, ss *session, _ []string) error {
			if ss.Settings.JSON {
				return json.NewEncoder(s.stdout).Encode(fieldList())
			}
			w := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "NAME\tALSO\tMEANING\tAT MOST\tNOTE")
			for _, f := range fieldList() {
				limit := "no limit"
				if f.MaxChars > 0 {
					limit = strconv.Itoa(f.MaxChars)
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", f.Name, strings.Join(f.Also, ", "), f.Label, limit, f.Note)
			}
			return w.Flush()
		}),
	}
}

// field is one attribute as the command shows it.
type field struct {
	Name     string   `json:"name"`
	Also     []string `json:"also"`
	Label    string   `json:"label"`
	MaxChars int      `json:"max_chars"`
	Required bool     `json:"required"`
	Note     string   `json:"note"`
}

func fieldList() []field {
	notes := map[mapping.Kind]string{
		mapping.EmailKind:          "an e-mail address, must be unique",
		mapping.RegionKind:         "a name or an abbreviation; the abbreviation is sent",
		mapping.DateKind:           "sent as yyyy-mm-dd",
		mapping.UserTypeKind:       "a user type's name or id; the id is sent",
		mapping.LockerUserTypeKind: "a locker user type's id",
	}
	var list []field
	for _, spec := range mapping.Attributes() {
		f := field{Name: spec.Names[0], Also: spec.Names[1:], Label: spec.Label, MaxChars: spec.MaxChars, Required: spec.Required, Note: notes[spec.Kind]}
		switch {
		case spec.Required:
			f.Note = "required"
		case spec.Attribute == mapping.UserName:
			f.Note = "must be unique"
		}
		list = append(list, f)
	}
	return list
}
