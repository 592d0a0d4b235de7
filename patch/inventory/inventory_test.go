package inventory_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/japanese"

	"github.com/sekisho/sekisho/patch/inventory"
)

// lines writes what was read in lines.
func lines(inv *inventory.Inventory) []string {
	var out []string
	for _, e := range inv.Entries {
		fields := []string{fmt.Sprintf("%d %s", e.Line, e.Kind)}
		for _, f := range []string{e.Device, e.User, e.Vendor, e.Product, e.ID, e.Version, e.Edition, e.Channel, e.Hotpatch, e.Exposed} {
			if f != "" {
				fields = append(fields, f)
			}
		}
		for _, t := range []time.Time{e.LastSeen, e.LastStarted} {
			if !t.IsZero() {
				fields = append(fields, t.Format("01-02T15:04"))
			}
		}
		out = append(out, strings.Join(fields, "|"))
	}
	for _, u := range inv.Unread {
		out = append(out, fmt.Sprintf("%d unread %s", u.Line, u.Reason))
	}
	for _, u := range inv.Doubts {
		out = append(out, fmt.Sprintf("%d doubt %s", u.Line, u.Reason))
	}
	return out
}

func TestRead(t *testing.T) {
	for _, tc := range []struct {
		name   string
		text   string
		format inventory.Format
		want   []string
	}{
		{
			"IntuneEnglish",
			"Device name,Managed by,Ownership,Compliance,OS,OS version,Last check-in,Primary user UPN,SKU Family,Manufacturer\r\n" +
				"PC-001,Intune,Corporate,Compliant,Windows,10.0.26100.3476,2025-04-10 08:12:33.0000000,sato@kiso-works.example,Enterprise,Kiso\r\n",
			inventory.DeviceCSV,
			[]string{"2 system|PC-001|sato@kiso-works.example|Windows|10.0.26100.3476|Enterprise|04-10T08:12"},
		},
		{
			"IntuneJapanese",
			"デバイス名,所有権,OS,OS バージョン,最終チェックイン,プライマリ ユーザーの UPN,SKU ファミリ\nPC-002,会社,Windows,10.0.19045.5737,2025/4/9 18:00:00,keiri@kiso-works.example,Pro\n",
			inventory.DeviceCSV,
			[]string{"2 system|PC-002|keiri@kiso-works.example|Windows|10.0.19045.5737|Pro|04-09T18:00"},
		},
		{
			"GraphNamesAsColumns", "deviceName;operatingSystem;osVersion;lastSyncDateTime\nPC-3;Windows;10.0.22631.5189;2025-04-01T00:00:00Z\n", inventory.DeviceCSV,
			[]string{"2 system|PC-3|Windows|10.0.22631.5189|04-01T00:00"},
		},
		{
			"Software", "vendor,product,version\nZoom,Zoom Workplace,6.4.3\nAdobe,Acrobat,25.001.20432\n", inventory.SoftwareCSV,
			[]string{"2 software|Zoom|Zoom Workplace|6.4.3", "3 software|Adobe|Acrobat|25.001.20432"},
		},
		{
			"Firmware", "機種名\tメーカー\tファームウェアバージョン\t設置場所名\t外部公開\nRT-100\t木曽電機\tRev.1.02\t本社\tはい\n", inventory.FirmwareCSV,
			[]string{"2 firmware|本社|木曽電機|RT-100|Rev.1.02|yes"},
		},
		{
			"DeviceAndProgram", "device,os,os version,application,version,update channel,last started\nPC-4,Windows 11,10.0.26100.3775,Microsoft 365,16.0.18623.20178,Current Channel,2025-04-01\n", inventory.Mixed,
			[]string{"2 system|PC-4|Windows 11|10.0.26100.3775|Current Channel|04-01T00:00", "2 software|PC-4|Microsoft 365|16.0.18623.20178|Current Channel|04-01T00:00"},
		},
		{
			"LinesBeforeTheHeadings", "sep=;\nReport of 11 April\n\nproduct;version\nZoom;6.4.3\n", inventory.SoftwareCSV,
			[]string{"5 software|Zoom|6.4.3"},
		},
		{
			"Quotes", "device,os,os version\n\"PC \"\"A\"\"\",\"Windows, 11\",10.0.26100.1\n\"PC\nB\",Windows,10.0.26100.2\nC,Windows,10.0.26100.3\n", inventory.DeviceCSV,
			[]string{"2 system|PC \"A\"|Windows, 11|10.0.26100.1", "3 system|PC\nB|Windows|10.0.26100.2", "5 system|C|Windows|10.0.26100.3"},
		},
		{
			"BrokenQuotes", "device,os,os version\nPC 15\" A,Windows,10.0.26100.1\n\"PC B,Windows,10.0.26100.2\nPC C,Windows,10.0.26100.3\n", inventory.DeviceCSV,
			[]string{"2 system|PC 15\" A|Windows|10.0.26100.1", "3 system|PC B|Windows|10.0.26100.2", "4 system|PC C|Windows|10.0.26100.3", "2 doubt broken-quotes", "3 doubt broken-quotes"},
		},
		{
			"RowsThatAreNone", "device,os,os version,note\nPC-1,Windows,10.0.26100.1,a,b,c\nPC-2\nPC-3,,,x\n,,,\nPC-4,Windows,,\n" + strings.Repeat("x", 70<<10) + "\nPC-5,Windows,10.0.26100.5\n", inventory.DeviceCSV,
			[]string{"6 system|PC-4|Windows", "8 system|PC-5|Windows|10.0.26100.5", "2 unread too-many-fields", "3 unread too-few-fields", "4 unread no-product", "7 unread too-long", "6 doubt no-version"},
		},
		{
			"DatesOfTheWorld", "device,os,os version,last check-in\nA,Windows,10.0.1.1,23/4/2025 10:00\nB,Windows,10.0.1.1,3/4/2025 10:00\nC,Windows,10.0.1.1,soon\nD,Windows,10.0.1.1,0001-01-01T00:00:00Z\nE,Windows,10.0.1.1,2025年4月8日\n", inventory.DeviceCSV,
			[]string{"2 system|A|Windows|10.0.1.1|04-23T10:00", "3 system|B|Windows|10.0.1.1|04-03T10:00", "4 system|C|Windows|10.0.1.1", "5 system|D|Windows|10.0.1.1", "6 system|E|Windows|10.0.1.1|04-08T00:00", "4 doubt bad-date"},
		},
		{
			"AmericanDates", "device,os,os version,last check-in\nA,Windows,10.0.1.1,4/23/2025 1:05:00 PM\nB,Windows,10.0.1.1,4/3/2025 1:05:00 AM\n", inventory.DeviceCSV,
			[]string{"2 system|A|Windows|10.0.1.1|04-23T13:05", "3 system|B|Windows|10.0.1.1|04-03T01:05"},
		},
		{
			"Winget", "{\n \"$schema\": \"https://aka.ms/winget-packages.schema.2.0.json\",\n \"Sources\": [{\"Packages\": [\n  {\"PackageIdentifier\": \"Zoom.Zoom\", \"Version\": \"6.4.63669\"},\n  {\"PackageIdentifier\": \"Adobe.Acrobat.Pro\"},\n  7\n ]}]\n}", inventory.Winget,
			[]string{"4 software|PC-9|Zoom.Zoom|6.4.63669", "5 software|PC-9|Adobe.Acrobat.Pro", "6 unread not-an-entry", "5 doubt no-version"},
		},
		{
			"GetWinGetPackage", `[{"Name":"Zoom Workplace","Id":"Zoom.Zoom","InstalledVersion":"6.4.3"}]`, inventory.Winget,
			[]string{"1 software|PC-9|Zoom Workplace|Zoom.Zoom|6.4.3"},
		},
		{
			"Graph", "{\"value\":[\n{\"id\":\"1\",\"deviceName\":\"PC-7\",\"operatingSystem\":\"Windows\",\"osVersion\":\"10.0.26100.3775\",\"lastSyncDateTime\":\"2025-04-10T01:02:03Z\",\"userPrincipalName\":\"a@kiso-works.example\",\"skuFamily\":\"Pro\"},\n{\"deviceName\":\"PC-8\",\"osVersion\":7},\n{\"x\":1}]}", inventory.Graph,
			[]string{"2 system|PC-7|a@kiso-works.example|Windows|10.0.26100.3775|Pro|04-10T01:02", "3 unread no-product", "4 unread not-an-entry"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inv, err := inventory.Read([]byte(tc.text), &inventory.Options{Device: "PC-9"})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, lines(inv)); diff != "" || inv.Format != tc.format {
				t.Errorf("%s: %s", inv.Format, diff)
			}
		})
	}
}

