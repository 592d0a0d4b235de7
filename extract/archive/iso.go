package archive

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"

	"github.com/sekisho/sekisho/budget"
)

// Sizes of ECMA-119 (ISO 9660) sections 8 and 9.
const (
	isoSector      = 2048
	isoFirst       = 16 // the sector of the first volume descriptor
	isoMaxVolumes  = 32
	isoMaxDepth    = 16
	isoRecordSize  = 33
	isoMaxFolder   = 4 << 20 // bytes of one folder
	isoMostFolders = 500
)

// iso lists a disk image. The Joliet tree, which has the long names, wins.
func (a *Archive) iso(data []byte, b *budget.Budget) error {
	var root []byte
	joliet := false
volumes:
	for i := range isoMaxVolumes {
		at := (isoFirst + i) * isoSector
		if at+isoSector > len(data) || string(data[at+1:at+6]) != "CD001" {
			break
		}
		v := data[at : at+isoSector]
		escape := string(v[88:91])
		switch {
		case v[0] == 1 && root == nil:
			root = v[156:190]
		case v[0] == 2 && !joliet && (escape == "%/@" || escape == "%/C" || escape == "%/E"):
			root, joliet = v[156:190], true
		case v[0] == 255:
			break volumes
		}
	}
	if root == nil {
		return fmt.Errorf("%w: no ISO 9660 volume", ErrFormat)
	}
	w := isoWalk{archive: a, data: data, budget: b, joliet: joliet, seen: map[uint32]bool{}}
	w.folder(root, "", 0)
	return nil
}

type isoWalk struct {
	archive *Archive
	data    []byte
	budget  *budget.Budget
	joliet  bool
	seen    map[uint32]bool // folders, by their place
}

func (w *isoWalk) extent(record []byte) []byte {
	from := int64(binary.LittleEndian.Uint32(record[2:])) * isoSector
	if from >= int64(len(w.data)) {
		return nil
	}
	return w.data[from:min(from+int64(binary.LittleEndian.Uint32(record[10:])), int64(len(w.data)))]
}

func (w *isoWalk) folder(record []byte, path string, depth int) {
	place := binary.LittleEndian.Uint32(record[2:])
	if depth > isoMaxDepth || w.seen[place] || len(w.seen) == isoMostFolders {
		return
	}
	w.seen[place] = true
	list := w.extent(record)
	list = list[:min(len(list), isoMaxFolder)]
	if !w.budget.Spend(len(list)) {
		w.archive.Truncated = true
		return
	}
	for at := 0; at+isoRecordSize < len(list); {
		n := int(list[at])
		if n < isoRecordSize+1 || at+n > len(list) {
			// Records do not cross sectors; the rest of one is filled with zeros.
			next := (at/isoSector + 1) * isoSector
			if n != 0 {
				return
			}
			at = next
			continue
		}
		r := list[at : at+n]
		at += n
		id := r[isoRecordSize:min(n, isoRecordSize+int(r[32]))]
		if len(id) == 1 && id[0] <= 1 || len(id) == 0 {
			continue // the folder itself, and the one above
		}
		isFolder := r[25]&2 != 0
		e := Entry{Name: path + w.name(id), Folder: isFolder, Size: int64(binary.LittleEndian.Uint32(r[10:])), Packed: int64(binary.LittleEndian.Uint32(r[10:]))}
		if isFolder {
			e.Name += "/"
		} else {
			e.open = func() (io.Reader, error) { return bytes.NewReader(w.extent(r)), nil }
		}
		if !w.archive.add(e) {
			return
		}
		if isFolder {
			w.folder(r, e.Name, depth+1)
		}
	}
}

func (w *isoWalk) name(id []byte) string {
	s := string(id)
	if w.joliet {
		units := make([]uint16, 0, len(id)/2)
		for i := 0; i+1 < len(id); i += 2 {
			units = append(units, binary.BigEndian.Uint16(id[i:]))
		}
		s = string(utf16.Decode(units))
	} else {
		s = name([]byte(s))
	}
	s, _, _ = strings.Cut(s, ";") // the version
	return strings.TrimSuffix(s, ".")
}
