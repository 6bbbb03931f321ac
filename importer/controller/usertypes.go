package controller

import (
	"errors"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"opscom-import/mapping"
)

// userTypes returns the list of user types. Ids are strings as documented, or
// numbers.
func (d document) userTypes() ([]mapping.UserType, error) {
	var listed []struct {
		ID   jsontext.Value `json:"id"`
		Name string         `json:"type_name"`
		Info jsontext.Value `json:"ext_info"`
	}
	if d.UserTypes.Kind() != '[' || json.Unmarshal(d.UserTypes, &listed) != nil {
		return nil, errors.New("a success without a valid list of user_types")
	}
	types := make([]mapping.UserType, 0, len(listed))
	for _, l := range listed {
		id, _ := textOf(l.ID)
		if id = strings.TrimSpace(id); id == "" || strings.TrimSpace(l.Name) == "" {
			return nil, errors.New("a user type without an id or name")
		}
		info, _ := unquote(l.Info) // some have none, or null
		types = append(types, mapping.UserType{ID: id, Name: l.Name, Info: info})
	}
	return types, nil
}
