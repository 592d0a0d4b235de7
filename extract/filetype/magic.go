package filetype

import "bytes"

// magic is a sequence of bytes at a fixed place.
type magic struct {
	offset int
	bytes  string
	t      Type
}

// magics are checked in order. Sources are the formats' own specifications.
var magics = []magic{
	{0, "PK\x03\x04", ZIP}, {0, "PK\x05\x06", ZIP}, {0, "PK\x07\x08PK", ZIP},
	{0, "{\\rt", RTF},
	{0, "\x89PNG\r\n\x1a\n", PNG}, {0, "\xff\xd8\xff", JPEG}, {0, "GIF87a", GIF}, {0, "GIF89a", GIF},
	{0, "II*\x00", "tif"}, {0, "MM\x00*", "tif"}, {0, "\x00\x00\x01\x00", "ico"}, {0, "\x00\x00\x02\x00", "ico"}, {0, "8BPS", "psd"},
	{0, "\xd7\xcd\xc6\x9a", "wmf"}, {40, " EMF", "emf"}, {0, "\x00\x00\x00\x0cjP  ", "jp2"}, {0, "AC10", "dwg"},
	{0, "MZ", EXE}, {0, "\x7fELF", "elf"}, {0, "\xfe\xed\xfa\xce", "macho"}, {0, "\xfe\xed\xfa\xcf", "macho"}, {0, "\xcf\xfa\xed\xfe", "macho"}, {0, "\xce\xfa\xed\xfe", "macho"},
	{0, "\x00asm", "wasm"}, {0, "dex\n", "dex"},
	{0, "L\x00\x00\x00\x01\x14\x02\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00F", LNK},
	{0, "7z\xbc\xaf'\x1c", "7z"}, {0, "Rar!\x1a\x07", "rar"}, {0, "\x1f\x8b", "gz"}, {0, "BZh", "bz2"}, {0, "\xfd7zXZ\x00", "xz"}, {0, "LZIP", "lz"},
	{0, "\x28\xb5\x2f\xfd", "zst"}, {0, "\x1f\x9d", "Z"}, {0, "\x1f\xa0", "Z"}, {0, "\x60\xea", "arj"}, {0, "MSCF", "cab"}, {0, "!<arch>\n", "ar"}, {257, "ustar", "tar"}, {0, "\xed\xab\xee\xdb", "rpm"}, {0, "xar!", "xar"},
	{7, "**ACE**", "ace"}, {2, "-lh", "lzh"}, {0, "Cr24", "crx"},
	{0x8001, "CD001", ISO}, {0x8801, "CD001", ISO}, {0x9001, "CD001", ISO}, {0x8001, "BEA01", ISO}, {0, "vhdxfile", "vhdx"}, {0, "conectix", "vhd"}, {0, "KDMV", "vmdk"}, {0, "QFI\xfb", "qcow2"}, {0, "MSWIM\x00", "wim"},
	{0, "\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3", OneNote},
	{0, "\x78\x9f\x3e\x22", TNEF}, {0, "!BDN", "pst"}, {0, "\x76\xe8\x04\x60\xc4\x11\xe3\x86", "rpmsg"}, {0, "\xd4\xc3\xb2\xa1", "pcap"},
	{0, "ITSF", "chm"}, {0, "ITOLITLS", "lit"},
	{0, "ID3", "mp3"}, {0, "fLaC", "flac"}, {0, "OggS", "ogg"}, {0, "MThd", "mid"}, {0, "#!AMR", "amr"}, {0, ".snd", "au"},
	{0, "\x1aE\xdf\xa3", "mkv"}, {0, "FLV\x01", "flv"}, {0, "\x30\x26\xb2\x75\x8e\x66\xcf\x11", "wmv"}, {0, "\x00\x00\x01\xba", "mpg"}, {0, "\x00\x00\x01\xb3", "mpg"},
	{0, "FWS", "swf"}, {0, "CWS", "swf"}, {0, "ZWS", "swf"},
	{0, "SQLite format 3\x00", "sqlite"}, {0, "\x00\x01\x00\x00Standard ", "mdb"},
	{0, "wOFF", "woff"}, {0, "wOF2", "woff2"}, {0, "OTTO", "otf"}, {0, "\x00\x01\x00\x00\x00", "ttf"}, {128, "DICM", "dcm"},
	{0, "%!PS", "ps"}, {0, "\xc5\xd0\xd3\xc6", "ps"}, {0, "regf", "hive"},
}

