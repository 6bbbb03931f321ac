package report

import "golang.org/x/sys/windows"

// enableEscapes asks the console to obey escape sequences; consoles older than
// Windows 10 cannot.
func enableEscapes(fd uintptr) bool {
	var mode uint32
	if err := windows.GetConsoleMode(windows.Handle(fd), &mode); err != nil {
		return false
	}
	return windows.SetConsoleMode(windows.Handle(fd), mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
