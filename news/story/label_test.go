package story_test

import (
	"bufio"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news"
	"github.com/sekisho/sekisho/news/story"
)

// labelled is an item of the labelled set.
type labelled struct {
	ID        string    `json:"id"`
	Source    string    `json:"source"`
	Lang      string    `json:"lang"`
	Published time.Time `json:"published"`
	Title     string    `json:"title"`
	Text      string    `json:"text"`
	Story     string    `json:"story"`
	Roundup   bool      `json:"roundup"`
}

func labels(t testing.TB) []labelled {
	t.Helper()
	f, err := os.Open("../testdata/cluster/items.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var list []labelled
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		var l labelled
		if err := json.Unmarshal(s.Bytes(), &l); err != nil {
			t.Fatal(err)
		}
		list = append(list, l)
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

func (l *labelled) item() *news.Item {
	return &news.Item{
		ID: news.ItemID(l.ID), Source: l.Source, Key: l.ID, Kind: news.Article, Title: l.Title, Text: l.Text, Lang: lang.Language(l.Lang),
		Published: l.Published, CVEs: news.CVEs(l.Title, l.Text),
	}
}

// TestLabelled measures the stories against the labels, pair by pair.
func TestLabelled(t *testing.T) {
	list := labels(t)
	var items []*news.Item
	byID := map[string]*labelled{}
	for i := range list {
		items = append(items, list[i].item())
		byID[list[i].ID] = &list[i]
	}
	stories := story.Cluster(items, nil)
	found := map[string]string{}
	roundup := map[string]bool{}
	why := map[[2]string]story.Link{}
	for _, s := range stories {
		for _, it := range s.Items {
			found[string(it)] = s.ID
			roundup[string(it)] = s.Roundup
		}
		for _, l := range s.Links {
			why[[2]string{string(l.A), string(l.B)}] = l
		}
	}
	type score struct{ hit, wrong, missed int }
	scores := map[string]*score{"ja": {}, "en": {}, "cross": {}, "all": {}}
	for i := range list {
		for j := i + 1; j < len(list); j++ {
			a, b := &list[i], &list[j]
			same := a.Story != "" && a.Story == b.Story
			joined := found[a.ID] == found[b.ID]
			kind := a.Lang
			if a.Lang != b.Lang {
				kind = "cross"
			}
			for _, s := range [...]*score{scores[kind], scores["all"]} {
				switch {
				case same && joined:
					s.hit++
				case joined:
					s.wrong++
				case same:
					s.missed++
				}
			}
			if joined && !same && testing.Verbose() {
				t.Logf("WRONG %s %q [%s]\n      %s %q [%s] %+v", a.ID, a.Title, a.Story, b.ID, b.Title, b.Story, why[[2]string{a.ID, b.ID}])
			}
			if same && !joined && testing.Verbose() {
				t.Logf("MISSED %s %q\n       %s %q [%s]", a.ID, a.Title, b.ID, b.Title, a.Story)
			}
		}
	}
	for _, k := range [...]string{"ja", "en", "cross", "all"} {
		s := scores[k]
		precision, recall := float64(s.hit)/float64(max(s.hit+s.wrong, 1)), float64(s.hit)/float64(max(s.hit+s.missed, 1))
		if precision < 0.9 || recall < 0.9 {
			t.Errorf("%s: precision and recall of 0.9 are asked for", k)
		}
		t.Logf("%-5s precision %.3f, recall %.3f (%d right, %d wrong, %d missed)", k, precision, recall, s.hit, s.wrong, s.missed)
	}
	for i := range list {
		if list[i].Roundup != roundup[list[i].ID] {
			t.Errorf("roundup %v, want %v: %s %q", roundup[list[i].ID], list[i].Roundup, list[i].ID, list[i].Title)
		}
	}
}
