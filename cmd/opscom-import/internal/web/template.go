package web

import (
	"bytes"
	"net/http"
	"strconv"

	"opscom-import/cmd/opscom-import/internal/app"
	"opscom-import/cmd/opscom-import/internal/draft"
)

const workbookType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

// sendTemplate sends a blank workbook to be filled in, with the user types of the real
// OPS-COM where this launch can push to it.
func (s *Server) sendTemplate(w http.ResponseWriter, r *http.Request) {
	env := s.quiet(draft.Draft{Sandbox: s.real.Missing != ""})
	var book bytes.Buffer // a failure is a page, not half a file
	if err := app.WriteTemplate(r.Context(), env, &book); err != nil {
		s.failed(w, r, err)
		return
	}
	attach(w, workbookType, "people.xlsx")
	w.Header().Set("Content-Length", strconv.Itoa(book.Len()))
	_, _ = book.WriteTo(w) // a browser that has gone needs no file
}
