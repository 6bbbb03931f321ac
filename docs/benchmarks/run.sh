#!/usr/bin/env bash
# Measures opscom-import beside other programs, on files and a server that it makes.
#
#   docs/benchmarks/run.sh csv  [ROWS]      check of a CSV file
#   docs/benchmarks/run.sh xlsx [ROWS]      check of a workbook (Python needs openpyxl)
#   docs/benchmarks/run.sh push [ROWS]      push to the sandbox; LATENCY=20ms by default
#
# Needs Go and GNU time. A program that is not installed is left out. ROUNDS=5 measures
# each program five times. NODE_PATH says where npm has installed exceljs.
set -euo pipefail
cd "$(dirname "$0")"
what=${1:?csv, xlsx or push} rows=${2:-100000} rounds=${ROUNDS:-3} latency=${LATENCY:-20ms}
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT
go build -o "$work/opscom-import" ../../cmd/opscom-import
export OPSCOM_API_TOKEN=bench-token OPSCOM_STATE=$work/state

# measure NAME COMMAND...: seconds, CPU seconds and peak memory of each round
measure() {
  local name=$1
  shift
  if ! command -v "$1" >/dev/null; then
    printf '%-16s not installed\n' "$name"
    return
  fi
  for _ in $(seq "$rounds"); do
    if /usr/bin/time -o "$work/time" -f '%e s, CPU %U + %S s, peak %M KiB' "$@" >"$work/out" 2>"$work/err"; then
      printf '%-16s %s\n' "$name" "$(cat "$work/time")"
    else
      printf '%-16s failed: %s\n' "$name" "$(tail -n 1 "$work/err")"
    fi
  done
}

make_export() { # 27 columns, of which the mapping uses 14
  awk -v rows="$rows" 'BEGIN {
    print "Term,Banner ID,Legal Last Name,Legal First Name,Preferred First Name,Middle Name,DOB,E-mail,Username,Addr 1,Addr 2,City," \
      "State/Province,Postal Code,Country,Home Phone,Cell Phone,Program,Faculty,Level,Campus,Student Type,Enrol Status,Residence," \
      "Emergency Contact,Emergency Phone,Parking Permit"
    for (i = 0; i < rows; i++)
      printf "202701,9%08d,Tremblay-Gagnon,Zoë,%s,Marie,%d-%02d-%02d,student%d@college.example,student%d,%d Rue Principale,,Ottawa," \
        "ON,K1A 0B1,Canada,613-555-0142,613-555-0199,Computer Science,Arts,Undergraduate,Main,%s,RE,Off campus,Jean Tremblay," \
        "613-555-0100,N\n", i, i % 4 ? "" : "Alex", 1990 + i % 17, 1 + i % 12, 1 + i % 28, i, i, 1 + i % 999, i % 5 ? "FT" : "PT"
  }' >"$work/export.csv"
  cat >"$work/export.mapping.yaml" <<'YAML'
version: 1
fields:
  unique_id: Banner ID
  login_source: {value: SSO}
  first_name: {column: [Preferred First Name, Legal First Name]}
  last_name: Legal Last Name
  user_name: Username
  email: {column: E-mail, apply: [lower], required: true}
  street: Addr 1
  city: City
  province: {column: State/Province, apply: [province]}
  postal_code: {column: Postal Code, apply: [postal_code]}
  phone_cell: Cell Phone
  user_type_id: {column: Student Type, values: {FT: "1", PT: "2"}, otherwise: error}
  student_no: Banner ID
  date_of_birth: {column: DOB, date: YYYY-MM-DD}
YAML
}

case $what in
csv)
  make_export
  measure opscom-import "$work/opscom-import" check --no-progress "$work/export.csv"
  measure "Miller to CSV" mlr --icsv --ocsv cat "$work/export.csv"
  measure "Miller to JSON" mlr --icsv --ojson cat "$work/export.csv"
  measure csv.DictReader python3 peers/dictreader.py "$work/export.csv"
  ;;
xlsx)
  make_export
  python3 - "$work" <<'PYTHON'
import csv, sys, openpyxl
book = openpyxl.Workbook(write_only=True)
sheet = book.create_sheet("Students")
for row in csv.reader(open(sys.argv[1] + "/export.csv", encoding="utf-8")):
    sheet.append(row)
book.save(sys.argv[1] + "/export.xlsx")
PYTHON
  measure opscom-import "$work/opscom-import" check --no-progress "$work/export.xlsx"
  measure exceljs node peers/exceljs_rows.js "$work/export.xlsx"
  measure openpyxl python3 peers/openpyxl_rows.py "$work/export.xlsx"
  measure xlsx2csv xlsx2csv "$work/export.xlsx"
  measure LibreOffice soffice --headless "-env:UserInstallation=file://$work/office" --convert-to csv --outdir "$work" "$work/export.xlsx"
  ;;
push)
  awk -v rows="$rows" 'BEGIN {
    print "unique_id,login_source,first_name,last_name,user_name,email,street,city,province,postal_code"
    for (i = 0; i < rows; i++)
      printf "9%08d,SSO,Zoë,Tremblay,user%d,user%d@example.edu,%d College Street,Ottawa,ON,K1A 0B1\n", i, i, i, i
  }' >"$work/people.csv"
  "$work/opscom-import" sandbox --client bench --address 127.0.0.1:0 --faults "latency=$latency" --state "$work/sandbox" >"$work/server" &
  server=$!
  until grep -qs listens "$work/server"; do sleep 0.1; done
  address=$(grep -o 'http://[0-9.:]*' "$work/server" | head -n 1)
  export PEER_FILE=$work/people.csv PEER_URL=$address/api/bench/v1/profiles/push PEER_WORKERS=32
  measure opscom-import "$work/opscom-import" push --fresh --no-progress --rate 0 --workers 32 --url "$address" --client bench "$work/people.csv"
  measure wrk wrk -t 2 -c 32 -d 5 -s peers/push.lua "$PEER_URL"
  measure benthos benthos run peers/connect.yaml
  measure aiohttp python3 peers/aiohttp_push.py "$PEER_FILE" "$PEER_URL" bench-token 32
  ;;
*) echo "csv, xlsx or push" >&2 && exit 2 ;;
esac
