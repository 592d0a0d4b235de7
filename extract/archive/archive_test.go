package archive_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/extract/archive"
)

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func makeZIP(t testing.TB, files ...string) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		f, err := w.Create(files[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(files[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// listed is an archive as the tests compare it.
func listed(a *archive.Archive) (out []string) {
	for i := range a.Entries {
		e := &a.Entries[i]
		s := e.Name
		if b, err := e.Content(1<<20, nil); err == nil {
			s += "=" + string(b)
		} else {
			s += "!" + strings.TrimPrefix(err.Error(), "archive: ")
		}
		out = append(out, s)
	}
	return out
}

func TestZIP(t *testing.T) {
	whole := makeZIP(t, "a.txt", "alpha", "dir/", "", "dir/文書.html", strings.Repeat("b", 100))
	want := []string{"a.txt=alpha", "dir/=", "dir/文書.html=" + strings.Repeat("b", 100)}
	end := bytes.LastIndex(whole, []byte("PK\x05\x06"))
	members, _, _ := bytes.Cut(whole, []byte("PK\x01\x02"))
	for _, c := range []struct {
		name string
		in   []byte
	}{
		{"Whole", whole},
		{"BehindSomethingElse", append([]byte("MZ this starts it"), whole...)},
		{"RubbishBehind", append(bytes.Clone(whole), "rubbish"...)},
		{"EndCutOff", whole[:end]},
		{"DirectoryCutOff", members},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := archive.Read(c.in, archive.ZIP, nil)
			check(t, err)
			if diff := cmp.Diff(want, listed(a)); diff != "" {
				t.Error(diff)
			}
			if !a.Entries[1].Folder || a.Entries[0].Folder {
				t.Error("folders are not told from files")
			}
		})
	}
}

func TestZIPEncrypted(t *testing.T) {
	b := makeZIP(t, "secret.pdf.exe", "x")
	for _, mark := range []string{"PK\x03\x04", "PK\x01\x02"} {
		at := bytes.Index(b, []byte(mark))
		flags := map[string]int{"PK\x03\x04": 6, "PK\x01\x02": 8}[mark]
		b[at+flags] |= 1
	}
	a, err := archive.Read(b, archive.ZIP, nil)
	check(t, err)
	if diff := cmp.Diff([]string{"secret.pdf.exe!a password is needed"}, listed(a)); diff != "" || !a.Encrypted {
		t.Errorf("encrypted %v: %s", a.Encrypted, diff)
	}
}

func TestNames(t *testing.T) {
	for _, c := range []struct{ name, raw, want string }{
		{"ShiftJIS", "\x90\xbf\x8b\x81\x8f\x91.zip", "請求書.zip"},
		{"CodePage437", "R\x82sum\x82\xff.doc", "Résumé\u00a0.doc"},
		{"UTF8", "請求書", "請求書"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := makeZIP(t, strings.Repeat("x", len(c.raw)), "")
			b = bytes.ReplaceAll(b, []byte(strings.Repeat("x", len(c.raw))), []byte(c.raw))
			a, err := archive.Read(b, archive.ZIP, nil)
			check(t, err)
			if got := a.Entries[0].Name; got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestTarAndGzip(t *testing.T) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	when := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, h := range []tar.Header{{Name: "a.txt", Size: 5, ModTime: when, Mode: 0o600}, {Name: "up", Linkname: "../../etc", Typeflag: tar.TypeSymlink}, {Name: strings.Repeat("long", 60), Size: 2, Mode: 0o600}} {
		check(t, w.WriteHeader(&h))
		if h.Size > 0 {
			_, err := w.Write([]byte("alpha")[:h.Size])
			check(t, err)
		}
	}
	check(t, w.Close())
	a, err := archive.Read(b.Bytes(), archive.Tar, nil)
	check(t, err)
	if diff := cmp.Diff([]string{"a.txt=alpha", "up!unknown way of packing", strings.Repeat("long", 60) + "=al"}, listed(a)); diff != "" {
		t.Error(diff)
	}
	if !a.Entries[1].Link || !a.Entries[0].Modified.Equal(when) {
		t.Errorf("%+v", a.Entries[:2])
	}

	var z bytes.Buffer
	g := gzip.NewWriter(&z)
	g.Name = "a.tar"
	_, err = g.Write(b.Bytes())
	check(t, err)
	check(t, g.Close())
	a, err = archive.Read(z.Bytes(), archive.Gzip, nil)
	check(t, err)
	inner, err := a.Entries[0].Content(1<<20, nil)
	check(t, err)
	if a.Entries[0].Name != "a.tar" || !bytes.Equal(inner, b.Bytes()) {
		t.Errorf("%q with %d bytes", a.Entries[0].Name, len(inner))
	}
	if a, err = archive.Read(b.Bytes()[:1500], archive.Tar, nil); err != nil || len(a.Entries) == 0 || !a.Truncated {
		t.Errorf("cut off: %+v, %v", a, err)
	}
}

// isoImage writes a volume with a folder, in Joliet.
func isoImage() []byte {
	const sector = 2048
	b := make([]byte, 24*sector)
	record := func(name string, extent, size int, folder bool) []byte {
		id := []byte(name)
		if len(name) > 1 {
			id = nil
			for _, u := range utf16.Encode([]rune(name)) {
				id = binary.BigEndian.AppendUint16(id, u)
			}
		}
		n := 33 + len(id) + 1 - len(id)%2
		r := make([]byte, n)
		r[0] = byte(n)
		binary.LittleEndian.PutUint32(r[2:], uint32(extent))
		binary.LittleEndian.PutUint32(r[10:], uint32(size))
		if folder {
			r[25] = 2
		}
		r[32] = byte(len(id))
		copy(r[33:], id)
		return r
	}
	volume := b[16*sector:]
	volume[0] = 2
	copy(volume[1:], "CD001")
	copy(volume[88:], "%/E")
	copy(volume[156:], record("\x00", 18, sector, true))
	b[17*sector] = 255
	copy(b[17*sector+1:], "CD001")
	at := 18 * sector
	for _, r := range [][]byte{record("\x00", 18, sector, true), record("\x01", 18, sector, true), record("Réport", 19, sector, true)} {
		at += copy(b[at:], r)
	}
	at = 19 * sector
	for _, r := range [][]byte{record("\x00", 19, sector, true), record("loop", 18, sector, true), record("doc.pdf.lnk;1", 20, 3, false)} {
		at += copy(b[at:], r)
	}
	copy(b[20*sector:], "LNK")
	return b
}

func TestISO(t *testing.T) {
	a, err := archive.Read(isoImage(), archive.ISO, nil)
	check(t, err)
	want := []string{"Réport/!unknown way of packing", "Réport/loop/!unknown way of packing", "Réport/doc.pdf.lnk=LNK"}
	if diff := cmp.Diff(want, listed(a)); diff != "" {
		t.Error(diff)
	}
}

// rar5 writes an archive of version 5 with one member.
func rar5(kind byte, name string, extra []byte) []byte {
	head := []byte{kind, 1, byte(len(extra)), 0, 5, 0, 0, 0, byte(len(name))}
	head = append(append(head, name...), extra...)
	out := append([]byte("Rar!\x1a\x07\x01\x00"), 0, 0, 0, 0, byte(len(head)))
	return append(append(out, head...), 0, 0, 0, 0, 3, 5, 0, 0)
}

func rar4(flags uint16, name string) []byte {
	out := []byte("Rar!\x1a\x07\x00")
	out = append(out, 0, 0, 0x73, 0, 0, 13, 0, 0, 0, 0, 0, 0, 0)
	h := make([]byte, 32)
	h[2] = 0x74
	binary.LittleEndian.PutUint16(h[3:], 0x8000|flags)
	binary.LittleEndian.PutUint16(h[5:], uint16(32+len(name)))
	binary.LittleEndian.PutUint32(h[7:], 2)
	binary.LittleEndian.PutUint32(h[11:], 9)
	binary.LittleEndian.PutUint16(h[26:], uint16(len(name)))
	return append(append(append(out, h...), name...), 'x', 'y')
}

func seven(name string) []byte {
	head := []byte{1, 5, 1, 0x11}
	names := []byte{0}
	for _, u := range utf16.Encode([]rune(name + "\x00")) {
		names = binary.LittleEndian.AppendUint16(names, u)
	}
	head = append(append(append(head, byte(len(names))), names...), 0, 0)
	start := binary.LittleEndian.AppendUint64(nil, 0)
	start = binary.LittleEndian.AppendUint64(start, uint64(len(head)))
	start = binary.LittleEndian.AppendUint32(start, crc32.ChecksumIEEE(head))
	out := append([]byte("7z\xbc\xaf'\x1c\x00\x04"), binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE(start))...)
	return append(append(out, start...), head...)
}

func cab(name string) []byte {
	b := make([]byte, 36+16)
	copy(b, "MSCF")
	binary.LittleEndian.PutUint32(b[16:], 36)
	binary.LittleEndian.PutUint16(b[28:], 1)
	binary.LittleEndian.PutUint32(b[36:], 7)
	return append(append(b, name...), 0)
}

func TestNamesOnly(t *testing.T) {
	for _, c := range []struct {
		name   string
		format archive.Format
		in     []byte
		want   archive.Archive
	}{
		{"RAR5", archive.RAR, rar5(2, "請求書.exe", nil), archive.Archive{Entries: []archive.Entry{{Name: "請求書.exe", Size: 5}}}},
		{"RAR5Encrypted", archive.RAR, rar5(2, "a", []byte{2, 1, 0}), archive.Archive{Encrypted: true, Entries: []archive.Entry{{Name: "a", Size: 5, Encrypted: true}}}},
		{"RAR5Hidden", archive.RAR, rar5(4, "a", nil), archive.Archive{Encrypted: true, Hidden: true}},
		{"RAR4", archive.RAR, rar4(4, `d\a.exe`), archive.Archive{Encrypted: true, Entries: []archive.Entry{{Name: "d/a.exe", Size: 9, Packed: 2, Encrypted: true}}}},
		{"Seven", archive.Seven, seven("文書.js"), archive.Archive{Entries: []archive.Entry{{Name: "文書.js", Size: -1, Packed: -1}}}},
		{"Cabinet", archive.CAB, cab(`x\y.dll`), archive.Archive{Entries: []archive.Entry{{Name: "x/y.dll", Size: 7, Packed: -1}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := archive.Read(c.in, c.format, nil)
			check(t, err)
			c.want.Format = c.format
			if diff := cmp.Diff(&c.want, a, cmpopts.IgnoreUnexported(archive.Entry{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A small file that unfolds into much is paid for, and ends.
func TestBomb(t *testing.T) {
	var b bytes.Buffer
	g := gzip.NewWriter(&b)
	zeros := make([]byte, 1<<20)
	for range 100 {
		_, err := g.Write(zeros)
		check(t, err)
	}
	check(t, g.Close())
	a, err := archive.Read(b.Bytes(), archive.Gzip, nil)
	check(t, err)
	if out, err := a.Entries[0].Content(1<<20, nil); !errors.Is(err, archive.ErrLimit) || len(out) != 1<<20 {
		t.Errorf("%d bytes, %v", len(out), err)
	}
	pays := &budget.Budget{Cost: 3 << 20}
	if out, err := a.Entries[0].Content(1<<30, pays); !errors.Is(err, archive.ErrLimit) || len(out) > 8<<20 || !pays.Exhausted() {
		t.Errorf("%d bytes, %v", len(out), err)
	}
}

func TestManyMembers(t *testing.T) {
	var files []string
	for range archive.MaxEntries + 1 {
		files = append(files, "a", "")
	}
	a, err := archive.Read(makeZIP(t, files...), archive.ZIP, nil)
	check(t, err)
	if len(a.Entries) != archive.MaxEntries || !a.Truncated {
		t.Errorf("%d members, truncated %v", len(a.Entries), a.Truncated)
	}
}

func FuzzRead(f *testing.F) {
	formats := []archive.Format{archive.ZIP, archive.Tar, archive.Gzip, archive.Bzip2, archive.ISO, archive.RAR, archive.Seven, archive.CAB}
	f.Add(0, makeZIP(f, "a", "b"))
	f.Add(4, isoImage())
	f.Add(5, rar5(2, "a", []byte{2, 1, 0}))
	f.Add(5, rar4(0x300, "a"))
	f.Add(6, seven("a"))
	f.Add(7, cab("a"))
	f.Fuzz(func(t *testing.T, n int, in []byte) {
		pays := &budget.Budget{Cost: 4 << 20}
		a, err := archive.Read(in, formats[uint(n)%uint(len(formats))], pays)
		if err != nil {
			if !errors.Is(err, archive.ErrFormat) {
				t.Error(err)
			}
			return
		}
		if len(a.Entries) > archive.MaxEntries {
			t.Errorf("%d members", len(a.Entries))
		}
		for i := range a.Entries {
			e := &a.Entries[i]
			if !utf8.ValidString(e.Name) || len(e.Name) > archive.MaxName {
				t.Errorf("name %q", e.Name)
			}
			if out, _ := e.Content(1<<16, pays); len(out) > 1<<16 {
				t.Errorf("%d bytes", len(out))
			}
		}
	})
}
