"""Maps and validates an export as its mapping file says, with csv.DictReader.

Usage: dictreader.py FILE. Prints the number of rows that are fine.
"""

import csv
import re
import sys
from datetime import date

REGIONS = {"on": "ON", "ontario": "ON", "qc": "QC", "quebec": "QC", "québec": "QC", "bc": "BC", "ab": "AB", "ns": "NS"}
TYPES = {"FT": "1", "PT": "2"}
EMAIL = re.compile(r"[\w.+'-]+@[\w-]+(\.[\w-]+)+")
POSTAL = re.compile(r"([A-Z]\d[A-Z]) ?(\d[A-Z]\d)")
SHORTENED = re.compile(r"-?\d([.,]\d+)?[eE]\+\d+")
LIMITS = {"unique_id": 50, "first_name": 50, "last_name": 50, "user_name": 50, "email": 100, "city": 50, "phone_cell": 20}


def profile(row):
    """Returns a row's profile, and what is wrong with it."""
    problems = []
    p = {
        "unique_id": row["Banner ID"].strip(),
        "login_source": "SSO",
        "first_name": row["Preferred First Name"].strip() or row["Legal First Name"].strip(),
        "last_name": row["Legal Last Name"].strip(),
        "user_name": row["Username"].strip(),
        "email": row["E-mail"].strip().lower(),
        "street": row["Addr 1"].strip(),
        "city": row["City"].strip(),
        "province": REGIONS.get(row["State/Province"].strip().lower()),
        "phone_cell": row["Cell Phone"].strip(),
        "user_type_id": TYPES.get(row["Student Type"].strip()),
        "student_no": row["Banner ID"].strip(),
        "date_of_birth": row["DOB"].strip(),
    }
    code = POSTAL.fullmatch(row["Postal Code"].strip().upper())
    p["postal_code"] = f"{code[1]} {code[2]}" if code else row["Postal Code"].strip()
    if not p["unique_id"]:
        problems.append("unique_id")
    if not EMAIL.fullmatch(p["email"]):
        problems.append("email")
    if p["province"] is None:
        problems.append("province")
    if p["user_type_id"] is None:
        problems.append("user_type_id")
    try:
        born = date.fromisoformat(p["date_of_birth"])
        if not 10 <= date.today().year - born.year <= 110:
            problems.append("date_of_birth")
    except ValueError:
        problems.append("date_of_birth")
    problems += [name for name, most in LIMITS.items() if len(p[name]) > most]
    problems += [name for name in ("unique_id", "student_no", "phone_cell", "postal_code") if SHORTENED.fullmatch(p[name])]
    problems += [name for name, value in p.items() if value and (not value.isprintable() or value.startswith("#"))]
    return p, problems


def main(path):
    fine, people, emails, users = 0, set(), set(), set()
    with open(path, encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            p, problems = profile(row)
            for seen, value in ((people, (p["login_source"], p["unique_id"].lower())), (emails, p["email"]), (users, p["user_name"].lower())):
                if value in seen:
                    problems.append("duplicate")
                seen.add(value)
            fine += not problems
    print(fine)


main(sys.argv[1])
