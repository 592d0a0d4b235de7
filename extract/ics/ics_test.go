package ics_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/extract/ics"
)

const invitation = "BEGIN:VCALENDAR\r\nPRODID:-//Kiso//Desk//EN\r\nMETHOD:REQUEST\r\n" +
	"BEGIN:VEVENT\r\nUID:1@kiso.example\r\nSUMMARY;LANGUAGE=ja:支払い\\, 確認\r\n" +
	"DESCRIPTION:Open\\nhttps://pay.exam\r\n ple/x\\;y\r\n" +
	"ORGANIZER;CN=\"Sato; Hanako\":mailto:hanako@kiso.example\r\n" +
	"BEGIN:VALARM\r\nACTION:DISPLAY\r\nEND:VALARM\r\n" +
	"ATTACH;ENCODING=BASE64;VALUE=BINARY;X-FILENAME=a.txt:aGVs\r\n bG8=\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"

func TestRead(t *testing.T) {
	c := ics.Read(invitation, nil)
	want := &ics.Calendar{
		Properties: []ics.Property{{Name: "PRODID", Value: "-//Kiso//Desk//EN"}, {Name: "METHOD", Value: "REQUEST"}},
		Components: []ics.Component{
			{Name: "VEVENT", Properties: []ics.Property{
				{Name: "UID", Value: "1@kiso.example"},
				{Name: "SUMMARY", Params: []ics.Param{{Name: "LANGUAGE", Value: "ja"}}, Value: `支払い\, 確認`},
				{Name: "DESCRIPTION", Value: `Open\nhttps://pay.example/x\;y`},
				{Name: "ORGANIZER", Params: []ics.Param{{Name: "CN", Value: "Sato; Hanako"}}, Value: "mailto:hanako@kiso.example"},
				{Name: "ATTACH", Params: []ics.Param{{Name: "ENCODING", Value: "BASE64"}, {Name: "VALUE", Value: "BINARY"}, {Name: "X-FILENAME", Value: "a.txt"}}, Value: "aGVsbG8="},
			}},
			{Name: "VALARM", Depth: 1, Properties: []ics.Property{{Name: "ACTION", Value: "DISPLAY"}}},
		},
	}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Fatal(diff)
	}
	e := &c.Components[0]
	if got, want := e.Get("DESCRIPTION").Text(), "Open\nhttps://pay.example/x;y"; got != want {
		t.Errorf("text is %q, want %q", got, want)
	}
	if got := e.Get("ORGANIZER").Param("CN"); got != "Sato; Hanako" {
		t.Errorf("CN is %q", got)
	}
	if got := string(e.Get("ATTACH").Content()); got != "hello" {
		t.Errorf("the attachment is %q", got)
	}
	if e.Get("LOCATION") != nil || e.Get("UID").Content() != nil {
		t.Error("something that is not there")
	}
}

func TestBroken(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     []string
	}{
		{"BareLineFeeds", "BEGIN:VEVENT\nSUMMARY:a\n b\nEND:VEVENT\n", []string{"VEVENT 0 SUMMARY"}},
		{"NoEnd", "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1", []string{"VEVENT 0 UID"}},
		{"EndsThatDoNotFit", "END:VEVENT\nBEGIN:VTODO\nEND:VEVENT\nBEGIN:VEVENT\nUID:1\n", []string{"VTODO 0", "VEVENT 0 UID"}},
		{"NoColon", "BEGIN:VEVENT\nSUMMARY;A=\"b\nUID:1", []string{"VEVENT 0 UID"}},
		{"Empty", "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, x := range ics.Read(c.in, nil).Components {
				words := []string{x.Name, strconv.Itoa(x.Depth)}
				for _, p := range x.Properties {
					words = append(words, p.Name)
				}
				got = append(got, strings.Join(words, " "))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBounds(t *testing.T) {
	c := ics.Read(strings.Repeat("BEGIN:VEVENT\nEND:VEVENT\n", ics.MaxComponents+1), nil)
	if len(c.Components) != ics.MaxComponents || !c.Truncated {
		t.Errorf("%d components, truncated %v", len(c.Components), c.Truncated)
	}
	if c := ics.Read(strings.Repeat("BEGIN:VEVENT\n", 100), nil); len(c.Components) > 10 || !c.Truncated {
		t.Errorf("%d components in each other, truncated %v", len(c.Components), c.Truncated)
	}
	if c := ics.Read(invitation, &budget.Budget{Cost: 10}); len(c.Components) != 0 || !c.Truncated {
		t.Error("read without a budget")
	}
}

func FuzzRead(f *testing.F) {
	f.Add(invitation)
	f.Add("BEGIN:VEVENT\nA;B=\"C:D\n E")
	f.Fuzz(func(t *testing.T, in string) {
		c := ics.Read(in, nil)
		for _, x := range c.Components {
			for _, p := range x.Properties {
				p.Text()
				p.Content()
				if p.Name == "" || strings.ContainsAny(p.Name, ":;\n") {
					t.Errorf("name %q", p.Name)
				}
			}
		}
	})
}
