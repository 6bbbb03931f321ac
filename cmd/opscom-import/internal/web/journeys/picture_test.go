package journeys_test

import (
	"bytes"
	"cmp"
	"flag"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/chromedp/cdproto/page"
)

var pictures = flag.Bool("pictures", false, "make the pictures of the guide in docs/guide/pictures")

// picture makes a picture of the page for the guide, at most so many pixels high, when
// it is asked for.
func (j *journey) picture(name string, height int64) {
	j.Helper()
	if !*pictures {
		return
	}
	j.look(800, "light")
	evaluate[bool](j, "document.activeElement.blur(), window.scrollTo(0, 0), true")
	height = min(height, evaluate[int64](j, "document.documentElement.scrollHeight"))
	shot := call(j, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatPng,
		CaptureBeyondViewport: new(true), Clip: &page.Viewport{Width: 800, Height: float64(height), Scale: 1}})
	j.look(1280, "light")
	drawn, err := png.Decode(bytes.NewReader(shot.Data))
	j.must(err)
	var small bytes.Buffer
	j.must((&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&small, reduced(drawn, 48)))
	folder := filepath.Join(root, "docs", "guide", "pictures")
	j.must(os.MkdirAll(folder, 0o777))
	j.must(os.WriteFile(filepath.Join(folder, name+".png"), small.Bytes(), 0o666))
}

// reduced returns the picture with its most frequent colors only, so that its file is
// small: a page has few besides those of smoothed edges.
func reduced(from image.Image, colors int) image.Image {
	counts := map[color.RGBA]int{}
	bounds := from.Bounds()
	for y := range bounds.Dy() {
		for x := range bounds.Dx() {
			counts[color.RGBAModel.Convert(from.At(x, y)).(color.RGBA)]++
		}
	}
	frequent := slices.SortedFunc(maps.Keys(counts), func(a, b color.RGBA) int {
		return cmp.Or(counts[b]-counts[a], cmp.Compare(a.R, b.R), cmp.Compare(a.G, b.G), cmp.Compare(a.B, b.B))
	})
	var palette color.Palette
	for _, c := range frequent[:min(colors, len(frequent))] {
		palette = append(palette, c)
	}
	nearest := map[color.RGBA]uint8{}
	for c := range counts {
		nearest[c] = uint8(palette.Index(c))
	}
	to := image.NewPaletted(bounds, palette)
	for y := range bounds.Dy() {
		for x := range bounds.Dx() {
			to.SetColorIndex(x, y, nearest[color.RGBAModel.Convert(from.At(x, y)).(color.RGBA)])
		}
	}
	return to
}
