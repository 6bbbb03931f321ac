package mapping

// UserType is one entry of the Controller's list of user types.
type UserType struct {
	ID   string // a number in text
	Name string
	Info string // what the Controller says of it, such as "Student"
}
