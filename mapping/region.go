package mapping

import "opscom-import/mapping/internal/region"

// Region is a province, territory or state that has a postal abbreviation.
type Region struct {
	Code string // such as ON
	Name string // such as Ontario
}

// Regions returns the provinces and territories of Canada, and then the states and
// territories of the USA.
func Regions() []Region {
	var list []Region
	for code, name := range region.All() {
		list = append(list, Region{code, name})
	}
	return list
}
