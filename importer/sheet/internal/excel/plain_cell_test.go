package excel

import (
	"bytes"
	"fmt"
	"io"
	"math/rand"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"opscom-import/importer"
)

// one picks one of the list.
func one(r *rand.Rand, list ...string) string { return list[r.Intn(len(list))] }

// randomValue returns the inside of a value or a text.
func randomValue(r *rand.Rand) string {
	value := ""
	for range 1 + r.Intn(3)*r.Intn(2) {
		value += one(r, "0", "1", "2", "7", "007", "900123456", "-1", "1.5", "1E+08", "9.00123401E8", "68.66499999999999", "38046", "38046.5", "1e999", "0x1F", "Inf", " ", "\n", "\t", "\r\n", "\r",
			"Ann", "Zoë", "é", "\xff", "&amp;", "&#233;", "&lt;", "&bogus;", "&", "_x0041_", "_", "_x", "x", "]]>", "'", `"`, ">", "TRUE", "#N/A", "2004-02-29", "<![CDATA[<b>]]>", "<![CDATA[]]>", "<!-- c -->", "<?p q?>", "<b/>", "\u00a0", "")
	}
	return value
}

func randomCell(r *rand.Rand, number, column int) string {
	ref := fmt.Sprintf(`%c%d`, 'A'+column, number)
	switch r.Intn(60) {
	case 0:
		ref = strings.ToLower(ref)
	case 1:
		ref = one(r, "", "A", "1", "XFD1", "XFE1", "AAAA1", "A0", "A1048577", "A&#49;", "$A$1", ref+" ", " "+ref, "A99", "B1")
	}
	attributes := []string{` r="` + ref + `"`, ` s="` + one(r, "0", "1", "2", "3", "9", "-1", "01", "x") + `"`, ` t="` + one(r, "s", "s", "n", "str", "inlineStr", "inlineStr", "b", "e", "d", "", "S", "weird") + `"`}
	r.Shuffle(len(attributes), func(i, j int) { attributes[i], attributes[j] = attributes[j], attributes[i] })
	tag, isClean := "<c", r.Intn(2) == 0
	for _, a := range attributes {
		oddity := r.Intn(30)
		if isClean {
			oddity = -1
		}
		switch oddity {
		case 0:
			a = strings.ReplaceAll(a, `"`, "'")
		case 1:
			a = strings.Replace(a, "=", one(r, " =", "= ", "\n=\n"), 1)
		case 2:
			a = one(r, "  ", "\n", "\t", "") + strings.TrimSpace(a)
		case 3:
			a += one(r, a, ` s="1"`, ` s="2"`, ` t="n"`)
		case 4:
			a += one(r, ` cm="1"`, ` x="1"`, ` ph="1"`, ` x:r="B1"`, ` r="B1"`, ` s="1"`, ` t="n"`, ` s="1>2"`, ` q`)
		}
		if r.Intn(4) > 0 {
			tag += a
		}
	}
	switch r.Intn(24) {
	case 0, 1:
		return tag + "/>"
	case 2:
		return tag + " />"
	case 3:
		return tag + "></c>"
	case 4:
		return tag + one(r, " >", "\n>", "") + randomValue(r) + "</c>"
	}
	if isClean && r.Intn(2) == 0 {
		return tag + ">" + one(r, "<v></v>", "<is><t></t></is>", "<v>1</v>", "<v>900123456</v>", "<v>38046.5</v>", "<v>"+randomValue(r)+"</v>", "<v> a\n</v>", "<is><t>Zoë Roy</t></is>", `<is><t xml:space="preserve"> a </t></is>`) + "</c>"
	}
	content := ""
	for range 1 + r.Intn(12)/11 {
		switch r.Intn(12) {
		case 0:
			content += "<f>A1</f><v>" + randomValue(r) + "</v>"
		case 1:
			content += "<is><r><rPr/><t>" + randomValue(r) + "</t></r><r><t xml:space=\"preserve\">" + randomValue(r) + "</t></r><rPh><t>x</t></rPh></is>"
		case 2:
			content += one(r, "<v/>", "<v></v>", "<is/>", "<is><t/></is>", "<f/>", "<extLst><x/></extLst>", "<x:v>1</x:v>", "<is><t a=\"b\">x</t></is>", "<is><t xml:space='preserve'> x</t></is>", " <v>1</v>", "<v>1</v> ", "<v >1</v>", "<v>1</v >", "<is><t>x</t><t>y</t></is>", "<q/>")
		case 3, 4, 5:
			content += "<is><t" + one(r, "", ` xml:space="preserve"`) + ">" + randomValue(r) + "</t></is>"
		default:
			content += "<v>" + randomValue(r) + "</v>"
		}
	}
	return tag + ">" + content + one(r, "</c>", "</c>", "</c>", "</c>", "</c>", "</c>", "</c>", "</c>", "</c>", "</c >", "</x:c>", "</c><!-- c -->", "</c>\n ")
}

