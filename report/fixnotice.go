package report

import (
	"fmt"
	"strings"

	"github.com/xuri/excelize/v2"
)

// noticeSheet is the sheet that a workbook with only the first rows to fix is opened at.
const noticeSheet = "Read this first"

// noticeName is another name where the file's own sheet has that of the notice: a mapping
// file may name the sheet.
func (b *fixBook) noticeName() string {
	if strings.EqualFold(b.sheet, noticeSheet) {
		return noticeSheet + " (2)" // as Excel calls a second sheet
	}
	return noticeSheet
}

// openNotice makes the sheet of the notice the one that is shown. It is not the first one:
// where no sheet looks like people, the first one is read. It must be made before the first
// row is streamed, which says that its sheet is not shown.
func (b *fixBook) openNotice() error {
	at, err := b.file.NewSheet(b.noticeName())
	if err != nil {
		return err
	}
	b.file.SetActiveSheet(at)
	return nil
}

// addNotice says which rows the workbook has, and what to do about the others.
func (b *fixBook) addNotice() error {
	if !b.layout.isPart() {
		return nil
	}
	font, err := b.file.GetDefaultFont()
	if err != nil {
		return err
	}
	alignment := &excelize.Alignment{Vertical: "top", WrapText: true}
	heading, err := b.file.NewStyle(&excelize.Style{Alignment: alignment, Font: &excelize.Font{Family: font, Size: 14, Bold: true}})
	if err != nil {
		return err
	}
	text, err := b.file.NewStyle(&excelize.Style{Alignment: alignment})
	if err != nil {
		return err
	}
	if err := b.file.SetColWidth(b.noticeName(), "A", "A", adviceWidth); err != nil {
		return err
	}
	for i, line := range b.notice() {
		cell, style := fmt.Sprintf("A%d", i+1), text
		if i == 0 {
			style = heading
		}
		if err := b.file.SetCellStr(b.noticeName(), cell, line); err != nil {
			return err
		}
		if err := b.file.SetCellStyle(b.noticeName(), cell, cell, style); err != nil {
			return err
		}
		const lines = 3 // that a text takes at most
		if err := b.file.SetRowHeight(b.noticeName(), i+1, lines*rowHeight("a line")); err != nil {
			return err
		}
	}
	return nil
}

func (b *fixBook) notice() []string {
	return []string{
		fmt.Sprintf("This workbook has only the first %s of the %s to fix.", thousands(b.row-b.layout.HeaderRow), plural(b.layout.ToFix, "row")),
		"So many rows are seldom wrong one by one. A column may have moved, the export may have changed, or the mapping may not fit it. Correct that, and check the file again.",
		"What is wrong with the other rows is in the list of problems, or, if they were refused, in the results.",
		fmt.Sprintf("The rows to fix are in the sheet %q. If you bring this workbook back to the page, what was fixed is kept with the file, and its next workbook has the next rows.", b.sheet),
		"If you push this workbook itself, only its rows are sent, and the file stays as it is: its next workbook begins with the same rows. Correct the others in the file.",
	}
}
