package lists_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/lists"
)

func TestMailServices(t *testing.T) {
	list := lists.MailServices().Entries()
	if len(list) < 60 {
		t.Errorf("%d services", len(list))
	}
	for _, e := range list {
		if len(e.DKIM)+len(e.SPF)+len(e.PTR)+len(e.Networks) == 0 {
			t.Errorf("%s cannot be told by anything", e.ID)
		}
		if _, err := time.Parse(time.DateOnly, e.Date); err != nil || !strings.HasPrefix(e.Source, "https://") {
			t.Errorf("%s has no source or date: %q, %q", e.ID, e.Source, e.Date)
		}
		for _, n := range append(append(e.DKIM, e.SPF...), e.PTR...) {
			if slices.Contains([]domain.Name{"co.jp", "ne.jp", "or.jp", "com", "net", "jp"}, n) {
				t.Errorf("%s claims %s", e.ID, n)
			}
		}
	}
}
