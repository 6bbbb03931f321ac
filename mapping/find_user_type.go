package mapping

import "errors"

// FindUserType returns the id of the user type that text gives by id or by name, as a
// constant in a mapping does. Where the Controller denies its
// list, text must be an id.
func FindUserType(text string, opts Options) (string, error) {
	id, problem := newUserTypeList(opts).id(UserTypeID.Spec().Label, text)
	if problem != nil {
		return "", errors.New(problem.Message)
	}
	return id, nil
}
