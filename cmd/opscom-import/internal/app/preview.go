package app

import (
	"context"

	"opscom-import/importer/sheet"
)

// Preview says how a file would be read with the settings, whatever a mapping file says,
// and whether or not it can be: Problem has what keeps it from being read.
func Preview(ctx context.Context, env Env, file string) (p *sheet.Preview, err error) {
	err = env.withInput(ctx, file, func(in *input) error {
		o, err := sheetOptions(env.Settings, nil)
		if err != nil {
			return err
		}
		p, err = sheet.ReadPreview(in.path, o)
		return err
	})
	if p != nil && p.Problem != nil {
		p.Problem.File = file
	}
	return p, err
}
