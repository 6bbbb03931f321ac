package mapping

// fit says how surely a header means an attribute.
type fit uint8

const (
	fitsPart   fit = iota // it holds a part of the attribute; another column holds the rest
	fitsWhole             // it holds the attribute and others in one cell
	fitsLast              // it may, where no other column of the table does
	fitsBefore            // it takes the attribute's place where it is filled, as a preferred name does
	fitsMaybe             // it may, and may mean something else
	fitsAlone             // it does, unless another column of the table might be meant too
	fitsOnly              // it means this attribute and no other
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
	whyPreferred   = "a preferred name may differ from the legal one, and is often blank"
	whyHomePhone   = "the profile has no home phone of its own"
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
		"Campus-wide ID", "CWID", "Datatel ID", "Banner Number", "COD_ETU",
	}},
	{UniqueID, fitsMaybe, "is it the ID by which the Controller knows the users?", []string{
		"Payroll ID", "HR ID",
		"University ID", "College ID", "Institution ID", "Institutional ID", "Campus ID", "ID", "ID Number", "ID No", "ID_NUM", "Person ID", "Student ID", "StudentID", "Student Number", "Student No", "Student Num",
		"Student Code", "Stu Code", "Local ID", "Student Local ID", "Perm ID", "Permanent ID", "SIS Number", "SID", "Identification Number", "School Student ID", "School ID Number", "Admission Number", "Admissions Number", "UID", "Host ID", "Primary ID", "Customer ID", "External Person Key", "Org Defined ID", "Person Number",
		"Source ID", "User Master Identifier", "SIS Login ID", "eduPersonPrincipalName", "EPPN",
		"Stu ID", "Stu Num", "Employee ID", "Employee Number", "Employee No", "Staff ID", "User ID", "UserID", "Login ID", "External ID",
		"SIS ID", "SIS User ID", "sourcedId", "Identifier", "Integration ID", "UPN", "User Principal Name", "NetID", "Net ID", "Other ID",
		"Identifiant", "Numéro d'étudiant", "No d'étudiant", "N étudiant", "Numéro étudiant", "Numéro d'employé", "No d'employé",
		"Matricule", "Numéro de dossier", "Numéro d'identification", "DA", "Numéro de DA", "No DA", "No de DA", "Numéro DA", "Fiche", "Numéro de fiche", "No de fiche",
		"Code étudiant", "Code d'étudiant", "Identifiant unique", "No étudiant", "Numéro", "Code d'élève", "Numéro d'élève",
	}},
	{LoginSource, fitsMaybe, "its values must be login sources of the Controller", []string{
		"Auth", "Auth Source", "Auth Method", "Authentication Source", "Authentication Type", "Authentication Provider",
		"Authentication Provider ID", "Identity Provider", "Source d'authentification",
	}},

	{FirstName, fitsOnly, "", []string{
		"Given Name", "GivenName", "Given Names", "First Given Name", "Forename", "Forenames", "Name First", "Name First Name", "Name Given Name", "First/Given Name", "Given/First Name", "First (Given) Name", "Prénom", "Prénoms", "Prénom de l'étudiant",
		"LIB_PR1_IND",
	}},
	{FirstName, fitsAlone, "", []string{"First", "FName", "Given"}},
	{FirstName, fitsBefore, whyPreferred, []string{
		"Nickname", "Nick", "Preferred Name", "Preferred", "Chosen Name", "Known As", "Goes By", "Goes By Name", "Prénom usuel", "Prénom d'usage",
	}},
	{LastName, fitsOnly, "", []string{
		"Surname", "Family Name", "FamilyName", "Last Surname", "Name Last", "Name Last Name", "Name Family Name", "Last/Family Name", "Family/Last Name", "Last (Family) Name", "Surname/Family Name", "Family Name/Surname", "Nom famille", "Nom de famille", "Nom de famille de l'étudiant",
		"LIB_NOM_PAT_IND",
	}},
	{LastName, fitsAlone, "", []string{"Last", "LName"}},
	{LastName, fitsMaybe, "it may hold the full name", []string{"Nom", "Nom de l'étudiant", "Nom de l'élève"}},
	{LastName, fitsMaybe, "", []string{"SN"}},
	{LastName, fitsBefore, whyPreferred, []string{"LIB_NOM_USU_IND", "Nom d'usage", "Nom usuel"}},
	{UserName, fitsOnly, "", []string{
		"Login Name", "Logon Name", "User Logon Name", "sAMAccountName", "Network Username", "Login Username", "Portal Username", "AD Username", "Active Directory Username",
		"Nom d'utilisateur", "Nom utilisateur", "Nom d'usager",
	}},
	{UserName, fitsMaybe, "it may be the name that people log in with", []string{
		"User", "Login", "Login ID", "SIS Login ID", "OPRID", "Operator ID", "NetID", "Net ID", "Network ID", "Network Login", "Windows Login", "Account Name", "UPN", "User Principal Name", "eduPersonPrincipalName", "EPPN",
		"Mail Nickname", "GOBTPAC_EXTERNAL_USER", "External User", "Student Web ID", "Code d'utilisateur", "Code d'usager", "Code d'accès", "Identifiant", "Identifiant de connexion",
	}},
	{UserName, fitsLast, "it may be the name that people log in with", []string{"User ID", "UserID"}},
	{Email, fitsOnly, "", []string{
		"Email Address", "E-mail Address", "Email Addr", "EMAIL_ADDR", "Electronic Mail", "Electronic Mail Address",
		"Courriel", "Adresse courriel", "Adresse de courriel", "Adresse électronique", "Courrier électronique", "Adresse e-mail", "Adresse mail",
	}},
	{Email, fitsAlone, "", []string{"Mail", "Email ID", "Email 1", "Email Addresses"}},

	{Street, fitsOnly, "", []string{
		"Street Address", "StreetAddress", "Street Line 1", "Street 1", "Address Street", "Street Name and Number", "Street Number and Name", "Street Number Name", "Rue", "Numéro et rue", "No et rue", "Numéro civique et rue", "Adresse civique",
	}},
	{Street, fitsAlone, "", []string{
		"Address 1", "Addr 1", "Address Line 1", "Addr Line 1", "Address Line", "Adresse 1", "Adresse ligne 1",
	}},
	{Street, fitsMaybe, "it may hold the whole address in one cell", []string{"Address", "Addr", "Adresse", "Address Lines", "Addr Lines"}},
	{Street, fitsPart, whyStreetLine2, []string{
		"Address 2", "Addr 2", "Address Line 2", "Addr Line 2", "Street Line 2", "Street Address 2", "Apt", "Apartment", "Unit", "Suite", "Apt/Unit", "Unit Number", "Apt Number",
		"Adresse 2", "Adresse ligne 2", "Appartement", "App", "Street Address Line 2", "Address Street 2",
	}},
	{City, fitsMaybe, "", []string{"Suburb", "Locality", "Localité"}},
	{City, fitsOnly, "", []string{"City Name", "Town", "City/Town", "Town/City", "Ville", "Municipality", "Municipalité", "Address City"}},
	{Province, fitsOnly, "", []string{
		"State/Province", "Province/State", "Prov/State", "State/Prov", "Prov", "State Code", "Province Code", "STAT_CODE", "State Abbreviation", "State Abbrev",
		"Province ou État", "État ou province", "Province/État", "Address State", "Address Province", "State or Province", "Province or State", "State or Territory",
		"Province/Territory", "StateOrProvince",
	}},
	{Province, fitsMaybe, "", []string{"ST", "Region", "Territory", "Région", "État"}},
	{PostalCode, fitsOnly, "", []string{
		"Postal", "ZIP Code", "ZIP 5", "ZIP Code 5", "ZIP/Postal Code", "ZIP or Postal Code", "Postal or ZIP Code", "ZIP/Postal", "Postal/ZIP Code", "Postal Code/ZIP", "Postal/ZIP", "Postcode", "Post Code", "Address Postal Code",
		"Address ZIP", "Code postal",
	}},
	{PostalCode, fitsMaybe, "it may be a post office box", []string{"CP"}},

	{CellPhone, fitsOnly, "", []string{
		"Cell", "Cell Phone", "Cell Phone Number", "Cell Number", "Cell No", "Cellphone", "Cellular", "Cellular Phone", "Mobile", "Mobile Phone",
		"Mobile Phone Number", "Mobile Number", "Mobile No", "Phone Mobile", "Phone Number Cell", "Phone Number Mobile",
		"Téléphone cellulaire", "Tél cellulaire", "Tél cell", "Cellulaire", "Numéro de cellulaire", "No de cellulaire", "No cellulaire", "Téléphone mobile", "Tél mobile",
	}},
	{CellPhone, fitsOnly, "", []string{"M Phone"}},
	{CellPhone, fitsMaybe, "", []string{"SMS", "Text Number", "Texting Number", "Phone 2", "Téléphone portable", "Portable"}},
	{StudentPhone, fitsOnly, "", []string{"Student Phone Number", "Student Telephone", "Téléphone de l'étudiant", "Téléphone étudiant"}},
	{StudentPhone, fitsMaybe, "it may be the cell phone, or the employee's", []string{
		"Phone", "Phone Number", "Phone No", "Phone Num", "Phone Nbr", "Ph", "Ph No", "Ph Number", "Tel No", "Tel Number", "Telephone", "Telephone Number", "Phone 1", "Primary Phone", "Main Phone", "Preferred Phone", "Contact Phone", "Contact Number",
		"SPRTELE_PHONE_NUMBER", "Téléphone", "Tél", "Numéro de téléphone", "No de téléphone",
	}},
	{StudentPhone, fitsMaybe, whyHomePhone, []string{"Phone Home", "H Phone 1", "Téléphone à domicile"}},
	{EmployeePhone, fitsOnly, "", []string{"Employee Phone Number", "Employee Telephone", "Téléphone de l'employé"}},
	{EmployeePhone, fitsMaybe, "", []string{
		"Business Phones", "Staff Phone", "B Phone 1", "Téléphone au travail", "Téléphone au bureau",
	}},

	{UserTypeID, fitsOnly, "", []string{"User Type", "User Type Name", "Type d'utilisateur"}},
	{UserTypeID, fitsMaybe, "its values must be user types of the Controller, or be turned into them with `values`", []string{
		"Student Type", "Current Student Type", "Declared User Type", "Person Type", "Worker Type", "Role Name", "Customer Type", "Customer Classification", "Customer Group", "Patron Type", "Patron Group", "Member Type", "Member Category", "Affiliation Type",
		"Employment Type", "Student Load", "Student/Staff", "Type d'usager", "Type d'employé", "Catégorie d'usager",
		"eduPersonAffiliation", "eduPersonPrimaryAffiliation", "Load Status", "Full/Part Time Status", "Full Part", "Student Current Type", "User Category", "User Group", "Role", "Roles", "Primary Role", "Institution Role", "Affiliation", "Primary Affiliation",
		"Classification", "Class", "Full/Part Time", "Full-time/Part-time", "Full Time Part Time", "FT/PT", "Time Status", "Academic Load", "Employee Type",
		"Type d'étudiant", "Rôle", "Catégorie", "Régime d'études", "Temps plein/partiel",
	}},
	{LockerUserTypeID, fitsOnly, "", []string{"Locker User Type", "Locker Type ID"}},
	{EmployeeNumber, fitsOnly, "", []string{
		"Employee Number", "Employee No", "Employee Num", "Emp No", "Emp Number", "Employ Number", "Staff Number", "Staff No", "Personnel Number",
		"Numéro d'employé", "No d'employé", "N employé",
	}},
	{EmployeeNumber, fitsMaybe, "", []string{"Payroll ID", "HR ID", "Employee ID", "Emp ID", "Staff ID", "Personnel ID", "Worker ID", "Matricule"}},
	{StudentNumber, fitsOnly, "", []string{
		"Student Number", "Student Num", "Stu Num", "Stu No", "Numéro d'étudiant", "No d'étudiant", "N étudiant", "Numéro étudiant",
	}},
	{StudentNumber, fitsMaybe, "", []string{"Student ID", "StudentID", "Stu ID", "Learner ID", "Matricule", "Numéro de dossier", "DA", "Numéro de DA"}},

	{DriverLicenceNumber, fitsOnly, "", []string{
		"Driver's Licence", "Driver Licence", "Driver's License", "Driver License", "Driver's Licence Number", "Driver Licence Number",
		"Driver's License Number", "Driver License Number", "Driver's Licence No", "Driver's License No", "DL Number", "DL No", "Drivers Lic Num", "Drivers Lic No", "Driver Lic No",
		"Permis de conduire", "Numéro de permis de conduire", "No de permis de conduire",
	}},
	{DriverLicenceNumber, fitsMaybe, "it may be another licence", []string{"Licence Number", "License Number", "Licence No", "License No", "Numéro de permis"}},
	{DriverLicenceProvince, fitsOnly, "", []string{
		"Driver's Licence Province", "Driver Licence Province", "Driver's License State", "Driver License Province", "Driver's Licence State", "Driver's License Province",
		"DL State", "DL St", "DL Province", "DL Prov", "Drivers Lic St", "Drivers Lic State", "Drivers Lic Prov", "Province du permis de conduire",
	}},
	{DriverLicenceProvince, fitsMaybe, "it may be another licence", []string{"Licence Province", "License State", "License Province", "Province du permis"}},
	{DateOfBirth, fitsOnly, "", []string{
		"DOB", "D.O.B.", "Birth Date", "Birthdate", "Birth Dt", "BIRTH_DTE", "Date of Birth", "Birthday", "Birth Day", "BirthDay Date",
		"Date de naissance", "Date naissance", "Date naiss", "Date de naiss", "Né(e) le", "DATE_NAI_IND",
	}},
	{DateOfBirth, fitsMaybe, "", []string{"BDate", "Naissance", "DDN", "Né le", "Née le"}},

	{LastName, fitsWhole, whyFullName, []string{
		"Name", "Full Name", "Student Name", "Display Name", "displayName", "Sortable Name", "Short Name", "Legal Name", "Name Last First", "Last Name First Name",
		"Name (Last, First)", "Last First", "First and Last Name", "Student Full Name", "Complete Name", "Name Full Name", "CN", "Common Name",
		"Nom complet", "Nom et prénom", "Nom, prénom", "Prénom et nom",
	}},
	{LastName, fitsWhole, "it may hold the full name, and the profile wants first and last name apart; an expr can split it where a comma parts them", []string{
		"Student", "Learner", "Worker", "Employee", "Étudiant", "Élève",
	}},

	// Headers that look like an attribute and are none.
	{NoAttribute, fitsOnly, "the profile has no attribute for it", []string{
		"First Initial", "Middle Name", "Middle Initial", "Middle", "MI", "Suffix", "Prefix", "Title", "Salutation", "Gender", "Sex", "Pronouns", "Country", "Country Code", "County", "Nation",
		"Citizenship", "Status", "State ID", "State Student Number", "State Student ID", "Active", "Enabled", "Term", "Semester", "Session", "Campus", "College", "School", "Site", "Department", "Faculty", "Program", "Programme",
		"Major", "Degree", "Level", "Year", "Grade", "Grade Level", "Credits", "GPA", "Start Date", "End Date", "Hire Date", "Date Created", "Last Modified", "dateLastModified",
		"Last Update", "Last Login", "Notes", "Comments", "Permit", "Plate", "License Plate", "Licence Plate", "Vehicle", "Deuxième prénom", "Autre prénom", "Sexe", "Genre", "Pays", "Programme d'études", "Session d'études", "Trimestre", "Statut",
	}},
	{NoAttribute, fitsOnly, "it is about the school", []string{
		"School ID", "School Number", "School Code", "School Name", "School Address", "School City", "School State", "School Province", "School Zip", "School Phone",
		"Home School", "High School",
	}},
	{NoAttribute, fitsOnly, "it is a number inside the other system, and means nothing outside it", []string{
		"PIDM", "SPRIDEN_PIDM", "DCID", "student.personID", "individual.personID", "NAME-ID", "Object ID", "objectGUID", "Canvas User ID", "GUID", "UUID", "Row ID", "Record ID",
	}},
	{NoAttribute, fitsOnly, "it is private, and nothing here sends it", []string{
		"SSN", "SIN", "Social Security Number", "Social Insurance Number", "National ID", "Government ID", "Password", "PIN", "Passport", "Passport Number",
		"Health Card", "Health Card Number", "NAS", "Numéro d'assurance sociale", "Mot de passe", "Code permanent",
	}},
}
