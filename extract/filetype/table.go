package filetype

// types says what is known of each type.
var types = map[Type]kind{
	Text:   {Other, "text log ini cfg conf md nfo readme", "text/*"},
	"csv":  {Document, "tsv", "text/csv text/comma-separated-values application/vnd.ms-excel"},
	"json": {Other, "", "application/json text/json"},
	HTML:   {Markup, "htm xhtml shtml xht htmls mhtml mht", "text/html application/xhtml+xml"},
	SVG:    {Image, "svgz", "image/svg+xml"},
	XML:    {Markup, "xsl xslt rdf rss dtd xsd config plist", "text/xml application/xml"},
	"mht":  {Markup, "mhtml", "multipart/related message/rfc822"},

	PDF:     {Document, "", "application/pdf application/x-pdf"},
	RTF:     {Document, "doc", "application/rtf text/rtf application/msword"},
	DOC:     {Document, "dot wbk", "application/msword"},
	XLS:     {Document, "xlt xla xlm", "application/vnd.ms-excel application/msexcel"},
	PPT:     {Document, "pps pot ppa", "application/vnd.ms-powerpoint application/mspowerpoint"},
	DOCX:    {Document, "docm dotx dotm", "application/vnd.openxmlformats-officedocument.wordprocessingml* application/vnd.ms-word* application/msword"},
	XLSX:    {Document, "xlsm xltx xltm xlam", "application/vnd.openxmlformats-officedocument.spreadsheetml* application/vnd.ms-excel*"},
	"xlsb":  {Document, "", "application/vnd.ms-excel*"},
	PPTX:    {Document, "pptm ppsx ppsm potx potm", "application/vnd.openxmlformats-officedocument.presentationml* application/vnd.ms-powerpoint*"},
	"ooxml": {Document, "docx xlsx pptx docm xlsm pptm doc xls ppt", "application/vnd.openxmlformats-officedocument.* application/vnd.ms-* application/msword application/encrypted"},
	OLE:     {Document, "doc xls ppt db", "application/x-ole-storage application/msword application/vnd.ms-*"},
	"vsd":   {Document, "vss vst", "application/vnd.visio"}, "vsdx": {Document, "vsdm", "application/vnd.ms-visio* application/vnd.visio"},
	"pub": {Document, "", "application/x-mspublisher application/vnd.ms-publisher"}, OneNote: {Document, "onetoc2", "application/onenote application/msonenote"},
	"odt": {Document, "ott", "application/vnd.oasis.opendocument.text*"}, "ods": {Document, "ots", "application/vnd.oasis.opendocument.spreadsheet*"},
	"odp": {Document, "otp", "application/vnd.oasis.opendocument.presentation*"}, "odg": {Document, "", "application/vnd.oasis.opendocument.graphics*"},
	"epub": {Document, "", "application/epub+zip"}, "xps": {Document, "oxps", "application/vnd.ms-xpsdocument application/oxps"}, "ps": {Document, "eps ai", "application/postscript"},
	"chm": {Executable, "", "application/vnd.ms-htmlhelp application/mshelp"}, "lit": {Document, "", ""}, "mdb": {Document, "accdb mde", "application/msaccess application/x-msaccess"}, "xdp": {Document, "", ""},
	"kmz": {Document, "", "application/vnd.google-earth.kmz"}, "sqlite": {Other, "db sqlite3", "application/x-sqlite3 application/vnd.sqlite3"}, "dwg": {Document, "", "image/vnd.dwg application/acad"}, "dcm": {Image, "", "application/dicom"},

	EML: {Mail, "mht mhtml nws", "message/*"}, MSG: {Mail, "oft", "application/vnd.ms-outlook"}, TNEF: {Mail, "dat", "application/ms-tnef application/vnd.ms-tnef"}, "rpmsg": {Mail, "", "application/x-microsoft-rpmsg-message"}, "pcap": {Other, "cap pcapng", "application/vnd.tcpdump.pcap"}, "pst": {Mail, "ost", "application/vnd.ms-outlook*"},
	ICS: {Mail, "ifb ical vcs", "text/calendar application/ics"}, VCF: {Mail, "vcard", "text/vcard text/x-vcard text/directory"},

	PNG: {Image, "", "image/png image/x-png"}, JPEG: {Image, "jpeg jpe jfif", "image/jpeg image/jpg image/pjpeg"}, GIF: {Image, "", "image/gif"}, "webp": {Image, "", "image/webp"}, "bmp": {Image, "dib", "image/bmp image/x-ms-bmp image/x-bmp"},
	"tif": {Image, "tiff", "image/tiff"}, "ico": {Image, "cur", "image/x-icon image/vnd.microsoft.icon"}, "psd": {Image, "", "image/vnd.adobe.photoshop"}, "wmf": {Image, "", "image/wmf image/x-wmf"}, "emf": {Image, "", "image/emf image/x-emf"},
	"heif": {Image, "heic hif", "image/hei*"}, "avif": {Image, "", "image/avif"}, "jp2": {Image, "j2k", "image/jp2"}, "cr2": {Image, "cr3", "image/x-canon*"},

	EXE: {Executable, "com scr pif cpl ocx sys", "application/x-msdownload application/x-dosexec application/vnd.microsoft.portable-executable application/x-msdos-program application/exe"}, "dll": {Executable, "cpl ocx ax xll sys", "application/x-msdownload"},
	"elf": {Executable, "so bin o", "application/x-executable application/x-elf application/x-sharedlib"}, "macho": {Executable, "dylib", "application/x-mach-binary"}, "wasm": {Executable, "", "application/wasm"}, "dex": {Executable, "", ""},
	MSI: {Executable, "msp mst", "application/x-msi application/x-ole-storage"}, LNK: {Executable, "", "application/x-ms-shortcut"}, "url": {Executable, "website", "application/internet-shortcut"}, "jar": {Executable, "war ear", "application/java-archive application/x-java-archive"}, "apk": {Executable, "xapk", "application/vnd.android.package-archive"},
	"appx": {Executable, "msix appxbundle msixbundle", "application/vns.ms-appx"}, "crx": {Executable, "", "application/x-chrome-extension"}, "deb": {Executable, "", "application/vnd.debian.binary-package"}, "rpm": {Executable, "", "application/x-rpm"}, "swf": {Executable, "", "application/x-shockwave-flash"},

	"js": {Script, "mjs", "text/javascript application/javascript application/x-javascript"}, "jse": {Script, "", ""}, "vbs": {Script, "vb", "text/vbscript"}, "vbe": {Script, "", ""}, "wsf": {Script, "wsc sct", ""}, "wsh": {Script, "", ""}, "hta": {Script, "", "application/hta"},
	"ps1": {Script, "psm1 psd1", ""}, "bat": {Script, "cmd", "application/x-bat"}, "sh": {Script, "bash command", "application/x-sh text/x-shellscript"}, "py": {Script, "pyw", "text/x-python"}, "pl": {Script, "", "text/x-perl"}, "rb": {Script, "", ""}, "php": {Script, "phtml", "application/x-php text/x-php"},
	"reg": {Script, "", ""}, "inf": {Script, "", ""}, "iqy": {Script, "", ""}, "slk": {Script, "", ""}, "rdp": {Script, "", "application/x-rdp application/rdp"}, "scf": {Script, "", ""}, "library-ms": {Script, "", ""}, "search-ms": {Script, "", ""}, "settingcontent-ms": {Script, "", ""}, "application": {Script, "", "application/x-ms-application"}, "applescript": {Script, "scpt", ""}, "desktop": {Script, "", ""}, "ade": {Script, "adp", ""},

	ZIP: {Archive, "zipx", "application/zip application/x-zip-compressed application/x-zip"}, "7z": {Archive, "", "application/x-7z-compressed"}, "rar": {Archive, "r00 r01", "application/vnd.rar application/x-rar-compressed application/x-rar"}, "gz": {Archive, "tgz gzip svgz", "application/gzip application/x-gzip application/tlsrpt+gzip"},
	"bz2": {Archive, "tbz tbz2", "application/x-bzip2"}, "xz": {Archive, "txz", "application/x-xz"}, "lz": {Archive, "", "application/x-lzip"}, "zst": {Archive, "", "application/zstd"}, "Z": {Archive, "z taz", "application/x-compress"}, "arj": {Archive, "", ""}, "ace": {Archive, "", ""}, "lzh": {Archive, "lha", "application/x-lzh"}, "cab": {Archive, "", "application/vnd.ms-cab-compressed"},
	"tar": {Archive, "", "application/x-tar application/tar"}, "ar": {Archive, "a lib", ""}, "xar": {Archive, "pkg", ""}, "hive": {Other, "", ""},
	ISO: {Disk, "img udf", "application/x-iso9660-image application/x-cd-image"}, "vhd": {Disk, "", ""}, "vhdx": {Disk, "", ""}, "vmdk": {Disk, "", ""}, "qcow2": {Disk, "", ""}, "wim": {Disk, "", ""}, "dmg": {Disk, "", "application/x-apple-diskimage"},

	P7S: {Certs, "p7m p7c p7b", "application/pkcs7-* application/x-pkcs7-*"}, "cer": {Certs, "crt der p12 pfx", "application/x-x509* application/pkix-cert"}, "pem": {Certs, "crt cer key", "application/x-pem-file"}, "asc": {Certs, "pgp sig gpg", "application/pgp-*"},

	"mp3": {Audio, "", "audio/mpeg audio/mp3"}, "wav": {Audio, "", "audio/*wav* audio/wave audio/vnd.wave audio/x-wav audio/wav"}, "flac": {Audio, "", "audio/flac audio/x-flac"}, "ogg": {Audio, "oga ogv opus", "audio/ogg video/ogg application/ogg"}, "mid": {Audio, "midi", "audio/midi"}, "amr": {Audio, "", "audio/amr"}, "au": {Audio, "snd", "audio/basic"}, "aac": {Audio, "", "audio/aac"}, "aiff": {Audio, "aif", "audio/aiff audio/x-aiff"}, "m4a": {Audio, "m4b", "audio/mp4 audio/x-m4a audio/m4a"},
	"mp4": {Video, "m4v", "video/mp4 audio/mp4"}, "m4v": {Video, "", "video/x-m4v video/mp4"}, "mov": {Video, "qt", "video/quicktime"}, "avi": {Video, "", "video/x-msvideo video/avi"}, "mkv": {Video, "", "video/x-matroska"}, "webm": {Video, "", "video/webm"}, "flv": {Video, "", "video/x-flv"}, "wmv": {Video, "wma asf", "video/x-ms-wmv audio/x-ms-wma video/x-ms-asf"}, "mpg": {Video, "mpeg", "video/mpeg"}, "3gp": {Video, "3g2", "video/3gpp audio/3gpp"},

	"woff": {Font, "", "font/woff"}, "woff2": {Font, "", "font/woff2"}, "otf": {Font, "", "font/otf"}, "ttf": {Font, "ttc", "font/ttf"},
}

// aliases are extensions of scripts that go by another type's name.
var aliases = map[string]Type{
	"mjs": "js", "vb": "vbs", "wsc": "wsf", "sct": "wsf", "psm1": "ps1", "psd1": "ps1", "cmd": "bat", "bash": "sh", "command": "sh", "pyw": "py", "phtml": "php", "adp": "ade", "scpt": "applescript",
}
