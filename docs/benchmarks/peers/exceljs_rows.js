// Reads a workbook's first sheet with exceljs as a stream. Usage: exceljs_rows.js FILE. Prints the number of rows.
const ExcelJS = require("exceljs");

async function main(path) {
  let rows = 0;
  const options = { worksheets: "emit", sharedStrings: "cache", styles: "cache", hyperlinks: "ignore", entries: "ignore" };
  for await (const sheet of new ExcelJS.stream.xlsx.WorkbookReader(path, options)) {
    for await (const row of sheet) {
      if (row.values.length > 1) rows++;
    }
  }
  console.log(rows);
}

main(process.argv[2]);