func detectMagic(b []byte) (Type, bool) {
	// Readers take a PDF that starts anywhere in the first kilobyte.
	if i := bytes.Index(b[:min(len(b), 1024)], []byte("%PDF-")); i == 0 || i > 0 && !bytes.HasPrefix(b, []byte("PK")) {
		return PDF, true
	}
	for _, m := range magics {
		if len(b) < m.offset+len(m.bytes) || string(b[m.offset:m.offset+len(m.bytes)]) != m.bytes {
			continue
		}
		if t, ok := refine(m.t, b); ok {
			return t, true
		}
	}
	return detectLoose(b)
}

// refine looks closer at marks that are short or shared.
func refine(t Type, b []byte) (Type, bool) {
	switch t {
	case EXE:
		return refineEXE(b)
	case "macho", "wasm", "ico":
		return t, len(b) > 20
	case "lzh":
		return t, len(b) > 6 && b[6] == '-'
	case "Z", "arj":
		return t, len(b) > 10
	case "bz2":
		return t, len(b) > 10 && b[3] >= '1' && b[3] <= '9' && string(b[4:10]) == "1AY&SY"
	case "gz":
		return t, len(b) > 10 && b[2] == 8
	case "ar":
		if bytes.HasPrefix(b[8:], []byte("debian")) {
			return "deb", true
		}
	case "mkv":
		if bytes.Contains(b[:min(len(b), 64)], []byte("webm")) {
			return "webm", true
		}
	case "swf":
		return t, len(b) > 8 && b[3] < 60
	case "ttf":
		return t, len(b) > 12 && b[4] < 40
	default: // the mark is long enough
	}
	return t, true
}

// refineEXE tells programs from texts that start with "MZ".
func refineEXE(b []byte) (Type, bool) {
	if len(b) < 0x40 {
		return "", false
	}
	pe := int(b[0x3c]) | int(b[0x3d])<<8 | int(b[0x3e])<<16 | int(b[0x3f])<<24
	if pe > 0 && pe+24 <= len(b) && string(b[pe:pe+4]) == "PE\x00\x00" {
		// IMAGE_FILE_DLL of the file header's characteristics.
		if b[pe+23]&0x20 != 0 {
			return "dll", true
		}
		return EXE, true
	}
	// A program for MS-DOS, or one that was cut off.
	return EXE, bytes.IndexByte(b[:0x40], 0) >= 0
}

// detectLoose recognises formats whose mark is spread out.
func detectLoose(b []byte) (Type, bool) {
	if len(b) >= 12 && string(b[:4]) == "RIFF" {
		switch string(b[8:12]) {
		case "WEBP":
			return "webp", true
		case "WAVE":
			return "wav", true
		case "AVI ":
			return "avi", true
		}
	}
	if len(b) >= 12 && string(b[:4]) == "FORM" && (string(b[8:12]) == "AIFF" || string(b[8:12]) == "AIFC") {
		return "aiff", true
	}
	if len(b) >= 12 && string(b[4:8]) == "ftyp" {
		switch brand := string(b[8:11]); brand {
		case "M4A", "M4B":
			return "m4a", true
		case "M4V":
			return "m4v", true
		case "qt ":
			return "mov", true
		case "3gp", "3g2":
			return "3gp", true
		case "hei", "hev", "mif", "msf":
			return "heif", true
		case "avi":
			return "avif", true
		case "cra", "crx":
			return "cr2", true
		}
		return "mp4", true
	}
	if len(b) >= 26 && string(b[:2]) == "BM" && b[6] == 0 && b[7] == 0 && b[8] == 0 && b[9] == 0 {
		return "bmp", true
	}
	if len(b) >= 4 && b[0] == 0xff && b[1]&0xe0 == 0xe0 && b[1]&0x06 != 0 && b[2]&0xf0 != 0xf0 && b[2]&0x0c != 0x0c {
		return "mp3", true
	}
	if len(b) >= 4 && b[0] == 0xff && b[1]&0xf6 == 0xf0 {
		return "aac", true
	}
	// A signature: SEQUENCE { OID 1.2.840.113549.1.7 ...
	if len(b) > 20 && b[0] == 0x30 && bytes.Contains(b[:20], []byte{0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07}) {
		return P7S, true
	}
	if len(b) > 60 && b[0] == 0x30 && b[1] == 0x82 && b[4] == 0x30 && b[5] == 0x82 {
		return "cer", true
	}
	if len(b) > 512 && string(b[len(b)-512:len(b)-504]) == "conectix" {
		return "vhd", true
	}
	if len(b) > 512 && string(b[len(b)-512:len(b)-508]) == "koly" {
		return "dmg", true
	}
	return "", false
}
