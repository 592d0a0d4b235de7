package inventory

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

// column is what a column of a table holds.
type column string

const (
	cDevice      column = "device"
	cUser        column = "user"
	cSystem      column = "system"
	cSysVersion  column = "system version"
	cEdition     column = "edition"
	cVendor      column = "vendor"
	cMaker       column = "maker" // of the hardware
	cProduct     column = "product"
	cVersion     column = "version"
	cModel       column = "model"
	cFirmware    column = "firmware"
	cLastSeen    column = "last seen"
	cLastStarted column = "last started"
	cChannel     column = "channel"
	cHotpatch    column = "hotpatch"
	cExposed     column = "exposed"
	cID          column = "id"
)

// headings are how columns are headed, in the form of [plain]: the portal of
// Intune in English and Japanese, Microsoft Graph, and what people write.
func headings() map[string]column {
	m := map[string]column{}
	for c, names := range map[column]string{
		cDevice:      "device name|devicename|device|computer|computer name|hostname|host|name of device|managed device name|デバイス名|デバイス|端末名|端末|コンピューター名|コンピュータ名|PC名|ホスト名|機器名|設置場所名",
		cUser:        "primary user upn|user principal name|primary user email address|primary user display name|user|user name|upn|owner|プライマリ ユーザーの UPN|プライマリ ユーザー UPN|プライマリユーザーのUPN|ユーザー プリンシパル名|ユーザー名|ユーザー|利用者|使用者",
		cSystem:      "os|operating system|operatingsystem|platform|os name|オペレーティング システム|オペレーティングシステム|OS名|プラットフォーム",
		cSysVersion:  "os version|osversion|operating system version|operatingsystemversion|os build|build|OS バージョン|OSのバージョン|オペレーティング システムのバージョン|OSビルド|ビルド",
		cEdition:     "sku family|skufamily|edition|os edition|operating system edition|operatingsystemedition|SKU ファミリ|SKU ファミリー|エディション|OS エディション|OSのエディション",
		cVendor:      "vendor|publisher|application publisher|maker|manufacturer of software|ベンダー|ベンダ|発行元|開発元|提供元|メーカー|メーカ",
		cMaker:       "manufacturer|製造元|製造業者",
		cProduct:     "product|product name|application|application name|software|software name|app|app name|program|製品|製品名|アプリ|アプリ名|アプリケーション|アプリケーション名|ソフトウェア|ソフトウェア名|ソフト名|プログラム",
		cVersion:     "version|product version|application version|app version|installed version|software version|バージョン|製品バージョン|アプリのバージョン|インストール済みバージョン|版",
		cModel:       "model|model name|型番|機種|機種名|モデル|製品型番",
		cFirmware:    "firmware|firmware version|fw version|fw|ファームウェア|ファームウェアバージョン|ファームウェア バージョン|ファームウェアのバージョン|ファーム|ファームバージョン",
		cLastSeen:    "last check in|last checkin|lastsyncdatetime|last sync date time|last sync|last contact|last seen|last reported|最終チェックイン|最後のチェックイン|前回のチェックイン|最終チェックイン日時|前回のチェックイン日時|最終同期|最終同期日時|最終確認|最終確認日|最終接続",
		cLastStarted: "last started|last used|last launch|last run|最終起動|最終起動日|最終起動日時|最終利用日",
		cChannel:     "channel|update channel|office channel|チャネル|更新チャネル|更新プログラム チャネル",
		cHotpatch:    "hotpatch|hotpatch enabled|hotpatching|ishotpatch|ホットパッチ",
		cExposed:     "exposed|internet facing|internetfacing|public|reachable from the internet|インターネット公開|外部公開|公開",
		cID:          "package identifier|packageidentifier|package id|winget id|パッケージID",
	} {
		for n := range strings.SplitSeq(names, "|") {
			m[plain(n)] = c
		}
	}
	return m
}

// plain makes headings comparable: width, case, spaces and signs do not count.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \u00a0\t_-./:()[]・'\"#*", r) {
			return -1
		}
		return r
	}, strings.ToLower(norm.NFKC.String(s[:min(len(s), 200)])))
}

// layout is where the columns of a table are.
type layout struct {
	at    map[column]int
	width int
}

func (l *layout) has(c column) bool { _, ok := l.at[c]; return ok }

func (l *layout) get(row []string, c column) string {
	i, ok := l.at[c]
	if !ok || i >= len(row) {
		return ""
	}
	return strings.TrimSpace(row[i])
}

