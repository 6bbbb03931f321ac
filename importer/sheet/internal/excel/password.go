package excel

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"

	"github.com/xuri/excelize/v2"

	"opscom-import/importer/sheet/internal/archive"
	"opscom-import/importer/sheet/internal/rows"
)

const (
	// maxLocked is the most bytes that a workbook with a password may have:
	// excelize needs some four times as much memory to unlock it.
	maxLocked = 56 << 20
	// maxSpins is how often a password may have to be hashed. Excel asks for
	// 100,000, which takes a fraction of a second.
	maxSpins = 2_000_000

	removePassword = "Open it in Excel, remove the password (File, Info, Protect Workbook, Encrypt with Password), and save it."
	damagedLocked  = "The workbook is protected by a password, and damaged. " + removePassword
)

// Unlock decrypts a workbook into a temporary file, which only its owner can read and which
// is removed when it is closed.
func Unlock(file io.ReaderAt, size int64, password string) (unlocked *rows.TempFile, plainSize int64, err error) {
	switch {
	case password == "":
		return nil, 0, rows.Errorf("The workbook is protected by a password. Put the password into a file and name that file with --password-file PATH. Or: " + removePassword).Asking(rows.AskPassword)
	case size > maxLocked:
		return nil, 0, rows.Errorf("The workbook is protected by a password, and larger than the %d MiB that can be unlocked here. "+removePassword, maxLocked>>20)
	}
	locked := make([]byte, size)
	if _, err := file.ReadAt(locked, 0); err != nil && err != io.EOF {
		return nil, 0, fmt.Errorf("read the workbook with a password: %w", err)
	}
	if err := checkSpins(locked); err != nil {
		return nil, 0, err
	}
	plain, err := decrypt(locked, password)
	if err != nil {
		return nil, 0, rows.ErrorAt(0, err, "The workbook is protected by a password in an unknown way, or it is damaged. "+removePassword)
	}
	if !bytes.HasPrefix(plain, []byte("PK\x03\x04")) {
		return nil, 0, rows.Errorf("The password is wrong. Check capitals and spaces in the file that --password-file names.").Asking(rows.WrongPassword)
	}
	return rows.WriteTempFile(bytes.NewReader(plain))
}

// decrypt makes an error of a panic, which a malicious file may cause in
// excelize.
func decrypt(locked []byte, password string) (plain []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			plain, err = nil, fmt.Errorf("decrypt: %v", p)
		}
	}()
	return excelize.Decrypt(locked, &excelize.Options{Password: password})
}

// checkSpins refuses a workbook whose password would take minutes to try.
func checkSpins(locked []byte) error {
	compound, err := archive.OpenCompound(bytes.NewReader(locked))
	if err != nil {
		return rows.ErrorAt(0, err, damagedLocked)
	}
	for _, entry := range compound.File {
		if entry.Name != "EncryptionInfo" {
			continue
		}
		const begin, most = 8, 64 << 10 // the version precedes the XML
		info, err := io.ReadAll(io.LimitReader(entry, most))
		if err != nil || len(info) < begin {
			return rows.ErrorAt(0, err, damagedLocked)
		}
		if spins(info[begin:]) > maxSpins {
			return rows.Errorf("The workbook is protected by a password that would take too long to try. " + removePassword)
		}
	}
	return nil
}

// spins returns how often a password has to be hashed by the description of the encryption;
// 0 for the older kind, where the number is fixed.
func spins(description []byte) int {
	var agile excelize.Encryption
	if xml.Unmarshal(description, &agile) != nil {
		return 0
	}
	most := 0
	for _, key := range agile.KeyEncryptors.KeyEncryptor {
		most = max(most, key.EncryptedKey.SpinCount)
	}
	return most
}