func randomSheet(r *rand.Rand) []byte {
	var b strings.Builder
	for number := 1; number < 2+r.Intn(6); number++ {
		fmt.Fprintf(&b, `<row r="%d"%s>`, number, one(r, "", "", "", "", "", "", "", "", "", "", "", "/"))
		column := 0
		for range r.Intn(6) {
			b.WriteString(randomCell(r, number, column))
			column += 1 + r.Intn(8)/7 - r.Intn(30)/29*2
			column = max(0, column)
		}
		b.WriteString("</row>")
	}
	sheet := []byte(sheetXML(b.String()))
	if r.Intn(8) == 0 { // a prefix everywhere
		text := strings.NewReplacer("</", "</x:", "<", "<x:").Replace(string(sheet))
		sheet = []byte(strings.NewReplacer("<x:/x:", "</x:", "<x:!", "<!", "<x:?", "<?").Replace(text))
	}
	for range r.Intn(3) * r.Intn(2) {
		at := r.Intn(len(sheet))
		switch r.Intn(3) {
		case 0:
			sheet[at] = `<>/"'=& c1rsvtAx`[r.Intn(16)]
		case 1:
			sheet = append(sheet[:at:at], sheet[at+1:]...)
		case 2:
			sheet = append(sheet[:at:at], append([]byte(one(r, "<", ">", "/", `"`, " ", "&", "<!---->", "<c/>", "</c>", "_x")), sheet[at:]...)...)
		}
	}
	return sheet
}

func plainCellReader() cellReader {
	return cellReader{
		strings: &sharedStrings{starts: []uint32{0, 3, 3}, chunks: []string{"one and more"}},
		formats: []numberFormat{{}, {sections: datesOnly}, parseNumberFormat("000-00"), parseNumberFormat(`"A"000`)},
	}
}

// A reader that gets one byte at a time never has a whole cell in its buffer, so that all of
// its cells are read by the scanner.
func TestPlainCellsAreReadAsAllOthers(t *testing.T) {
	seeds := int64(6000)
	if testing.Short() {
		seeds = 600
	}
	whole, plain := 0, 0
	for seed := range seeds {
		r := rand.New(rand.NewSource(seed))
		sheet := randomSheet(r)
		fast := newWorksheet(io.NopCloser(bytes.NewReader(sheet)), plainCellReader())
		got, gotErr := drain(t, fast)
		slow := newWorksheet(io.NopCloser(&chunks{bytes.NewReader(sheet), 1}), plainCellReader())
		want, wantErr := drain(t, slow)
		if diff := cmp.Diff(want, got) + cmp.Diff(wantErr.Error(), gotErr.Error()) + cmp.Diff(slow.Notes(), fast.Notes()); diff != "" {
			t.Fatalf("seed %d: read by the scanner (-), as it is (+):\n%s\n%s", seed, diff, sheet)
		}
		if gotErr == io.EOF {
			whole++
		}
		x := newXMLScanner(bytes.NewReader(sheet))
		for kind := xmlStart; kind != xmlEOF; {
			var err error
			if kind, err = x.next(); err != nil {
				break
			}
			if kind == xmlStart && string(x.name) == "row" {
				w := &worksheet{xml: x, cells: plainCellReader()}
				w.Row = atoi(x.attr("r"))
				if _, ok, _ := w.plainCell(new(importer.Row), -1); ok {
					plain++
				}
			}
		}
	}
	if whole < int(seeds)/20 || plain < int(seeds)/8 {
		t.Errorf("of %d sheets %d were read to the end, and %d rows began with a plain cell", seeds, whole, plain)
	}
}

func TestPlainSharedStringsAreReadAsAllOthers(t *testing.T) {
	seeds := int64(6000)
	if testing.Short() {
		seeds = 600
	}
	texts := 0
	for seed := range seeds {
		r := rand.New(rand.NewSource(seed))
		part := one(r, "<sst>", "<sst>", "<sst><si/>", "<sst/>", "<x:sst>")
		for range r.Intn(6) {
			switch r.Intn(6) {
			case 0:
				part += one(r, "<si/>", "<si><t/></si>", "<si><t></t></si>", "\n", "<extLst><si><t>x</t></si></extLst>", "<x:si><x:t>a</x:t></x:si>", "</sst>", "<si><r><t>a</t></r><r><t> b</t></r></si>", "<si><t>a</t><rPh><t>b</t></rPh></si>", "<si ><t>a</t></si>", "<si><t>a</t ></si>", "<!-- --><si><t>b</t></si>")
			default:
				part += "<si><t" + one(r, "", ` xml:space="preserve"`) + ">" + randomValue(r) + "</t></si>"
			}
		}
		part += one(r, "</sst>", "</sst>", "</sst>", "", "</sst><si><t>a</t></si>", "</x:sst>")
		got, gotErr := scanSharedStrings(newXMLScanner(strings.NewReader(part)), maxStringsMemory)
		want, wantErr := scanSharedStrings(newXMLScanner(&chunks{strings.NewReader(part), 1}), maxStringsMemory)
		if fmt.Sprint(gotErr) != fmt.Sprint(wantErr) {
			t.Fatalf("seed %d: error %v, read by the scanner %v\n%s", seed, gotErr, wantErr, part)
		}
		if gotErr != nil {
			continue
		}
		if diff := cmp.Diff(want.starts, got.starts) + cmp.Diff(want.chunks, got.chunks); diff != "" {
			t.Fatalf("seed %d: read by the scanner (-), as it is (+):\n%s\n%s", seed, diff, part)
		}
		texts += len(got.starts)
	}
	if texts < int(seeds)/4 {
		t.Errorf("%d texts of %d parts", texts, seeds)
	}
}