// layoutOf reads headings; ok is false if they are none.
func layoutOf(row []string, known map[string]column) (l layout, ignored []string, ok bool) {
	l = layout{at: map[column]int{}, width: len(row)}
	for i, h := range row {
		c, found := known[plain(h)]
		if _, twice := l.at[c]; found && !twice {
			l.at[c] = i
			continue
		}
		if h = strings.TrimSpace(h); h != "" {
			ignored = append(ignored, clip(h))
		}
	}
	// "Build" beside "OS version" is no second version.
	thing := l.has(cSystem) || l.has(cProduct) || l.has(cModel) || l.has(cID) || l.has(cDevice)
	version := l.has(cSysVersion) || l.has(cVersion) || l.has(cFirmware)
	return l, ignored, thing && version && len(l.at) >= 2
}

// table reads a table whose fields are parted by commas, tabs or semicolons.
func (r *reader) table(text string) error {
	lines := splitLines(text)
	known := headings()
	var l layout
	sep := byte(0)
	head, found := 0, false
	for head = 0; head < min(len(lines), maxHead) && !found; head++ {
		line := lines[head]
		if len(line) > maxRow {
			continue
		}
		for _, s := range []byte{',', '\t', ';'} {
			row, _ := lenient(line, s)
			var ok bool
			if l, r.inv.Ignored, ok = layoutOf(row, known); ok {
				sep, found = s, true
				break
			}
		}
	}
	if !found {
		return ErrNoHeader
	}
	r.inv.Preamble = head - 1
	r.inv.Separator = string(sep)
	r.inv.Format = l.format()
	t := tableReader{reader: r, l: &l, dayFirst: r.daysFirst(lines[head:], &l, sep)}
	rows := 0
	for i := head; i < len(lines); {
		at := i
		if strings.Trim(lines[i], ",;\t \u3000") == "" {
			i++
			continue
		}
		if rows++; rows > MaxRows {
			r.unread(at+1, TooManyRows, lines[i])
			return nil
		}
		if len(lines[i]) > maxRow {
			r.unread(at+1, TooLong, lines[i])
			i++
			continue
		}
		row, used, broken := record(lines[i:], sep)
		i += used
		t.row(at+1, row, lines[at], broken)
	}
	return nil
}

func (l *layout) format() Format {
	switch {
	case l.has(cFirmware):
		return FirmwareCSV
	case l.has(cSysVersion) && (l.has(cProduct) || l.has(cID)) && l.has(cVersion):
		return Mixed
	case l.has(cSysVersion), l.has(cSystem) && !l.has(cProduct):
		return DeviceCSV
	}
	return SoftwareCSV
}

type tableReader struct {
	*reader
	l        *layout
	dayFirst bool // dates with slashes begin with the day
}

// row reads one row.
func (t *tableReader) row(line int, row []string, text string, broken bool) {
	l := t.l
	switch {
	case len(row) > l.width && strings.Join(row[l.width:], "") != "":
		t.unread(line, TooManyFields, text)
		return
	case slices.ContainsFunc(row, func(s string) bool { return len(s) > maxCell }):
		t.unread(line, TooLong, text)
		return
	}
	last := 0
	for _, i := range l.at {
		last = max(last, i)
	}
	// A row may end early where the columns left out are of no use.
	if len(row) < min(l.width, last+1) && l.needs(len(row)) {
		t.unread(line, TooFewFields, text)
		return
	}
	if broken {
		t.doubt(line, BrokenQuotes, text)
	}
	if strings.ContainsRune(text, '\ufffd') {
		t.doubt(line, BadBytes, text)
	}
	e := Entry{
		Line: line, Device: l.get(row, cDevice), User: l.get(row, cUser), Channel: l.get(row, cChannel),
		Hotpatch: yesNo(l.get(row, cHotpatch)), Exposed: yesNo(l.get(row, cExposed)),
	}
	date := func(c column) (out time.Time) {
		s := l.get(row, c)
		if s == "" {
			return out
		}
		when, ok := parseTime(s, t.dayFirst, t.o.location())
		if !ok {
			t.doubt(line, BadDate, s)
		}
		return when
	}
	e.LastSeen, e.LastStarted = date(cLastSeen), date(cLastStarted)
	format := t.inv.Format
	done := false
	if format == FirmwareCSV && l.get(row, cFirmware) != "" {
		f := e
		f.Kind, f.Version = Firmware, l.get(row, cFirmware)
		f.Vendor, f.Product = cmp.Or(l.get(row, cVendor), l.get(row, cMaker)), cmp.Or(l.get(row, cModel), l.get(row, cProduct))
		t.add(f, text)
		done = true
	}
	if v, s := l.get(row, cSysVersion), l.get(row, cSystem); format == DeviceCSV || format == Mixed && (v != "" || s != "") {
		d := e
		d.Kind, d.Product, d.Version, d.Edition = System, s, v, l.get(row, cEdition)
		if d.Version == "" {
			d.Version = l.get(row, cVersion)
		}
		// Without a name of the system, the shape of the version tells Windows.
		if d.Product == "" && strings.HasPrefix(d.Version, "10.0") {
			d.Product = "Windows"
		}
		t.add(d, text)
		done = true
	}
	if p, id := l.get(row, cProduct), l.get(row, cID); format == SoftwareCSV || format == Mixed && (p != "" || id != "") {
		e.Kind, e.Vendor, e.Product, e.ID, e.Version = Software, cmp.Or(l.get(row, cVendor), l.get(row, cMaker)), p, id, l.get(row, cVersion)
		if e.Product == "" && id == "" {
			e.Product = l.get(row, cModel)
		}
		e.Edition = l.get(row, cEdition)
		t.add(e, text)
		done = true
	}
	if !done {
		e.Kind, e.Vendor, e.Product, e.Version = Firmware, cmp.Or(l.get(row, cVendor), l.get(row, cMaker)), cmp.Or(l.get(row, cModel), l.get(row, cProduct)), l.get(row, cVersion)
		t.add(e, text)
	}
}

