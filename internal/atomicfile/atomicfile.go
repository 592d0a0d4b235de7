// Package atomicfile replaces files whole or not at all: whoever reads the file
// meanwhile, and whoever starts after a power cut, sees the old content or the
// new one.
package atomicfile

import (
	"os"
	"path/filepath"
)

// Replace puts b in the place of the file name in one step. The new file is
// readable by its owner only, as [os.CreateTemp] makes it. After an error the
// old file stands as it was.
func Replace(name string, b []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(b); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), name); err != nil {
		return err
	}
	syncDir(filepath.Dir(name))
	return nil
}

// syncDir makes a rename survive a power cut. Windows cannot sync a directory
// and needs not; where it fails elsewhere, the file is still whole.
func syncDir(dir string) {
	d, err := os.Open(dir)
	if err != nil {
		return
	}
	defer func() { _ = d.Close() }()
	_ = d.Sync()
}
