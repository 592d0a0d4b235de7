package advisory_test

import (
	"errors"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/advisory"
)

func TestLure(t *testing.T) {
	for _, tc := range []struct {
		name, title, text string
		want              string // English name; empty for none
	}{
		{"None", "Firewall flaw", "An update is out.", ""},
		{"English", "New wave of mails", "They pose as a Voicemail.", "voicemail notices"},
		{"Japanese", "不審なメール", "「行動規範」に反したと告げる。", "code of conduct notices"},
		{"TitleCountsMore", "Fake invoice", "A voicemail, then another voicemail.", "invoices"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, ok := advisory.Default().Lure(tc.title, tc.text)
			if diff := cmp.Diff(tc.want, got.Name.EN); diff != "" || ok != (tc.want != "") {
				t.Errorf("ok %v, name (-want +got):\n%s", ok, diff)
			}
		})
	}
}

func TestLurePoses(t *testing.T) {
	got, _ := advisory.Default().Lure("給与の通知を装うメール", "")
	if got.Poses.JA == "" || got.Poses.EN == "" {
		t.Errorf("nobody is posed as: %+v", got)
	}
}

func TestBadLures(t *testing.T) {
	for name, text := range map[string]string{
		"Twice":       "- {id: a, words: [x], ja: あ, en: a}\n- {id: a, words: [y], ja: い, en: b}\n",
		"OneLanguage": "- {id: a, words: [x], ja: あ}\n",
		"NoWords":     "- {id: a, ja: あ, en: a}\n",
		"UpperCase":   "- {id: a, words: [Fax], ja: あ, en: a}\n",
	} {
		t.Run(name, func(t *testing.T) {
			fsys := fstest.MapFS{
				"actions.yaml": {Data: []byte("[]")}, "techniques.yaml": {Data: []byte("[]")}, "lures.yaml": {Data: []byte(text)},
			}
			if _, err := advisory.Load(fsys); !errors.Is(err, advisory.ErrTemplate) {
				t.Errorf("got %v, want ErrTemplate", err)
			}
		})
	}
}
