package eml_test

import (
	"encoding/base64"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/sekisho/sekisho/eml"
)

// encode writes s in a legacy charset.
func encode(t testing.TB, e encoding.Encoding, s string) string {
	t.Helper()
	out, err := e.NewEncoder().String(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func subject(raw string) string {
	return eml.Parse([]byte("Subject: "+raw+"\r\n\r\n"), nil).Subject().Text
}

func TestEncodedWords(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"Plain", "hello", "hello"},
		{"Base64", "=?utf-8?B?5pel5pys?=", "日本"},
		{"Quoted", "=?utf-8?Q?caf=C3=A9_noir?=", "café noir"},
		{"LowerCase", "=?UTF-8?q?caf=c3=a9?=", "café"},
		{"SpaceBetweenWordsIsNoText", "=?utf-8?Q?a?= =?utf-8?Q?b?=", "ab"},
		{"FoldBetweenWords", "=?utf-8?Q?a?=\r\n =?utf-8?Q?b?=", "ab"},
		{"FoldByTab", "=?utf-8?Q?a?=\r\n\t=?utf-8?Q?b?=", "ab"},
		{"SpaceToPlainTextIsText", "=?utf-8?Q?a?= b =?utf-8?Q?c?=", "a b c"},
		{"NoSpaceBetweenWords", "=?utf-8?Q?a?==?utf-8?Q?b?=", "ab"},
		{"NoSpaceToPlainText", "x=?utf-8?Q?a?=y", "xay"},
		{"SpacesInside", "=?utf-8?Q?a b c?=", "a b c"},
		{"FoldInside", "=?utf-8?B?5pel\r\n 5pys?=", "日本"},
		{"QuestionMarkInside", "=?utf-8?Q?really?_yes?=", "really? yes"},
		{"LanguageTag", "=?utf-8*en?Q?a?=", "a"},
		{"Empty", "a =?utf-8?Q??= b", "a  b"},
		{"NoPadding", "=?utf-8?B?5pel5pw?=", "日\uFFFD"},
		{"NotClosed", "=?utf-8?Q?abc", "=?utf-8?Q?abc"},
		{"UnknownEncoding", "=?utf-8?X?abc?=", "=?utf-8?X?abc?="},
		{"UnknownCharset", "=?x-none?Q?abc?=", "abc"},
		{"BrokenHex", "=?utf-8?Q?a=ZZb?=", "a=ZZb"},
		{"InQuotes", `"=?utf-8?Q?a?="`, `"a"`},
		{"UTF8SplitInsideCharacter", "=?utf-8?B?" + b64("日\xe6\x9c") + "?= =?utf-8?B?" + b64("\xac本") + "?=", "日本本"},
		{"UTF8SplitOverThreeWords", "=?utf-8?B?" + b64("\xe6") + "?= =?utf-8?B?" + b64("\x9c") + "?= =?utf-8?B?" + b64("\xac") + "?=", "本"},
		{"SplitBetweenTwoNamesOfACharset", "=?utf-8?B?" + b64("\xe6\x9c") + "?= =?UTF8?B?" + b64("\xac") + "?=", "本"},
		{"BrokenWordKeepsItsNeighbours", "=?utf-8?Q?a=FF?= =?utf-8?Q?b?=", "a\uFFFDb"},
		{"ISO2022JP", "=?iso-2022-jp?B?" + b64("\x1b$B;3ED\x1b(B") + "?=", "山田"},
		{"ISO2022JPWithoutFinalEscape", "=?ISO-2022-JP?B?" + b64("\x1b$B;3ED") + "?=", "山田"},
		{"ISO2022JPSplitInsideCharacter", "=?iso-2022-jp?B?" + b64("\x1b$B;3E") + "?= =?iso-2022-jp?B?" + b64("D\x1b(B") + "?=", "山田"},
		{"ISO2022JPSplitInsideCharacterWithEscapes", "=?iso-2022-jp?B?" + b64("\x1b$B;3E\x1b(B") + "?=\r\n =?iso-2022-jp?B?" + b64("\x1b$BD\x1b(B") + "?=", "山田"},
		{"ISO2022JPQuoted", "=?iso-2022-jp?Q?=1B$B;3ED=1B(B?=", "山田"},
		{"NECRow13", "=?iso-2022-jp?B?" + b64("\x1b$B-!-j\x1b(B") + "?=", "①㈱"},
		{"IBMExtensionInISO2022JP", "=?iso-2022-jp?B?" + b64("\x1b$B|byu\x1b(B") + "?=", "髙﨑"},
		{"IBMExtensionInShiftJIS", "=?shift_jis?B?" + b64("\xfb\xfc\xfa\xb1") + "?=", "髙﨑"},
		{"NECSelectionInShiftJIS", "=?cp932?B?" + b64("\xee\xe0\xed\x95\x87\x40\x87\x8a") + "?=", "髙﨑①㈱"},
		{"HalfWidthKanaInISO2022JP", "=?iso-2022-jp?B?" + b64("\x1b(I1\x1b(B") + "?=", "ｱ"},
		{"HalfWidthKanaInShiftJIS", "=?windows-31j?B?" + b64("\xb1\xb2") + "?=", "ｱｲ"},
		{"EUCJP", "=?euc-jp?B?" + b64(encode(t, japanese.EUCJP, "請求書の件")) + "?=", "請求書の件"},
		{"GB18030", "=?gb18030?B?" + b64(encode(t, simplifiedchinese.GB18030, "发票𠀀")) + "?=", "发票𠀀"},
		{"GB2312LabelWithGBKLetters", "=?gb2312?B?" + b64(encode(t, simplifiedchinese.GBK, "镕基")) + "?=", "镕基"},
		{"UTF7", "=?utf-7?Q?+ZeVnLA-?=", "日本"},
		{"UTF8LabelledISO2022JP", "=?iso-2022-jp?B?" + b64("請求書") + "?=", "請求書"},
		{"ShiftJISLabelledISO2022JP", "=?iso-2022-jp?B?" + b64(encode(t, japanese.ShiftJIS, "ご請求について")) + "?=", "ご請求について"},
		{"Latin1IsWindows1252", "=?iso-8859-1?Q?=93a=94_=80?=", "“a” €"},
		{"KOI8R", "=?koi8-r?B?" + b64(encode(t, charmap.KOI8R, "Счёт")) + "?=", "Счёт"},
		{"RawUTF8", "請求書", "請求書"},
		{"RawShiftJIS", encode(t, japanese.ShiftJIS, "ご請求書の件"), "ご請求書の件"},
		{"RawEUCJP", encode(t, japanese.EUCJP, "ご請求書の件"), "ご請求書の件"},
		{"RawISO2022JP", "\x1b$B;3ED\x1b(B", "山田"},
		{"RawLatin1", encode(t, charmap.Windows1252, "Grüße aus Köln"), "Grüße aus Köln"},
		{"RawAndEncoded", "=?utf-8?Q?caf=C3=A9?= 日本", "café 日本"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, subject(c.in)); diff != "" {
				t.Errorf("subject differs (-want +got):\n%s", diff)
			}
		})
	}
}

