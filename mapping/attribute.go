package mapping

import (
	"errors"
	"slices"
	"strings"
)

// Attribute is one attribute of a profile. Its zero value is NoAttribute.
type Attribute uint8

// The attributes of a profile, in the order in which they are sent and shown.
const (
	NoAttribute Attribute = iota
	UniqueID
	LoginSource
	FirstName
	LastName
	UserName
	Email
	Street
	City
	Province
	PostalCode
	Street2
	City2
	Province2
	PostalCode2
	CellPhone
	UserTypeID
	EmployeeNumber
	EmployeePhone
	StudentNumber
	StudentPhone
	DriverLicenceNumber
	DriverLicenceProvince
	DateOfBirth
	LockerUserTypeID
	attributeEnd
)

// Kind says how the values of an attribute are checked.
type Kind uint8

// The kinds of attributes.
const (
	TextKind           Kind = iota // at most MaxChars characters
	EmailKind                      // an e-mail address
	RegionKind                     // a postal abbreviation of two letters (province or state)
	DateKind                       // yyyy-mm-dd
	UserTypeKind                   // a user type's id or its name in the Controller's list
	LockerUserTypeKind             // a locker user type's id; the Controller does not publish a list of them
)

// AttributeSpec describes one attribute, as the Controller's page "Profiles Push API"
// publishes it. Limits are in characters, not bytes: the page's own example has
// spaces, dots and "@", so its "50-character alphanumeric including dashes" means at
// most 50 characters.
type AttributeSpec struct {
	Attribute Attribute
	Label     string   // what a person calls it
	Names     []string // names that the Controller accepts; the first is sent
	MaxChars  int      // maximum characters (Unicode code points); 0 when none is published
	Required  bool     // the Controller refuses a profile without it
	Kind      Kind
}

var attributeSpecs = [attributeEnd]AttributeSpec{
	UniqueID:              {UniqueID, "Unique ID", []string{"unique_id"}, 50, true, TextKind},
	LoginSource:           {LoginSource, "Login Source", []string{"login_source"}, 20, true, TextKind},
	FirstName:             {FirstName, "First Name", []string{"first_name"}, 50, false, TextKind},
	LastName:              {LastName, "Last Name", []string{"last_name"}, 50, false, TextKind},
	UserName:              {UserName, "User Name", []string{"user_name"}, 50, false, TextKind},
	Email:                 {Email, "Email", []string{"email"}, 100, false, EmailKind},
	Street:                {Street, "Street", []string{"street"}, 0, false, TextKind},
	City:                  {City, "City", []string{"city"}, 50, false, TextKind},
	Province:              {Province, "Province or State", []string{"province", "state"}, 2, false, RegionKind},
	PostalCode:            {PostalCode, "Postal Code or ZIP", []string{"postal_code", "zip"}, 20, false, TextKind},
	Street2:               {Street2, "Street, address 2", []string{"street2"}, 20, false, TextKind},
	City2:                 {City2, "City, address 2", []string{"city2"}, 50, false, TextKind},
	Province2:             {Province2, "Province or State, address 2", []string{"province2", "state2"}, 2, false, RegionKind},
	PostalCode2:           {PostalCode2, "Postal Code or ZIP, address 2", []string{"postal_code2", "zip2"}, 20, false, TextKind},
	CellPhone:             {CellPhone, "Cell Phone", []string{"phone_cell"}, 20, false, TextKind},
	UserTypeID:            {UserTypeID, "User Type", []string{"user_type_id"}, 0, false, UserTypeKind},
	EmployeeNumber:        {EmployeeNumber, "Employee Number", []string{"employ_no"}, 50, false, TextKind},
	EmployeePhone:         {EmployeePhone, "Employee Phone", []string{"employee_phone"}, 50, false, TextKind},
	StudentNumber:         {StudentNumber, "Student Number", []string{"student_no"}, 50, false, TextKind},
	StudentPhone:          {StudentPhone, "Student Phone", []string{"student_phone"}, 50, false, TextKind},
	DriverLicenceNumber:   {DriverLicenceNumber, "Driver's Licence Number", []string{"driver_licence_num", "driver_license_num"}, 255, false, TextKind},
	DriverLicenceProvince: {DriverLicenceProvince, "Driver's Licence Province or State", []string{"driver_licence_prov", "driver_license_state"}, 2, false, RegionKind},
	DateOfBirth:           {DateOfBirth, "Date of Birth", []string{"date_of_birth"}, 10, false, DateKind},
	LockerUserTypeID:      {LockerUserTypeID, "Locker User Type", []string{"locker_user_type_id"}, 0, false, LockerUserTypeKind},
}

// Attributes returns every attribute's description, in the order in which they
// are sent. The caller must not change it.
func Attributes() []AttributeSpec { return attributeSpecs[UniqueID:] }

// Spec returns the attribute's description; that of NoAttribute is empty.
func (a Attribute) Spec() AttributeSpec { return attributeSpecs[a] }

// String returns the name under which the attribute is sent, "" for NoAttribute.
func (a Attribute) String() string {
	if a == NoAttribute || a >= attributeEnd {
		return ""
	}
	return attributeSpecs[a].Names[0]
}

// AttributeNamed returns the attribute that has exactly this name among its accepted
// names, NoAttribute when there is none.
func AttributeNamed(name string) Attribute {
	for _, spec := range Attributes() {
		if slices.Contains(spec.Names, name) {
			return spec.Attribute
		}
	}
	return NoAttribute
}

// AcceptedName returns the attribute whose accepted names have this header among them,
// as it is written but for capitals and white space around it; NoAttribute when there
// is none.
func AcceptedName(header string) Attribute {
	return AttributeNamed(strings.ToLower(strings.TrimSpace(header)))
}

// MarshalText writes the name of the attribute, "" for NoAttribute.
func (a Attribute) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (a *Attribute) UnmarshalText(name []byte) error {
	*a = AttributeNamed(string(name))
	if *a == NoAttribute && len(name) > 0 {
		return errors.New(unknownAttribute(string(name)))
	}
	return nil
}
