package controller

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"opscom-import/importer"
)

// answerOf returns a whole answer with that status, header lines and body.
func answerOf(status string, body string, header ...string) string {
	var answer strings.Builder
	fmt.Fprintf(&answer, "HTTP/1.1 %s\r\nContent-Length: %d\r\n", status, len(body))
	for _, line := range header {
		answer.WriteString(line + "\r\n")
	}
	return answer.String() + "\r\n" + body
}

// compressed returns text as gzip would send it.
func compressed(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, text) // a bytes.Buffer takes everything
	_ = w.Close()
	return b.String()
}

// utf16 returns ASCII text in UTF-16, big endian, with its byte order mark.
func utf16(text string) string {
	wide := "\xfe\xff"
	for _, b := range []byte(text) {
		wide += "\x00" + string(rune(b))
	}
	return wide
}

// lyingBodies look like the documented success, and are none.
func lyingBodies() map[string]string {
	const good = `{"status":"success","reference_id":44}`
	id := func(value string) string { return `{"status":"success","reference_id":` + value + `}` }
	with := func(member string) string { return `{"status":"success","reference_id":44,` + member + `}` }
	return map[string]string{
		"nothing":               "",
		"blanks":                " \r\n\t ",
		"a web page":            "<!DOCTYPE html><html><head><title>Success</title></head><body>" + good + "</body></html>",
		"a comment and a page":  "<!-- " + good + " -->",
		"XML":                   "<status>success</status><reference_id>44</reference_id>",
		"a form":                "status=success&reference_id=44",
		"a PHP warning before":  "<br />\n<b>Warning</b>: Undefined index in /var/www/x.php on line 9<br />\n" + good,
		"a guard before":        ")]}',\n" + good,
		"JSONP":                 "callback(" + good + ")",
		"a word":                "success",
		"JSON in a string":      `"{\"status\":\"success\",\"reference_id\":44}"`,
		"a string":              `"success"`,
		"a number":              "44",
		"null":                  "null",
		"true":                  "true",
		"an empty object":       "{}",
		"a list":                "[" + good + "]",
		"an empty list":         "[]",
		"a list of lists":       "[[" + good + "]]",
		"deep lists":            strings.Repeat("[", 60_000) + strings.Repeat("]", 60_000),
		"deep objects":          strings.Repeat(`{"status":`, 12_000),
		"a deep member":         with(`"x":` + strings.Repeat("[", 60_000) + strings.Repeat("]", 60_000)),
		"two documents":         good + good,
		"two lines":             good + "\n" + good + "\n",
		"a success and an end":  good + "\n}",
		"text after":            good + " OK",
		"a NUL after":           good + "\x00",
		"a page after":          good + "<html>",
		"two byte order marks":  "\ufeff\ufeff" + good,
		"UTF-16":                utf16(good),
		"broken UTF-8":          with(`"note":"` + "\xff\xfe" + `"`),
		"broken UTF-8 in names": with("\"no\xc3te\":1"),
		"lone surrogate":        with(`"note":"\ud800"`),
		"cut short":             good[:len(good)-1],
		"cut in the middle":     good[:20],
		"single quotes":         `{'status':'success','reference_id':44}`,
		"no quotes":             `{status:"success",reference_id:44}`,
		"comma at the end":      `{"status":"success","reference_id":44,}`,
		"comment":               `{"status":"success",/* yes */"reference_id":44}`,

		"no reference id":            `{"status":"success"}`,
		"reference id null":          id("null"),
		"reference id false":         id("false"),
		"reference id true":          id("true"),
		"reference id object":        id(`{"id":44}`),
		"reference id list":          id("[44]"),
		"reference id empty":         id(`""`),
		"reference id blank":         id(`"   "`),
		"reference id with space":    id(`"4 4"`),
		"reference id with tab":      id(`"44\t"`),
		"reference id with NUL":      id(`"44\u0000"`),
		"reference id invisible":     id(`"\u200b44"`),
		"reference id with markup":   id(`"<b>44</b>"`),
		"reference id with quotes":   id(`"\"44\""`),
		"reference id 0":             id("0"),
		"reference id \"0\"":         id(`"0"`),
		"reference id -1":            id("-1"),
		"reference id \"-1\"":        id(`"-1"`),
		"reference id 44.0":          id("44.0"),
		"reference id 44.5":          id("44.5"),
		"reference id \"44.5\"":      id(`"44.5"`),
		"reference id 4.4e1":         id("4.4e1"),
		"reference id 044":           id("044"),
		"reference id +44":           id("+44"),
		"reference id 0x2C":          id("0x2C"),
		"reference id NaN":           id("NaN"),
		"reference id \"null\"":      id(`"null"`),
		"reference id \"undefined\"": id(`"undefined"`),
		"reference id of zeros":      id(`"00000000-0000-0000-0000-000000000000"`),
		"reference id without end":   id(`"` + strings.Repeat("4", 300) + `"`),
		"reference id in a million":  id(strings.Repeat("4", 100_000)),
		"reference id inside":        `{"status":"success","data":{"reference_id":44}}`,
		"reference id otherwise":     `{"status":"success","referenceId":44}`,
		"reference id in capitals":   `{"status":"success","Reference_ID":44}`,

		"no status":            `{"reference_id":44}`,
		"status null":          `{"status":null,"reference_id":44}`,
		"status true":          `{"status":true,"reference_id":44}`,
		"status 200":           `{"status":200,"reference_id":44}`,
		"status ok":            `{"status":"ok","reference_id":44}`,
		"status Success":       `{"status":"Success","reference_id":44}`,
		"status with a space":  `{"status":"success ","reference_id":44}`,
		"status pending":       `{"status":"pending","reference_id":44}`,
		"status error":         `{"status":"error","reference_id":44}`,
		"status in a list":     `{"status":["success"],"reference_id":44}`,
		"success:true instead": `{"success":true,"reference_id":44}`,

		"status twice":               `{"status":"error","status":"success","reference_id":44}`,
		"reference id twice":         with(`"reference_id":45`),
		"the same twice":             with(`"reference_id":44`),
		"twice, once escaped":        with(`"reference\u005fid":45`),
		"twice, once in capitals":    with(`"Reference_Id":45`),
		"status twice, capitals":     with(`"Status":"error"`),
		"another name twice":         with(`"a":1,"a":2`),
		"an ErrorCode too":           with(`"ErrorCode":9020`),
		"an ErrorCode of null":       with(`"ErrorCode":null`),
		"an ErrorMessage too":        with(`"ErrorMessage":"The e-mail address is taken."`),
		"an errorCode too":           with(`"errorCode":9020`),
		"an error too":               with(`"error":"denied"`),
		"errors too":                 with(`"errors":{"email":["is taken"]}`),
		"success:false too":          with(`"success":false`),
		"success:\"false\" too":      with(`"success":"false"`),
		"another person's id":        with(`"unique_id":"900999999"`),
		"nobody's id":                with(`"unique_id":null`),
		"an ErrorCode":               `{"ErrorCode":9019,"ErrorMessage":"The e-mail address is taken."}`,
		"an ErrorCode, then success": `[{"ErrorCode":9019},` + good + `]`,
		"success, then an ErrorCode": `[` + good + `,{"ErrorCode":9019}]`,
	}
}

