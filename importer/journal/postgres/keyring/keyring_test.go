package keyring

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// digits are those of a key; keys with different seeds are different.
func digits(seed byte) string { return hex.EncodeToString(bytes.Repeat([]byte{seed, ^seed}, 16)) }

func mustParse(t testing.TB, text string) *Ring {
	t.Helper()
	r, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestParse(t *testing.T) {
	one, two := "2026-11 "+digits(1), "old.key_1 "+strings.ToUpper(digits(2))
	for _, text := range []string{
		one + "\n" + two + "\n", "\uFEFF# ours\r\n\r\n  " + one + "\r\n" + two, one + "," + two, one + " , " + two + "\n",
		"2026-11   " + digits(1) + "\n" + two,
	} {
		if got := mustParse(t, text).Names(); !slices.Equal(got, []string{"2026-11", "old.key_1"}) {
			t.Errorf("%q: %q", text, got)
		}
	}
	for text, want := range map[string]string{
		"":                                     "it has no key",
		"# nothing\n\n":                        "it has no key",
		digits(1):                              "key 1 is not a name",
		one + "\nb " + digits(2)[1:]:           "key 2 is not a name",
		"b " + digits(2) + "00":                "key 1 is not a name",
		"b " + strings.Repeat("g", 64):         "key 1 is not a name",
		"naïve " + digits(1):                   "key 1 is not a name",
		strings.Repeat("n", 33) + " " + one:    "key 1 is not a name",
		"b c " + digits(1):                     "key 1 is not a name",
		one + "\n2026-11 " + digits(3):         "key 2 has the name of an earlier one",
		one + "\nagain " + digits(1):           "key 2 is an earlier one with another name",
		strings.Repeat("# much\n", MaxBytes/6): "it has more than 65536 bytes",
	} {
		_, err := Parse(text)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), digits(1)[:8]) || strings.Contains(err.Error(), "naïve") {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// What was sealed is opened with the same ring and place, by a ring that has got a new
// first key, and by nothing else.
func TestSealAndOpen(t *testing.T) {
	ring, rotated := mustParse(t, "a "+digits(1)), mustParse(t, "b "+digits(2)+"\na "+digits(1))
	rapid.Check(t, func(t *rapid.T) {
		plain := rapid.SliceOf(rapid.Byte()).Draw(t, "plain")
		if rapid.Bool().Draw(t, "repeats") {
			plain = bytes.Repeat(plain, 50)
		}
		place := rapid.SliceOfN(rapid.Int64(), 0, 4).Draw(t, "place")
		prefix := rapid.SliceOf(rapid.Byte()).Draw(t, "prefix")
		sealed := ring.Seal(slices.Clone(prefix), plain, place...)
		if !bytes.HasPrefix(sealed, prefix) {
			t.Fatalf("%x does not begin with %x", sealed, prefix)
		}
		record := sealed[len(prefix):]
		if len(record) > len(plain)+100 {
			t.Errorf("%d bytes became %d", len(plain), len(record))
		}
		for _, r := range []*Ring{ring, rotated} {
			if got, err := r.Open(record, place...); err != nil || !bytes.Equal(got, plain) {
				t.Errorf("opened by %v: %x, %v", r, got, err)
			}
		}
		if head := record[:min(len(record), 64)]; !ring.IsFirst(head) || rotated.IsFirst(head) {
			t.Error("the first key is taken for another one")
		}
		var unknown *UnknownKeyError
		if _, err := ring.Open(rotated.Seal(nil, plain, place...), place...); !errors.As(err, &unknown) || unknown.Name != "b" {
			t.Errorf("a key that is not on the ring: %v", err)
		}
		elsewhere := append(slices.Clone(place), 0)
		if len(place) > 0 && rapid.Bool().Draw(t, "same length") {
			elsewhere = slices.Clone(place)
			elsewhere[rapid.IntRange(0, len(place)-1).Draw(t, "which")]++
		}
		if _, err := ring.Open(record, elsewhere...); !errors.Is(err, ErrMoved) {
			t.Errorf("moved from %v to %v: %v", place, elsewhere, err)
		}
		damaged := slices.Clone(record)
		damaged[rapid.IntRange(0, len(record)-1).Draw(t, "byte")] ^= byte(rapid.IntRange(1, 255).Draw(t, "change"))
		if got, err := rotated.Open(damaged, place...); err == nil {
			t.Errorf("damaged, and opened as %x", got)
		} else if errors.Is(err, ErrMoved) {
			t.Errorf("damaged, and said to be moved")
		}
		if _, err := ring.Open(record[:rapid.IntRange(0, len(record)-1).Draw(t, "cut")], place...); !errors.Is(err, ErrDamaged) && !errors.As(err, &unknown) {
			t.Errorf("cut off: %v", err)
		}
	})
}

// Two machines gave the same name to different keys.
func TestAnotherKeyOfTheSameName(t *testing.T) {
	record := mustParse(t, "a "+digits(1)).Seal(nil, []byte("plain"), 1)
	if _, err := mustParse(t, "a "+digits(2)).Open(record, 1); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), `the key "a" here is another one`) {
		t.Error(err)
	}
}

