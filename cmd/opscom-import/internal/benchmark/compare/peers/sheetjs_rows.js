// Reads a workbook's first sheet with SheetJS. Usage: sheetjs_rows.js FILE. Prints the number of rows.
const XLSX = require("xlsx");

const book = XLSX.readFile(process.argv[2], { dense: true });
const sheet = book.Sheets[book.SheetNames[0]];
console.log(XLSX.utils.sheet_to_json(sheet, { header: 1, raw: true }).length);