// needs reports whether a column that matters lies behind n fields.
func (l *layout) needs(n int) bool {
	for _, c := range []column{cSystem, cSysVersion, cProduct, cVersion, cModel, cFirmware, cID} {
		if i, ok := l.at[c]; ok && i >= n {
			return true
		}
	}
	return false
}

func yesNo(s string) string {
	switch plain(s) {
	case "yes", "true", "1", "y", "はい", "有", "有効", "○", "あり":
		return "yes"
	case "no", "false", "0", "n", "いいえ", "無", "無効", "×", "なし":
		return "no"
	}
	return ""
}

// splitLines parts text at LF, CR LF and CR.
func splitLines(text string) []string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	text = strings.ReplaceAll(text, "\r", "\n")
	return strings.Split(text, "\n")
}

// record reads one row from the start of lines, which may go on over a few of
// them inside quotation marks, and says how many it used. If quotation marks do
// not close, the first line alone is read as well as can be.
func record(lines []string, sep byte) (row []string, used int, broken bool) {
	if !strings.Contains(lines[0], `"`) {
		return strings.SplitN(lines[0], string(sep), maxColumns+1), 1, false
	}
	size := 0
	for n := range min(len(lines), maxJoined) {
		if size += len(lines[n]) + 1; size > maxRow+1 {
			break
		}
		row, state := strict(strings.Join(lines[:n+1], "\n"), sep)
		if state == whole {
			return row, n + 1, false
		}
		if state == wrong {
			break
		}
	}
	row, _ = lenient(lines[0], sep)
	return row, 1, true
}

type strictness int

const (
	whole strictness = iota
	open             // a quotation mark does not close
	wrong            // text after a closing quotation mark, or a quotation mark inside a bare field
)

// strict reads a row as RFC 4180 has it.
func strict(s string, sep byte) (row []string, state strictness) {
	for {
		if !strings.HasPrefix(s, `"`) {
			end := strings.IndexByte(s, sep)
			field := s
			if end >= 0 {
				field = s[:end]
			}
			if strings.Contains(field, `"`) {
				return row, wrong
			}
			if row = append(row, field); end < 0 || len(row) > maxColumns {
				return row, whole
			}
			s = s[end+1:]
			continue
		}
		var field strings.Builder
		s = s[1:]
		for {
			end := strings.IndexByte(s, '"')
			if end < 0 {
				return row, open
			}
			field.WriteString(s[:end])
			s = s[end+1:]
			if !strings.HasPrefix(s, `"`) {
				break
			}
			field.WriteByte('"')
			s = s[1:]
		}
		row = append(row, field.String())
		if s == "" {
			return row, whole
		}
		if s[0] != sep {
			return row, wrong
		}
		if len(row) > maxColumns {
			return row, whole
		}
		s = s[1:]
	}
}

// lenient reads a line whose quotation marks are broken. One counts only at the
// start of a field that another ends; else it is a sign like any other.
func lenient(s string, sep byte) (row []string, broken bool) {
	for len(row) <= maxColumns {
		if strings.HasPrefix(s, `"`) {
			if end := strings.Index(s[1:], `"`+string(sep)); end >= 0 {
				row = append(row, strings.ReplaceAll(s[1:1+end], `""`, `"`))
				s = s[end+3:]
				continue
			}
			if strings.HasSuffix(s, `"`) && len(s) > 1 && strings.IndexByte(s, sep) < 0 {
				return append(row, strings.ReplaceAll(s[1:len(s)-1], `""`, `"`)), broken
			}
			broken = true
		}
		end := strings.IndexByte(s, sep)
		if end < 0 {
			break
		}
		row = append(row, strings.Trim(s[:end], `"`))
		s = s[end+1:]
	}
	return append(row, strings.Trim(s, `"`)), broken
}
