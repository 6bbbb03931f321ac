package text

import "bytes"

// endMark is Ctrl-Z, with which old systems end a text.
const endMark = 0x1A

// maxEnd is how many bytes the end of a text may have from its mark on: old systems fill a
// block of the disk.
const maxEnd = 64 << 10

// cutEndMark cuts off the mark at the end of the text, with the line ends, spaces and zero
// bytes around it. What looks like an end is only one if nothing follows.
func (c *Reader) cutEndMark() {
	for {
		unread := c.buf[c.pos:c.end]
		tail := len(bytes.TrimRight(unread, "\x1A\r\n \x00"))
		mark := bytes.IndexByte(unread[tail:], endMark)
		switch {
		case mark < 0 || len(unread)-tail > maxEnd:
			return
		case c.readErr != nil:
			c.end, c.marked = c.pos+tail+mark, true
			return
		}
		c.read()
	}
}
