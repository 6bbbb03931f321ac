"""Reads a workbook's first sheet with openpyxl. Usage: openpyxl_rows.py FILE. Prints the number of rows."""

import sys

import openpyxl

book = openpyxl.load_workbook(sys.argv[1], read_only=True)
sheet = book.worksheets[0]
sheet.reset_dimensions()  # or it believes what the file says of its size
print(sum(1 for _ in sheet.iter_rows(values_only=True)))
