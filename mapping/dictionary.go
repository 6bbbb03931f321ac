package mapping

// fit says how surely a header means an attribute.
type fit uint8

const (
	fitsPart  fit = iota // it holds a part of the attribute; another column holds the rest
	fitsMaybe            // it may, and may mean something else
	fitsAlone            // it does, unless another column of the table might be meant too
	fitsOnly             // it means this attribute and no other
)

// synonyms are headers that mean an attribute in the same degree.
type synonyms struct {
	attribute Attribute // NoAttribute for headers that are known to mean none
	fit       fit
	why       string // what a person should know before taking the match; "" when there is nothing to know
	headers   []string
}

const (
	whyFullName    = "it holds the full name, and the profile wants first and last name apart; an expr can split it where a comma parts them"
	whyStreetLine2 = "it is the second line of a street, and the profile has one line for it"
)

// dictionary holds what student systems and directories call the attributes, as
// their exports and manuals name them: Banner, PeopleSoft Campus, Colleague,
// Jenzabar, Workday Student, PowerSchool, Infinite Campus, Skyward, OneRoster,
// Moodle, Canvas, Entra ID and Active Directory, Google Workspace; and plain
// English and French, since Canadian colleges use both. The names that the
// Controller accepts are not repeated here. Headers are compared by foldHeader;
// one header may stand under several attributes. Words such as "mailing", which
// change what a header means, are in header_words.go.
var dictionary = []synonyms{
	{UniqueID, fitsAlone, "it is the institution's number for a person", []string{
		"Banner ID", "BannerID", "SPRIDEN_ID", "EMPLID", "Empl ID", "Colleague ID", "Jenzabar ID", "Universal ID",
		"Campus-wide ID", "CWID",
	}},
	{UniqueID, fitsMaybe, "is it the ID by which the Controller knows the users?", []string{
		"University ID", "College ID", "Institution ID", "Institutional ID", "Campus ID", "ID", "ID Number", "ID No", "ID_NUM", "Person ID", "Student ID", "StudentID", "Student Number", "Student No", "Student Num",
		"Stu ID", "Stu Num", "Employee ID", "Employee Number", "Employee No", "Staff ID", "User ID", "UserID", "Login ID", "External ID",
		"SIS ID", "SIS User ID", "sourcedId", "Identifier", "Integration ID", "UPN", "User Principal Name", "NetID", "Net ID", "Other ID",
		"Identifiant", "Numéro d'étudiant", "No d'étudiant", "N étudiant", "Numéro étudiant", "Numéro d'employé", "No d'employé",
		"Matricule", "Numéro de dossier", "Numéro d'identification", "DA", "Numéro de DA",
	}},
	{LoginSource, fitsMaybe, "its values must be login sources of the Controller", []string{
		"Auth", "Auth Source", "Auth Method", "Authentication Source", "Authentication Type", "Authentication Provider",
		"Authentication Provider ID", "Identity Provider", "Source d'authentification",
	}},

	{FirstName, fitsOnly, "", []string{
		"Given Name", "GivenName", "Given Names", "Name First Name", "Prénom", "Prénoms", "Prénom de l'étudiant",
	}},
	{FirstName, fitsAlone, "", []string{"First", "FName"}},
	{FirstName, fitsMaybe, "", []string{"Forename", "Forenames", "First Initial", "Nickname", "Preferred Name", "Chosen Name", "Known As", "Prénom usuel"}},
	{LastName, fitsOnly, "", []string{
		"Surname", "Family Name", "FamilyName", "Name Last Name", "Nom de famille", "Nom de famille de l'étudiant",
	}},
	{LastName, fitsAlone, "", []string{"Last", "LName"}},
	{LastName, fitsMaybe, "it may hold the full name", []string{"Nom", "SN", "Nom de l'étudiant"}},
	{UserName, fitsOnly, "", []string{
		"Login Name", "Logon Name", "User Logon Name", "sAMAccountName", "Nom d'utilisateur", "Nom utilisateur",
	}},
	{UserName, fitsMaybe, "it may be the name that people log in with", []string{
		"User", "User ID", "UserID", "Login", "Login ID", "OPRID", "Operator ID", "NetID", "Net ID", "Network ID", "UPN", "User Principal Name",
		"Mail Nickname", "GOBTPAC_EXTERNAL_USER", "External User", "Student Web ID", "Code d'utilisateur", "Identifiant", "Identifiant de connexion",
	}},
	{Email, fitsOnly, "", []string{
		"Email Address", "E-mail Address", "Email Addr", "EMAIL_ADDR", "Electronic Mail",
		"Courriel", "Adresse courriel", "Adresse de courriel", "Adresse électronique", "Courrier électronique",
	}},
	{Email, fitsAlone, "", []string{"Mail"}},

	{Street, fitsOnly, "", []string{
		"Street Address", "StreetAddress", "Street Line 1", "Street 1", "Address Street", "Street Name and Number", "Rue", "Numéro et rue", "Adresse civique",
	}},
	{Street, fitsAlone, "", []string{
		"Address 1", "Addr 1", "Address Line 1", "Addr Line 1", "Address Line", "Adresse 1", "Adresse ligne 1",
	}},
	{Street, fitsMaybe, "it may hold the whole address in one cell", []string{"Address", "Addr", "Adresse"}},
	{Street, fitsPart, whyStreetLine2, []string{
		"Address 2", "Addr 2", "Address Line 2", "Addr Line 2", "Street Line 2", "Street Address 2", "Apt", "Apartment", "Unit", "Suite", "Apt/Unit", "Unit Number", "Apt Number",
		"Adresse 2", "Adresse ligne 2", "Appartement", "App", "Street Address Line 2", "Address Street 2",
	}},
	{City, fitsOnly, "", []string{"City Name", "Town", "City/Town", "Town/City", "Ville", "Municipality", "Municipalité", "Address City"}},
	{Province, fitsOnly, "", []string{
		"State/Province", "Province/State", "Prov/State", "State/Prov", "Prov", "State Code", "Province Code", "STAT_CODE", "State Abbreviation",
		"Province ou État", "Province/État", "Address State", "Address Province", "State or Province", "Province or State", "State or Territory",
		"Province/Territory", "StateOrProvince",
	}},
	{Province, fitsMaybe, "", []string{"ST", "Region", "Territory", "Région", "État"}},
	{PostalCode, fitsOnly, "", []string{
		"Postal", "ZIP Code", "ZIP/Postal Code", "ZIP/Postal", "Postal/ZIP Code", "Postal Code/ZIP", "Postal/ZIP", "Postcode", "Post Code", "Address Postal Code",
		"Address ZIP", "Code postal",
	}},
	{PostalCode, fitsMaybe, "it may be a post office box", []string{"CP"}},

	{CellPhone, fitsOnly, "", []string{
		"Cell", "Cell Phone", "Cell Phone Number", "Cell Number", "Cell No", "Cellphone", "Cellular", "Cellular Phone", "Mobile", "Mobile Phone",
		"Mobile Phone Number", "Mobile Number", "Mobile No", "Phone Mobile", "Phone Number Cell", "Phone Number Mobile",
		"Téléphone cellulaire", "Tél cellulaire", "Tél cell", "Cellulaire", "Numéro de cellulaire", "No de cellulaire", "Téléphone mobile", "Tél mobile",
	}},
	{CellPhone, fitsMaybe, "", []string{"SMS", "Text Number", "Texting Number", "Phone 2", "Téléphone portable", "Portable"}},
	{StudentPhone, fitsOnly, "", []string{"Student Phone Number", "Student Telephone", "Téléphone de l'étudiant", "Téléphone étudiant"}},
	{StudentPhone, fitsMaybe, "it may be the cell phone, or the employee's", []string{
		"Phone", "Phone Number", "Phone No", "Telephone", "Telephone Number", "Phone 1", "Primary Phone", "Main Phone", "Preferred Phone", "Contact Phone",
		"SPRTELE_PHONE_NUMBER", "Téléphone", "Tél", "Numéro de téléphone", "No de téléphone",
	}},
	{StudentPhone, fitsMaybe, "the profile has no home phone of its own", []string{
		"Home Phone", "Home Phone Number", "Home Telephone", "Permanent Phone", "Local Phone", "Phone Home", "Téléphone à domicile", "Téléphone domicile",
		"Téléphone résidence", "Téléphone maison", "Tél domicile", "Tél résidence",
	}},
	{EmployeePhone, fitsOnly, "", []string{"Employee Phone Number", "Employee Telephone", "Téléphone de l'employé"}},
	{EmployeePhone, fitsMaybe, "", []string{
		"Work Phone", "Work Phone Number", "Work Telephone", "Business Phone", "Business Phones", "Office Phone", "Staff Phone",
		"Téléphone au travail", "Téléphone travail", "Téléphone bureau", "Tél bureau", "Tél travail",
	}},

	{UserTypeID, fitsOnly, "", []string{"User Type", "User Type Name", "Type d'utilisateur"}},
	{UserTypeID, fitsMaybe, "its values must be user types of the Controller, or be turned into them with `values`", []string{
		"Student Type", "Person Type", "User Category", "User Group", "Role", "Roles", "Primary Role", "Institution Role", "Affiliation", "Primary Affiliation",
		"Classification", "Class", "Full/Part Time", "Full-time/Part-time", "Full Time Part Time", "FT/PT", "Time Status", "Academic Load", "Employee Type",
		"Type d'étudiant", "Rôle", "Catégorie", "Régime d'études", "Temps plein/partiel",
	}},
	{LockerUserTypeID, fitsOnly, "", []string{"Locker User Type", "Locker Type ID"}},
	{EmployeeNumber, fitsOnly, "", []string{
		"Employee Number", "Employee No", "Employee Num", "Emp No", "Emp Number", "Employ Number", "Staff Number", "Staff No", "Personnel Number",
		"Numéro d'employé", "No d'employé", "N employé",
	}},
	{EmployeeNumber, fitsMaybe, "", []string{"Employee ID", "Emp ID", "Staff ID", "Personnel ID", "Worker ID", "Matricule"}},
	{StudentNumber, fitsOnly, "", []string{
		"Student Number", "Student Num", "Stu Num", "Stu No", "Numéro d'étudiant", "No d'étudiant", "N étudiant", "Numéro étudiant",
	}},
	{StudentNumber, fitsMaybe, "", []string{"Student ID", "StudentID", "Stu ID", "Learner ID", "Matricule", "Numéro de dossier", "DA", "Numéro de DA"}},

	{DriverLicenceNumber, fitsOnly, "", []string{
		"Driver's Licence", "Driver Licence", "Driver's License", "Driver License", "Driver's Licence Number", "Driver Licence Number",
		"Driver's License Number", "Driver License Number", "Driver's Licence No", "Driver's License No", "DL Number", "DL No",
		"Permis de conduire", "Numéro de permis de conduire", "No de permis de conduire",
	}},
	{DriverLicenceNumber, fitsMaybe, "it may be another licence", []string{"Licence Number", "License Number", "Licence No", "License No", "Numéro de permis"}},
	{DriverLicenceProvince, fitsOnly, "", []string{
		"Driver's Licence Province", "Driver Licence Province", "Driver's License State", "Driver License Province", "Driver's Licence State", "Driver's License Province",
		"DL State", "DL Province", "DL Prov", "Province du permis de conduire",
	}},
	{DriverLicenceProvince, fitsMaybe, "it may be another licence", []string{"Licence Province", "License State", "License Province", "Province du permis"}},
	{DateOfBirth, fitsOnly, "", []string{
		"DOB", "D.O.B.", "Birth Date", "Birthdate", "Birth Dt", "BIRTH_DTE", "Date of Birth", "Birthday", "Birth Day", "BirthDay Date",
		"Date de naissance", "Date naissance",
	}},
	{DateOfBirth, fitsMaybe, "", []string{"BDate", "Naissance", "DDN", "Né le"}},

	// Headers that look like an attribute and are none.
	{NoAttribute, fitsOnly, whyFullName, []string{
		"Name", "Full Name", "Student Name", "Display Name", "displayName", "Sortable Name", "Short Name", "Legal Name", "Name Last First", "Last Name First Name",
		"Name (Last, First)", "Last First", "First and Last Name", "Student Full Name", "Complete Name", "Nom complet", "Nom et prénom", "Nom, prénom", "Prénom et nom",
	}},
	{NoAttribute, fitsOnly, "the profile has no attribute for it", []string{
		"Middle Name", "Middle Initial", "Middle", "MI", "Suffix", "Prefix", "Title", "Salutation", "Gender", "Sex", "Pronouns", "Country", "Country Code", "County", "Nation",
		"Citizenship", "Status", "State ID", "State Student Number", "State Student ID", "Active", "Enabled", "Term", "Semester", "Session", "Campus", "College", "School", "Site", "Department", "Faculty", "Program", "Programme",
		"Major", "Degree", "Level", "Year", "Grade", "Grade Level", "Credits", "GPA", "Start Date", "End Date", "Hire Date", "Date Created", "Last Modified", "dateLastModified",
		"Last Update", "Last Login", "Notes", "Comments", "Permit", "Plate", "License Plate", "Licence Plate", "Vehicle", "Deuxième prénom", "Autre prénom", "Sexe", "Genre", "Pays", "Programme d'études", "Session d'études", "Trimestre", "Statut",
	}},
	{NoAttribute, fitsOnly, "it is a number inside the other system, and means nothing outside it", []string{
		"PIDM", "SPRIDEN_PIDM", "DCID", "Object ID", "objectGUID", "Canvas User ID", "GUID", "UUID", "Row ID", "Record ID",
	}},
	{NoAttribute, fitsOnly, "it is private, and nothing here sends it", []string{
		"SSN", "SIN", "Social Security Number", "Social Insurance Number", "National ID", "Government ID", "Password", "PIN", "Passport", "Passport Number",
		"Health Card", "Health Card Number", "NAS", "Numéro d'assurance sociale", "Mot de passe", "Code permanent",
	}},
}
