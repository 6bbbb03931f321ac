package journal

// A stored record is a sequence of numbers (uvarint), bytes, digests and texts
// (length, then bytes). It is sealed with a CRC-32C over its place and its content.