func utf16Of(s string, order binary.AppendByteOrder, mark bool) []byte {
	var out []byte
	if mark {
		out = order.AppendUint16(out, 0xfeff)
	}
	for _, u := range utf16.Encode([]rune(s)) {
		out = order.AppendUint16(out, u)
	}
	return out
}

func TestCharsets(t *testing.T) {
	const text = "デバイス名,OS,OS バージョン\n経理①,Windows,10.0.19045.5737\n"
	sjis, err := japanese.ShiftJIS.NewEncoder().Bytes([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		data []byte
		want string
	}{
		{"UTF8", []byte(text), "utf-8"},
		{"Mark", append([]byte("\xef\xbb\xbf"), text...), "utf-8"},
		{"ShiftJIS", sjis, "shift_jis"},
		{"LittleEndian", utf16Of(text, binary.LittleEndian, true), "utf-16le"},
		{"BigEndian", utf16Of(text, binary.BigEndian, true), "utf-16be"},
		{"WithoutMark", utf16Of(strings.ReplaceAll(text, "経理①", "keiri1"), binary.LittleEndian, false), "utf-16le"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inv, err := inventory.Read(tc.data, nil)
			if err != nil {
				t.Fatal(err)
			}
			if inv.Charset != tc.want || len(inv.Entries) != 1 || len(inv.Unread) > 0 || tc.name != "WithoutMark" && inv.Entries[0].Device != "経理①" {
				t.Errorf("%s %+v", inv.Charset, inv)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	for _, tc := range []struct {
		name string
		data string
		want error
	}{
		{"Empty", " \r\n", inventory.ErrEmpty},
		{"NoHeadings", "a,b,c\n1,2,3\n", inventory.ErrNoHeader},
		{"Workbook", "PK\x03\x04\x00\x00\xff", inventory.ErrBinary},
		{"OtherJSON", `{"a":1}`, inventory.ErrJSON},
		{"BrokenJSON", `[{"a":`, inventory.ErrJSON},
		{"DeepJSON", strings.Repeat("[", 20_000), inventory.ErrJSON},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := inventory.Read([]byte(tc.data), nil); !errors.Is(err, tc.want) {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestTime holds the reader to a time in proportion to its input: quotation marks
// that never close, many columns, many rows.
func TestTime(t *testing.T) {
	head := "device,os,os version\n"
	for name, row := range map[string]string{
		"OpenQuotes": "\"a,b\n", "Columns": strings.Repeat(",", 5000) + "\n", "Plain": "PC,Windows,10.0.26100.1\n", "Quoted": strings.Repeat("\"\"", 300) + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			data := []byte(head + strings.Repeat(row, 1<<20/len(row)))
			start := time.Now()
			if _, err := inventory.Read(data, nil); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("%v for %d bytes", took, len(data))
			}
		})
	}
}

// TestNoRowIsLost counts rows: each is an entry or is named.
func TestNoRowIsLost(t *testing.T) {
	var b strings.Builder
	b.WriteString("device,os,os version\n")
	for i := range 1000 {
		fmt.Fprintf(&b, "%s\n", []string{"PC,Windows,10.0.26100.1", "PC,Windows", "\"PC,Windows,10.0.26100.1", "PC,,", "a,b,c,d"}[i%5])
	}
	inv, err := inventory.Read([]byte(b.String()), nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(inv.Entries) + len(inv.Unread); n != 1000 {
		t.Errorf("%d of 1000 rows: %d entries, %d named", n, len(inv.Entries), len(inv.Unread))
	}
}

// TestExamples reads the examples of the repository.
func TestExamples(t *testing.T) {
	dir := filepath.Join("..", "..", "examples", "patch")
	for file, want := range map[string]int{"devices.csv": 12, "devices-ja.csv": 5, "software.csv": 8, "firmware.csv": 4, "winget.json": 4, "managed-devices.json": 3} {
		t.Run(file, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join(dir, file))
			if err != nil {
				t.Fatal(err)
			}
			inv, err := inventory.Read(data, nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(inv.Entries) != want {
				t.Errorf("%d entries: %v", len(inv.Entries), lines(inv))
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{
		"device,os,os version\nPC,Windows,10.0.26100.1\n", "vendor;product;version\n\"a\";b;\"c\n", `{"Sources":[{"Packages":[{"PackageIdentifier":"a"}]}]}`,
		`{"value":[{"deviceName":"a","operatingSystem":"Windows","osVersion":"1"}]}`, "\xff\xfed\x00e\x00", "機種\tファームウェア\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		inv, err := inventory.Read(data, nil)
		if err != nil {
			return
		}
		last := 0
		for _, e := range inv.Entries {
			if e.Line < last || e.Product == "" && e.ID == "" {
				t.Fatalf("%+v after line %d", e, last)
			}
			last = e.Line
		}
	})
}
