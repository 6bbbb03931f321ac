package journeys_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// TestBrowser drives the page in a real browser, as a person does: it finds what it
// clicks by role and name, as a screen reader does, and knows of no address but the one
// that the program prints. Each journey has a program, a state folder and a tab of its
// own; they share one browser. One of them:
//
//	go test ./cmd/opscom-import/internal/web/journeys -run TestBrowser/closes -v
//
// It needs a Chromium, and axe.min.js of axe-core in OPSCOM_AXE for the checks of
// accessibility; .ci/run fetches both.
func TestBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("takes over a second")
	}
	path := findBrowser()
	if path == "" {
		t.Skip("NO BROWSER: none of the journeys through the page was made. Install chromium.")
	}
	t.Parallel()
	program, running := buildProgram(t), startBrowser(t, path)
	t.Run("axe", func(t *testing.T) {
		if os.Getenv(axeVariable) == "" {
			t.Skipf("NO AXE: accessibility is not checked. Set %s to the path of axe.min.js.", axeVariable)
		}
	})
	for name, travel := range map[string]func(*journey){
		"closes":     closesThePage,
		"french":     speaksFrench,
		"home":       tidiesUp,
		"neighbors":  hasNeighbors,
		"export":     bringsAnExport,
		"everything": looksAtEverything,
		"faults":     fixesEveryRow,
		"header":     hasNoHeader,
		"delimiter":  hasADoubtfulDelimiter,
		"password":   hasAPassword,
		"sheets":     hasSheets,
		"killed":     isKilled,
		"stopped":    isStopped,
		"keyboard":   usesTheKeyboard,
		"held":       isHeld,
		"real":       goesForReal,
		"scripts":    hasNoScripts,
		"hostile":    isHostile,
		"workbook":   bringsBackTheWorkbook,
		"tools":      triesTheTools,
		"values":     saysWhatValuesBecome,
		"elsewhere":  looksAtAnotherMachine,
		"fleet":      overPostgres(isStopped),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			travel(newJourney(t, running, program))
		})
	}
}

// findBrowser returns the path of a Chromium; "" for none.
func findBrowser() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// startBrowser starts the browser that the tabs of all journeys belong to.
func startBrowser(t *testing.T, path string) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.NoSandbox, // in a container everybody is root, whom Chromium refuses otherwise
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("lang", "en-CA"),
		chromedp.Flag("font-render-hinting", "none"), // so that pictures are alike everywhere
		chromedp.WSURLReadTimeout(*patience),
	)
	allocator, cancelAllocator := chromedp.NewExecAllocator(t.Context(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(func() { cancel(); cancelAllocator() })
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	return ctx
}

// patience is how long a journey waits for what must come. It is this generous so that
// only what never comes fails, however busy the machine is.
var patience = flag.Duration("patience", time.Minute, "how long a journey waits for what must come")

// journey is a person at the page, in a tab that shares no cookie with others.
type journey struct {
	*testing.T
	ctx        context.Context // of the tab
	program    string          // path
	downloads  string          // folder
	variables  []string        // of each program, besides those that it has in any case
	scriptless bool

	mu       sync.Mutex
	mistakes []string // that the browser reported: exceptions, and what the security policy stopped
}

func newJourney(t *testing.T, running context.Context, program string) *journey {
	t.Helper()
	ctx, cancel := chromedp.NewContext(running, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	j := &journey{T: t, ctx: ctx, program: program, downloads: t.TempDir()}
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("open a tab: %v", err)
	}
	if err := chromedp.Listen(ctx, j.notice); err != nil {
		t.Fatal(err)
	}
	id := chromedp.FromContext(ctx).BrowserContextID
	_, err := chromedp.CallBrowser(ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorAllow, BrowserContextID: id, DownloadPath: j.downloads})
	j.must(err)
	call(j, accessibility.Enable, cdp.Empty{})
	call(j, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	j.look(1280, "light")
	t.Cleanup(func() {
		j.mu.Lock()
		defer j.mu.Unlock()
		for _, mistake := range j.mistakes {
			t.Errorf("the browser reports: %s", mistake)
		}
	})
	return j
}

// notice takes in what the tab reports. It must not call the tab.
func (j *journey) notice(event any) {
	mistake := ""
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		mistake = e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			mistake += " " + e.ExceptionDetails.Exception.Description
		}
	case *log.EventEntryAdded:
		if e.Entry.Source != log.EntrySourceNetwork && e.Entry.Level == log.EntryLevelError { // the program may be gone
			mistake = fmt.Sprint(e.Entry.Source, ": ", e.Entry.Text)
		}
	case *page.EventJavascriptDialogOpening: // the question before a tab is left
		go func() {
			_, _ = chromedp.Call(j.ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true})
		}()
	}
	if mistake != "" {
		j.mu.Lock()
		j.mistakes = append(j.mistakes, mistake)
		j.mu.Unlock()
	}
}

func (j *journey) must(err error) {
	j.Helper()
	if err != nil {
		j.Fatal(err)
	}
}