// lyingFrames say success in a way that HTTP or its status contradicts.
func lyingFrames() map[string]string {
	const good = `{"status":"success","reference_id":44}`
	chunked := "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	frames := map[string]string{
		"gzip that was cut off":       answerOf("200 OK", compressed(good)[:50], "Content-Encoding: gzip"),
		"gzip with a wrong checksum":  answerOf("200 OK", strings.Replace(compressed(good), compressed(good)[len(compressed(good))-8:], "12345678", 1), "Content-Encoding: gzip"),
		"gzip, and more after it":     answerOf("200 OK", compressed(good)+"more", "Content-Encoding: gzip"),
		"gzip of gzip":                answerOf("200 OK", compressed(compressed(good)), "Content-Encoding: gzip, gzip"),
		"gzip of an error":            answerOf("200 OK", compressed(`{"ErrorCode":9019}`), "Content-Encoding: gzip"),
		"gzip of nothing":             answerOf("200 OK", compressed(""), "Content-Encoding: gzip"),
		"gzip without a byte":         answerOf("200 OK", "", "Content-Encoding: gzip"),
		"gzips of nothing, many":      answerOf("200 OK", strings.Repeat(compressed(""), 50_000)+compressed(good), "Content-Encoding: gzip"),
		"said to be deflate":          answerOf("200 OK", good, "Content-Encoding: deflate"),
		"gzip, said to be br too":     answerOf("200 OK", compressed(good), "Content-Encoding: br", "Content-Encoding: gzip"),
		"gzip bomb":                   answerOf("200 OK", compressed(strings.Repeat(" ", 8<<20)+good), "Content-Encoding: gzip"),
		"said to be gzip":             answerOf("200 OK", good, "Content-Encoding: gzip"),
		"said to be br":               answerOf("200 OK", good, "Content-Encoding: br"),
		"gzip, not said":              answerOf("200 OK", compressed(good)),
		"gzip as transfer encoding":   "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n26\r\n" + good + "\r\n0\r\n\r\n",
		"unknown transfer encoding":   "HTTP/1.1 200 OK\r\nTransfer-Encoding: rot13\r\n\r\n" + good,
		"UTF-16, as it says":          answerOf("200 OK", utf16(good), "Content-Type: application/json; charset=utf-16"),
		"length too large":            "HTTP/1.1 200 OK\r\nContent-Length: 39\r\n\r\n" + good,
		"length too small":            "HTTP/1.1 200 OK\r\nContent-Length: 37\r\n\r\n" + good,
		"length of 0":                 "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" + good,
		"length negative":             "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n" + good,
		"length no number":            "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n" + good,
		"two lengths":                 "HTTP/1.1 200 OK\r\nContent-Length: 38\r\nContent-Length: 3\r\n\r\n" + good,
		"length beyond any":           "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n" + good,
		"chunks without their end":    chunked + "26\r\n" + good + "\r\n",
		"chunk of a wrong size":       chunked + "25\r\n" + good + "\r\n0\r\n\r\n",
		"chunk of no size":            chunked + "zz\r\n" + good + "\r\n0\r\n\r\n",
		"chunk beyond any":            chunked + "fffffffffffffffff\r\n" + good,
		"no HTTP":                     good,
		"another protocol":            "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n" + good,
		"HTTP/2 unasked":              "\x00\x00\x00\x04\x00\x00\x00\x00\x00" + good,
		"no status":                   "HTTP/1.1 \r\n\r\n" + good,
		"broken header":               "HTTP/1.1 200 OK\r\nno colon here\r\n\r\n" + good,
		"a header without end":        "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 256<<10) + "\r\n\r\n" + good,
		"hints without end":           strings.Repeat("HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n", 5_000) + answerOf("200 OK", good),
		"a body without end":          "HTTP/1.1 200 OK\r\n\r\n" + good + strings.Repeat(" ", 1<<20),
		"chunks without end":          chunked + "26\r\n" + good + "\r\n" + strings.Repeat("1000\r\n"+strings.Repeat(" ", 0x1000)+"\r\n", 256),
		"tiny chunks without end":     chunked + "26\r\n" + good + "\r\n" + strings.Repeat("1\r\n \r\n", 256<<10),
		"a huge list":                 answerOf("200 OK", "["+strings.Repeat(good+",", 3_000)+good+"]"),
		"a page for people, as a 200": answerOf("200 OK", "<html>Please log in</html>", "Content-Type: text/html"),
	}
	for _, status := range []string{
		"202 Accepted", "203 Non-Authoritative Information", "206 Partial Content", "207 Multi-Status", "226 IM Used", "299 Odd",
		"300 Multiple Choices", "302 Found", "307 Temporary Redirect", "400 Bad Request", "401 Unauthorized", "403 Forbidden",
		"404 Not Found", "409 Conflict", "422 Unprocessable Content", "429 Too Many Requests", "500 Internal Server Error",
		"502 Bad Gateway", "503 Service Unavailable", "599 Odd", "999 Odd",
	} {
		frames["success with status "+status] = answerOf(status, good, "Location: https://elsewhere.example/")
	}
	for _, status := range []string{"204 No Content", "205 Reset Content", "304 Not Modified"} {
		frames["status "+status] = "HTTP/1.1 " + status + "\r\n\r\n"
	}
	frames["an empty 201"] = answerOf("201 Created", "", "Location: /profiles/44")
	return frames
}

