package mapping

import (
	"slices"
	"strings"
	"time"
)

// Context is what a mapping needs to know besides its file and the header.
type Options struct {
	LoginSource    string     // constant for a mapping that has no login_source; "" for none
	UserTypes      []UserType // the Controller's list
	UserTypesKnown bool       // false: the list could not be had; user types are then not checked, and the profiles are not fit to be sent
	Today          time.Time  // dates of birth are judged by it
}

// Compile fits a mapping to a table with the given header, from column A on. It
// finds the columns, and judges everything in the mapping that does not depend on
// a row: constants, the values' results, transforms, expressions, the approved
// layout. All mistakes are returned together, each a *FileError, joined in the
// order of their lines.
func Compile(f *File, header []string, ctx Options) (*Mapper, error) {
	regions := newRegionTable()
	c := &compiler{
		file:       f,
		header:     header,
		ctx:        ctx,
		regions:    regions,
		types:      newUserTypeList(ctx.UserTypes, ctx.UserTypesKnown),
		births:     newBirthLimits(ctx.Today),
		transforms: plainTransforms(regions),
		mapper:     Mapper{file: f.Name},
	}
	c.checkLayout()
	c.compileWhere()
	fields := slices.Clone(f.Fields)
	slices.SortStableFunc(fields, func(a, b Field) int { return int(a.Attribute) - int(b.Attribute) })
	for i := range fields {
		c.compileField(&fields[i])
	}
	c.completeKey()
	if len(c.mistakes) > 0 {
		return nil, joinMistakes(c.mistakes)
	}
	return &c.mapper, nil
}

// compiler collects the parts of a mapper and the mistakes in its mapping.
type compiler struct {
	file       *File
	header     []string
	ctx        Options
	regions    regionTable
	types      *userTypeList
	births     birthLimits
	transforms map[string]transform
	mapper     Mapper
	mistakes   []*FileError
}

func (c *compiler) fail(line int, key, message string) {
	c.mistakes = append(c.mistakes, &FileError{File: c.file.Name, Line: line, Key: key, Message: message})
}

// checkLayout demands every column of the layout that the mapping was approved
// for. New columns change nothing that is mapped, so they are let be.
func (c *compiler) checkLayout() {
	source := &c.file.Source
	for _, name := range source.Headers {
		same := func(h string) bool {
			return strings.TrimSpace(h) == strings.TrimSpace(name) || foldHeader(h) != "" && foldHeader(h) == foldHeader(name)
		}
		if strings.TrimSpace(name) == "" || slices.ContainsFunc(c.header, same) {
			continue
		}
		message := "the approved layout has a column " + quote(name) + ", and the file has none"
		if near := Nearest(name, c.header); near != "" {
			message += "; the nearest is " + quote(near)
		}
		c.fail(source.Lines["headers"], "source.headers", message+". Correct the file, or approve the new layout by changing the mapping")
	}
}

func (c *compiler) compileWhere() {
	source := &c.file.Source
	if source.Where == "" {
		return
	}
	where, err := newCondition(source.Where, c.header)
	if err != nil {
		c.fail(source.Lines["where"], "source.where", err.Error())
		return
	}
	c.mapper.where = where
}

// completeKey demands a field for each attribute that the Controller will not do
// without, or takes the login source from the settings.
func (c *compiler) completeKey() {
	given := func(a Attribute) bool {
		return slices.ContainsFunc(c.file.Fields, func(f Field) bool { return f.Attribute == a })
	}
	if !given(UniqueID) {
		c.fail(0, "unique_id", "nothing gives it, and the Controller refuses a profile without it; add unique_id with the column that holds each person's own number")
	}
	if given(LoginSource) {
		return
	}
	if trim(c.ctx.LoginSource) == "" {
		c.fail(0, "login_source", "nothing gives it, and the Controller refuses a profile without it; give --login-source SSO, or add login_source: {value: SSO} to the mapping, with your own login source's code")
		return
	}
	check := validator{spec: LoginSource.Spec()}
	value, flaw := check.check(trim(c.ctx.LoginSource))
	if flaw != nil && flaw.severity == SeverityError {
		c.fail(0, "login_source", "the settings give a login source that cannot be sent: "+asClause(flaw.message))
		return
	}
	c.mapper.constants.Set(LoginSource, value)
}

// asClause takes the full stop off a sentence.
func asClause(sentence string) string { return strings.TrimSuffix(sentence, ".") }
