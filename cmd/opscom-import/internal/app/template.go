package app

import (
	"context"
	"io"

	"opscom-import/mapping/suggest"
	"opscom-import/report"
)

// WriteTemplate writes a blank workbook to be filled in with people, with the Controller's
// user types to choose from. It asks the Controller for them; where that is not possible
// the column has nothing to choose from, and the numbers of types are asked for.
func WriteTemplate(ctx context.Context, env Env, w io.Writer) error {
	types, err := ListUserTypes(ctx, env)
	if err != nil {
		return err
	}
	template := report.Template{LoginSource: env.Settings.LoginSource}
	for _, t := range types.List {
		template.UserTypes = append(template.UserTypes, suggest.UserTypeName(t, types.List))
	}
	return report.WriteTemplate(w, template)
}
