package report

import "golang.org/x/sys/windows"

// enableEscapes turns escape sequences on, and reports whether the console has them:
// those before Windows 10 do not.
func enableEscapes(fd uintptr) bool {
	var mode uint32
	if err := windows.GetConsoleMode(windows.Handle(fd), &mode); err != nil {
		return false
	}
	return windows.SetConsoleMode(windows.Handle(fd), mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