func TestRecordsHoldNothingThatCanBeRead(t *testing.T) {
	ring := mustParse(t, "a "+digits(1))
	for _, plain := range []string{"Kanarie", strings.Repeat("Kanarie ", 100)} {
		one, two := ring.Seal(nil, []byte(plain), 1, 2), ring.Seal(nil, []byte(plain), 1, 2)
		if bytes.Contains(one, []byte("Kanarie")) || bytes.Equal(one, two) {
			t.Errorf("%q\n%q", one, two)
		}
	}
	if shown := fmt.Sprintf("%v %+v %#v %s %x %v", ring, ring, ring, ring, ring, []any{struct{ r *Ring }{ring}}); strings.Contains(shown, digits(1)[:8]) || !strings.HasPrefix(shown, "keys a") {
		t.Errorf("shown: %s", shown)
	}
}

// What cannot be compressed is stored as it is, and what can is shorter.
func TestCompressesOnlyWhatGetsShorter(t *testing.T) {
	ring := mustParse(t, "a "+digits(1))
	noise := make([]byte, 10_000)
	if _, err := rand.Read(noise); err != nil {
		t.Fatal(err)
	}
	const overhead = 3 + 1 + 1 + 28 // header without a place, nonce and tag
	if got := len(ring.Seal(nil, noise)); got != len(noise)+overhead {
		t.Errorf("%d bytes of noise became %d", len(noise), got)
	}
	if got := len(ring.Seal(nil, make([]byte, 10_000))); got > 200 {
		t.Errorf("10,000 bytes of nothing became %d", got)
	}
}

// stored is a record of the place 1, -2 as journals have it.
const stored = "01010161020203fdfb2cce2bd477756a51babf21c21d87aa2c354e18eb2e" +
	"f296dbe32189f4e065dcc678af61d0e736b2cda82836b83c7ed70f17"

func storedRecord(t testing.TB) []byte {
	t.Helper()
	record, err := hex.DecodeString(stored)
	if err != nil {
		t.Fatal(err)
	}
	return record
}

func TestStoredRecordCanStillBeRead(t *testing.T) {
	plain, err := mustParse(t, "a "+digits(1)).Open(storedRecord(t), 1, -2)
	if err != nil || string(plain) != strings.Repeat("plain ", 20) {
		t.Errorf("%q, %v", plain, err)
	}
}

func FuzzOpen(f *testing.F) {
	ring, record := mustParse(f, "a "+digits(1)), storedRecord(f)
	f.Add(record)
	f.Add(record[:9])
	f.Add([]byte{version, 0, 1, 'a', 200, 1, 1})
	f.Add([]byte{version, 0, 1, 'b', 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		if plain, err := ring.Open(data, 1, -2); err == nil && !bytes.Equal(data, record) {
			t.Errorf("%x was opened as %x", data, plain)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("a " + digits(1) + "\nb " + digits(2))
	f.Add("a,b\n#")
	f.Fuzz(func(t *testing.T, text string) {
		ring, err := Parse(text)
		if err != nil {
			return
		}
		if got, err := ring.Open(ring.Seal(nil, []byte("plain"), 7), 7); err != nil || string(got) != "plain" {
			t.Errorf("%q, %v", got, err)
		}
	})
}

// chunk is the JSON of 256 people, 570 bytes each.
func chunk() []byte {
	random := mathrand.New(mathrand.NewPCG(1, 2))
	word := func(n int) string {
		text := make([]byte, n)
		for i := range text {
			text[i] = byte('a' + random.IntN(26))
		}
		return string(text)
	}
	var b bytes.Buffer
	for i := range 256 {
		fmt.Fprintf(&b, `{"unique_id":"%09d","first_name":%q,"last_name":%q,"email":"%s@college.example.edu","login_source":"SSO","user_type":"4",`+
			`"address":"%d %s Street, apartment %d","city":"Toronto","province":"ON","country":"CA","postal_code":"M%dB %dC3","phone":"+1416555%04d",`+
			`"date_of_birth":"200%d-0%d-1%d","student_number":"%09d","department":%q,"permit":"none","vehicle_plate":%q,"notes":"imported from the student system in the term %d; keeps the permit of the year before until it ends, unless the office says otherwise"}`+"\n",
			random.IntN(1e9), word(7), word(9), word(12), random.IntN(900), word(8), i, i%9, i%8, random.IntN(1e4), i%9, 1+i%9, i%9, random.IntN(1e9), word(14), word(7), 202600+i%3)
	}
	return b.Bytes()
}

func BenchmarkSeal(b *testing.B) {
	ring, plain := mustParse(b, "a "+digits(1)), chunk()
	var record []byte
	b.SetBytes(int64(len(plain)))
	b.ReportAllocs()
	for b.Loop() {
		record = ring.Seal(record[:0], plain, 1, 2, 3)
	}
	b.ReportMetric(float64(len(plain))/float64(len(record)), "ratio")
	b.ReportMetric(float64(len(plain))/256, "bytes/row")
}

func BenchmarkOpen(b *testing.B) {
	ring, plain := mustParse(b, "a "+digits(1)), chunk()
	record := ring.Seal(nil, plain, 1, 2, 3)
	b.SetBytes(int64(len(plain)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ring.Open(record, 1, 2, 3); err != nil {
			b.Fatal(err)
		}
	}
}