// TestNoLieIsTakenForSuccess has a Controller, or what stands before it, say
// success in every way but the documented one.
func TestNoLieIsTakenForSuccess(t *testing.T) {
	answers := lyingFrames()
	for name, body := range lyingBodies() {
		answers[name] = answerOf("200 OK", body, "Content-Type: application/json")
	}
	if len(answers) < 150 {
		t.Errorf("%d lies, want the 150 that were thought of", len(answers))
	}
	for name, answer := range answers {
		w := &wire{end: io.EOF, speak: func(_ int, conn net.Conn) {
			if _, ok := readRequest(bufio.NewReader(conn)); ok {
				sendAll(conn, answer)
			}
		}}
		onWire(t, w, nil, func(t *testing.T, client *Client) {
			got, err := client.Push(t.Context(), t.Context(), []byte(onePerson), nil)
			if got.Status != importer.StatusFailed && got.Status != importer.StatusRejected || got.ReferenceID != "" {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
			if got.Message == "" || strings.Contains(got.Message, "canary") {
				t.Errorf("%s: message = %q", name, got.Message)
			}
		})
		if read := w.read.Load(); read > 1<<20 {
			t.Errorf("%s: %d bytes were read", name, read)
		}
	}
}

// TestAnswersInGzipAreRead: some servers and proxies compress unasked. What else they
// may use is named.
func TestAnswersInGzipAreRead(t *testing.T) {
	const good, bad = `{"status":"success","reference_id":44}`, `{"ErrorCode":9019,"ErrorMessage":"Déjà vu"}`
	packed := compressed(good)
	for answer, want := range map[string]importer.Answer{
		answerOf("200 OK", packed, "Content-Encoding: gzip"):                              {Status: importer.StatusPushed, ReferenceID: "44"},
		answerOf("200 OK", packed, "Content-Encoding: X-GZip"):                            {Status: importer.StatusPushed, ReferenceID: "44"},
		answerOf("200 OK", packed, "Content-Encoding: identity", "Content-Encoding:gzip"): {Status: importer.StatusPushed, ReferenceID: "44"},
		answerOf("200 OK", good, "Content-Encoding: "):                                    {Status: importer.StatusPushed, ReferenceID: "44"},
		answerOf("200 OK", compressed(good[:9])+compressed(good[9:]), "Content-Encoding: gzip"): {
			Status: importer.StatusPushed, ReferenceID: "44",
		},
		answerOf("400 Bad Request", compressed(bad), "Content-Encoding: gzip"): {
			Status: importer.StatusRejected, ErrorCode: "9019", Field: "email",
			Message: `The Controller says "Déjà vu". Another user in OPS-COM has this e-mail address: correct the row or that user.`,
		},
		answerOf("200 OK", "\x0b\x02", "Content-Encoding: br"): {
			Status: importer.StatusFailed, Message: "No usable answer in 1 attempt: the Controller answered 200 OK with a body that is compressed as br, " +
				"which was not requested. Push the row again later: if it did arrive, it is only updated.",
		},
	} {
		w := &wire{end: io.EOF, speak: func(_ int, conn net.Conn) {
			if _, ok := readRequest(bufio.NewReader(conn)); ok {
				sendAll(conn, answer)
			}
		}}
		want.Attempts = 1
		onWire(t, w, nil, func(t *testing.T, client *Client) {
			if got, err := client.Push(t.Context(), t.Context(), []byte(onePerson), nil); err != nil || got != want {
				t.Errorf("%q: %+v, %v, want %+v", answer, got, err, want)
			}
		})
	}
}

// TestTruthIsTakenForSuccess holds the other side: what says the documented
// success, if in other words, is one.
func TestTruthIsTakenForSuccess(t *testing.T) {
	for body, id := range map[string]string{
		`{"status":"success","reference_id":44}`:                                                     "44",
		" {\r\n\t\"reference_id\" : 44 ,\n \"status\" : \"success\" }\n":                             "44",
		"\ufeff" + `{"status":"success","reference_id":44}`:                                          "44",
		`{"status":"success","reference_id":"44"}`:                                                   "44",
		`{"status":"success","reference_id":"3F2504E0-4F89-11D3-9A0C-0305E82C3301"}`:                 "3F2504E0-4F89-11D3-9A0C-0305E82C3301",
		`{"status":"success","reference_id":44,"unique_id":"900123456"}`:                             "44",
		`{"status":"success","reference_id":44,"unique_id":900123456}`:                               "44",
		`{"status":"success","reference_id":44,"errors":[],"error":null,"success":true,"extra":"é"}`: "44",
		`{"status":"\u0073uccess","reference_id":44,"ErrorMessage":""}`:                              "44",
	} {
		for _, status := range []string{"200 OK", "201 Created"} {
			w := &wire{end: io.EOF, speak: func(_ int, conn net.Conn) {
				if _, ok := readRequest(bufio.NewReader(conn)); ok {
					sendAll(conn, answerOf(status, body))
				}
			}}
			onWire(t, w, nil, func(t *testing.T, client *Client) {
				got, err := client.Push(t.Context(), t.Context(), []byte(onePerson), nil)
				if err != nil || got.Status != importer.StatusPushed || got.ReferenceID != id {
					t.Errorf("%s %s: %+v, %v", status, body, got, err)
				}
			})
		}
	}
}
