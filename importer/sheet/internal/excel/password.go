package excel

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"

	"opscom-import/importer/sheet/internal/archive"
	"opscom-import/importer/sheet/internal/rows"

	"github.com/xuri/excelize/v2"
)

const (
	// maxLocked is the most bytes that a workbook with a password may have:
	// excelize needs some four times as much memory to unlock it.
	maxLocked = 56 << 20
	// maxSpins is how often a password may have to be hashed. Excel asks for
	// 100,000, which takes a fraction of a second.
	maxSpins = 2_000_000

	askForPassword = "The workbook is protected by a password. Put the password into a file of its own and name that with --password-file PATH; " +
		"or open the workbook in Excel, take the password off (File, Info, Protect Workbook, Encrypt with Password), and save it."
	takeOffPassword = "Open it in Excel, take the password off (File, Info, Protect Workbook, Encrypt with Password), and save it."
)

// unlock decrypts a workbook into a temporary file, which only its owner can read
// and which is gone once it is closed.
func Unlock(file io.ReaderAt, size int64, password string) (unlocked *rows.TempFile, plainSize int64, err error) {
	switch {
	case password == "":
		return nil, 0, rows.Errorf(askForPassword)
	case size > maxLocked:
		return nil, 0, rows.Errorf("The workbook is protected by a password, and larger than the %d MiB that can be unlocked here. %s", maxLocked>>20, takeOffPassword)
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
		return nil, 0, rows.ErrorAt(0, err, "The workbook is protected by a password in a way that is not known here, or it is damaged. "+takeOffPassword)
	}
	if !bytes.HasPrefix(plain, []byte("PK\x03\x04")) {
		return nil, 0, rows.Errorf("The password is wrong. Look at capitals and at spaces in the file that --password-file names.")
	}
	if unlocked, err = rows.NewTempFile(); err != nil {
		return nil, 0, err
	}
	if _, err := unlocked.Write(plain); err != nil {
		return nil, 0, errors.Join(fmt.Errorf("unlock the workbook: %w", err), unlocked.Close())
	}
	return unlocked, int64(len(plain)), nil
}

// decrypt makes an error of a panic, with which excelize may answer a file that
// was made to harm.
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
		return rows.ErrorAt(0, err, "The workbook is protected by a password, and damaged. "+takeOffPassword)
	}
	for _, entry := range compound.File {
		if entry.Name != "EncryptionInfo" {
			continue
		}
		const begin, most = 8, 64 << 10 // the version stands before the XML
		info, err := io.ReadAll(io.LimitReader(entry, most))
		if err != nil || len(info) < begin {
			return rows.ErrorAt(0, err, "The workbook is protected by a password, and damaged. "+takeOffPassword)
		}
		if spins(info[begin:]) > maxSpins {
			return rows.Errorf("The workbook is protected by a password that would take too long to try. " + takeOffPassword)
		}
	}
	return nil
}

// spins returns how often a description of the encryption wants a password to be
// hashed; 0 for the older way, where the number is fixed.
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
