package mapping

import (
	"slices"
	"strings"
	"time"

	"opscom-import/mapping/internal/chars"
	"opscom-import/mapping/internal/transform"
)

// Options are what a mapping needs besides its file and the header.
type Options struct {
	LoginSource    string     // constant for a mapping without login_source; "" for none
	UserTypes      []UserType // the Controller's list
	UserTypesKnown bool       // false: there is no list; user types are then not checked, and the profiles must not be sent
	UserTypesByID  bool       // the Controller denies its list: user types have to be ids, which are not checked, and a name is a mistake
	Today          time.Time  // for checking dates of birth
}

// Compile fits a mapping to a table with the given header, from column A on. It
// finds the columns, and checks everything in the mapping that does not depend on
// a row: constants, the results of values, transforms, expressions, the approved
// layout. All mistakes are returned together, each a *FileError, joined in the
// order of their lines.
func Compile(f *File, header []string, opts Options) (*Mapper, error) {
	c := &compiler{
		mistakes:   mistakes{name: f.Name},
		file:       f,
		header:     header,
		opts:       opts,
		types:      newUserTypeList(opts),
		births:     newBirthLimits(opts.Today),
		transforms: transform.NewSet(),
		mapper:     Mapper{file: f.Name},
	}
	c.checkLayout()
	c.compileWhere()
	fields := slices.Clone(f.Fields)
	slices.SortStableFunc(fields, func(a, b Field) int { return int(a.Attribute) - int(b.Attribute) })
	for i := range fields {
		c.compileField(&fields[i])
	}
	c.checkRequired()
	if err := c.err(); err != nil {
		return nil, err
	}
	c.compilePeople()
	return &c.mapper, nil
}

// Check returns what is wrong with a mapping whatever columns a file has: transforms that do not
// exist. Compile finds the rest.
func (f *File) Check() error {
	c := &compiler{mistakes: mistakes{name: f.Name}, transforms: transform.NewSet()}
	for i := range f.Fields {
		for _, word := range f.Fields[i].Apply {
			c.findTransform(&f.Fields[i], word)
		}
	}
	return c.err()
}

// compiler collects the parts of a mapper and the mistakes in its mapping.
type compiler struct {
	mistakes
	file        *File
	header      []string
	opts        Options
	types       *userTypeList
	typesListed bool // a mistake has listed the types, or said why there is no list
	births      birthLimits
	transforms  transform.Set
	mapper      Mapper
}

// checkLayout demands every column of the layout that the mapping was approved
// for. New columns change nothing that is mapped, so they are accepted.
func (c *compiler) checkLayout() {
	source := &c.file.Source
	for _, name := range source.Headers {
		if strings.TrimSpace(name) == "" || hasColumn(c.header, name) {
			continue
		}
		c.fail(source.Lines["headers"], "source.headers", "the mapping expects a column "+chars.Quote(name)+", but the file has none"+
			chars.Hint(name, c.header, "")+". Correct the file, or change source.headers in the mapping")
	}
}

// compilePeople decides whether rows that are not people are looked for.
func (c *compiler) compilePeople() {
	named := false
	for _, f := range c.file.Fields {
		switch {
		case f.Attribute == UniqueID && !f.AsIs && f.Value == nil:
			c.mapper.people = &unlikelyIDs{}
		case f.Value == nil && (f.Attribute == FirstName || f.Attribute == LastName || f.Attribute == Email):
			named = true
		}
	}
	if c.mapper.people != nil {
		c.mapper.people.named = named
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

// checkRequired demands a field for each attribute that the Controller requires, or
// takes the login source from the settings.
func (c *compiler) checkRequired() {
	given := func(a Attribute) bool {
		return slices.ContainsFunc(c.file.Fields, func(f Field) bool { return f.Attribute == a })
	}
	if !given(UniqueID) {
		c.fail(0, "", "unique_id is missing; the Controller refuses a profile without it. Add unique_id with the column that holds each person's own number")
	}
	if given(LoginSource) {
		return
	}
	source := chars.Trim(c.opts.LoginSource)
	if source == "" {
		c.fail(0, "", "login_source is missing; the Controller refuses a profile without it. Give --login-source SSO, or add login_source: {value: SSO} to the mapping, with the code of your own login source")
		return
	}
	check := validator{spec: LoginSource.Spec()}
	value, problem := check.check(source)
	if problem.isError() {
		c.fail(0, "login_source", "the login source in the settings cannot be sent: "+problem.clause())
		return
	}
	c.mapper.constants.Set(LoginSource, value)
}