// TestSniff reads text without a label.
func TestSniff(t *testing.T) {
	sjis, euc, gb, latin := japanese.ShiftJIS, japanese.EUCJP, simplifiedchinese.GB18030, charmap.Windows1252
	for _, c := range []struct {
		name string
		e    encoding.Encoding
		text string
		want string // charset
	}{
		{"ShiftJISKana", sjis, "お支払いの確認をお願いします。", "shift_jis"},
		{"ShiftJISKatakana", sjis, "アカウント", "shift_jis"},
		{"ShiftJISKanjiAlone", sjis, "請求書", "shift_jis"},
		{"ShiftJISAmongASCII", sjis, "Re: [ML 123] 会議の資料 (PDF)", "shift_jis"},
		{"ShiftJISWithHalfWidthKana", sjis, "お名前：ﾔﾏﾀﾞ ﾀﾛｳ 様", "shift_jis"},
		{"ShiftJISWithVendorLetters", sjis, "㈱髙﨑商店①のお知らせ", "shift_jis"},
		{"EUCJP", euc, "お支払いの確認をお願いします。", "euc-jp"},
		{"EUCJPKanjiAlone", euc, "請求書送付", "euc-jp"},
		{"GB18030", gb, "您的邮箱已经满了，请在二十四小时内登录系统进行升级。", "gb18030"},
		{"GB18030Short", gb, "中文发票", "gb18030"},
		{"German", latin, "Für größere Überweisungen benötigen Sie die Bestätigung Ihrer Geschäftsführung.", "windows-1252"},
		{"GermanCapitals", latin, "ÄÖÜ GRÜßE AUS DÜSSELDORF", "windows-1252"},
		{"French", latin, "Présentation générale : votre dernière facture a été réglée à l’échéance, « merci ».", "windows-1252"},
		{"FrenchShort", latin, "Reçu n° 42 — réglé", "windows-1252"},
		{"Portuguese", latin, "Informações sobre a alteração da sua conta não são públicas; atenção às mensagens.", "windows-1252"},
		{"Spanish", latin, "¿Quién es el dueño? ¡Atención, señor Peña: su contraseña caducará mañana!", "windows-1252"},
		{"Swedish", latin, "Så här får du åter tillgång till ditt konto på två dagar", "windows-1252"},
		{"CurlyQuotes", latin, "Don’t miss “the offer” – it’s only today…", "windows-1252"},
		{"Euro", latin, "€ 100, £ 50, 20 °C", "windows-1252"},
		{"OneLetter", latin, "é", "windows-1252"},
	} {
		t.Run(c.name, func(t *testing.T) {
			raw := encode(t, c.e, c.text)
			m := eml.Parse([]byte("Subject: "+raw+"\r\nContent-Type: text/plain\r\n\r\n"+raw), nil)
			if got := m.Root().Charset(); got != c.want {
				t.Errorf("charset %s, want %s", got, c.want)
			}
			if diff := cmp.Diff(c.text, m.Root().Text()); diff != "" {
				t.Errorf("body differs (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.text, m.Subject().Text); diff != "" {
				t.Errorf("subject differs (-want +got):\n%s", diff)
			}
		})
	}
}

// TestCharsets reads labelled text and what HTML says of itself.
func TestCharsets(t *testing.T) {
	for _, c := range []struct {
		name, contentType, body string
		want, charset           string
		defect                  eml.DefectCode
	}{
		{"None", "text/plain", "abc", "abc", "us-ascii", ""},
		{"UTF8", "text/plain; charset=utf-8", "日本", "日本", "utf-8", ""},
		{"UTF8Broken", "text/plain; charset=utf-8", "a\xffb", "a\uFFFDb", "utf-8", eml.MalformedCharset},
		{"UTF8MarkRemoved", "text/plain; charset=utf-8", "\xef\xbb\xbfa", "a", "utf-8", ""},
		{"UTF8MarkWins", "text/plain; charset=iso-8859-1", "\xef\xbb\xbfé", "é", "utf-8", ""},
		{"UTF16LittleEndianMark", "text/plain; charset=utf-16", "\xff\xfea\x00\xe5\x65", "a日", "utf-16", ""},
		{"UTF16BigEndianMark", "text/plain; charset=utf-16", "\xfe\xff\x00a\x65\xe5", "a日", "utf-16", ""},
		{"UTF16WithoutMark", "text/plain; charset=utf-16", "a\x00b\x00", "ab", "utf-16", ""},
		{"UTF16Label", "text/plain; charset=utf-16be", "\x00a\x65\xe5", "a日", "utf-16be", ""},
		{"UTF16LabelledUTF8", "text/plain; charset=utf-8", "\xff\xfea\x00", "a", "utf-16", ""},
		{"UTF16Unlabelled", "text/plain", "\xff\xfea\x00", "a", "utf-16", ""},
		{"UTF32", "text/plain; charset=utf-32", "\x00\x00\x00a", "a", "utf-32", ""},
		{"MetaCharset", "text/html", "<html><meta charset=\"shift_jis\"><p>\x93\xfa</p>", "<html><meta charset=\"shift_jis\"><p>日</p>", "shift_jis", ""},
		{"MetaHTTPEquiv", "text/html", "<META http-equiv=Content-Type content='text/html; CHARSET=euc-jp'>\xc6\xfc", "<META http-equiv=Content-Type content='text/html; CHARSET=euc-jp'>日", "euc-jp", ""},
		{"MetaUTF16IsUTF8", "text/html", "<meta charset=utf-16>日", "<meta charset=utf-16>日", "utf-8", ""},
		{"LabelBeforeMeta", "text/html; charset=utf-8", "<meta charset=euc-jp>日", "<meta charset=euc-jp>日", "utf-8", ""},
		{"NoMetaInPlainText", "text/plain", "<meta charset=koi8-r>\xe9", "<meta charset=koi8-r>é", "windows-1252", ""},
		{"UnknownCharset", "text/plain; charset=x-none", "abc", "abc", "us-ascii", eml.UnknownCharset},
		{"QuotedLabel", "text/plain; charset=\"'utf-8'\"", "日", "日", "utf-8", ""},
		{"ShiftJISUndefined", "text/plain; charset=shift_jis", "a\xff", "a\uFFFD", "shift_jis", eml.MalformedCharset},
		{"ISO2022KR", "text/plain; charset=iso-2022-kr", "\x1b$)C\x0e>H\x0f", "안", "iso-2022-kr", ""},
		{"HZ", "text/plain; charset=hz-gb-2312", "~{VPND~}", "中文", "hz-gb-2312", ""},
		{"UTF7", "text/plain; charset=unicode-1-1-utf-7", "+AGE-b+-", "ab+", "utf-7", ""},
		{"UTF7Surrogates", "text/plain; charset=utf-7", "+2EDcAA-", "𠀀", "utf-7", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := eml.Parse([]byte("Content-Type: "+c.contentType+"\r\n\r\n"+c.body), nil).Root()
			if diff := cmp.Diff(c.want, p.Text()); diff != "" {
				t.Errorf("text differs (-want +got):\n%s", diff)
			}
			if p.Charset() != c.charset {
				t.Errorf("charset %s, want %s", p.Charset(), c.charset)
			}
			var got eml.DefectCode
			for _, d := range p.Defects() {
				got = d.Code
			}
			if got != c.defect {
				t.Errorf("defect %q, want %q", got, c.defect)
			}
		})
	}
}
