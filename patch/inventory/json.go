package inventory

import (
	"encoding/json"
	"fmt"
	"strings"
)

// json reads winget's export, the output of Get-WinGetPackage, and Graph's
// managedDevices.
func (r *reader) json(text string) error {
	text = strings.TrimRight(text, "\x00 \r\n\t")
	lines := lineCounter{text: text}
	if strings.HasPrefix(strings.TrimSpace(text), "[") {
		var list []json.RawMessage
		if err := json.Unmarshal([]byte(text), &list); err != nil {
			return fmt.Errorf("%w: %w", ErrJSON, err)
		}
		return r.objects(list, &lines)
	}
	var doc struct {
		Sources []struct {
			Packages []json.RawMessage `json:"Packages"`
		} `json:"Sources"`
		Value []json.RawMessage `json:"value"`
	}
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		return fmt.Errorf("%w: %w", ErrJSON, err)
	}
	switch {
	case doc.Sources != nil:
		r.inv.Format, r.inv.Sources = Winget, true
		for _, s := range doc.Sources {
			for _, p := range s.Packages {
				r.object(p, &lines)
			}
		}
		return nil
	case doc.Value != nil:
		return r.objects(doc.Value, &lines)
	}
	return r.objects([]json.RawMessage{json.RawMessage(text)}, &lines)
}

// object is an entry of any of the formats.
type object struct {
	// winget
	PackageIdentifier text `json:"PackageIdentifier"`
	Version           text `json:"Version"`
	ID                text `json:"Id"`
	Name              text `json:"Name"`
	InstalledVersion  text `json:"InstalledVersion"`
	// Graph
	DeviceName    text `json:"deviceName"`
	System        text `json:"operatingSystem"`
	SystemVersion text `json:"osVersion"`
	LastSync      text `json:"lastSyncDateTime"`
	User          text `json:"userPrincipalName"`
	SKU           text `json:"skuFamily"`
}

// text takes a string or a number for text, and anything else for none.
type text string

func (t *text) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err == nil {
		*t = text(s)
		return nil
	}
	var n json.Number
	if err := json.Unmarshal(b, &n); err == nil {
		*t = text(n)
	}
	return nil
}

func (r *reader) objects(list []json.RawMessage, lines *lineCounter) error {
	r.inv.Format = Unknown
	for i, raw := range list {
		if i == MaxRows {
			r.unread(lines.of(raw), TooManyRows, string(raw))
			break
		}
		r.object(raw, lines)
	}
	if r.inv.Format == Unknown {
		return ErrJSON
	}
	return nil
}

func (r *reader) object(raw json.RawMessage, lines *lineCounter) {
	line := lines.of(raw)
	var o object
	if err := json.Unmarshal(raw, &o); err != nil {
		r.unread(line, NotAnObject, string(raw))
		return
	}
	e := Entry{Line: line}
	long := false
	set := func(to *string, v text) {
		long = long || len(v) > maxCell
		*to = strings.TrimSpace(string(v))
	}
	switch {
	case o.System != "" || o.SystemVersion != "":
		r.inv.Format = Graph
		e.Kind = System
		set(&e.Device, o.DeviceName)
		set(&e.User, o.User)
		set(&e.Product, o.System)
		set(&e.Version, o.SystemVersion)
		set(&e.Edition, o.SKU)
		if o.LastSync != "" {
			var ok bool
			if e.LastSeen, ok = parseTime(string(o.LastSync), false, r.o.location()); !ok {
				r.doubt(line, BadDate, string(o.LastSync))
			}
		}
	case o.PackageIdentifier != "":
		r.inv.Format = Winget
		e.Kind = Software
		set(&e.ID, o.PackageIdentifier)
		set(&e.Version, o.Version)
	case o.ID != "" && (o.InstalledVersion != "" || o.Name != ""):
		r.inv.Format = Winget
		e.Kind = Software
		set(&e.ID, o.ID)
		set(&e.Product, o.Name)
		set(&e.Version, o.InstalledVersion)
	default:
		r.unread(line, NotAnObject, string(raw))
		return
	}
	if long {
		r.unread(line, TooLong, string(raw))
		return
	}
	if e.Kind == Software && r.o != nil {
		e.Device = r.o.Device
	}
	r.add(e, string(raw))
}

// lineCounter finds the line of an entry. Entries come in the order of the file.
type lineCounter struct {
	text string
	at   int
	line int
}

func (l *lineCounter) of(raw json.RawMessage) int {
	i := strings.Index(l.text[l.at:], string(raw))
	if i < 0 {
		return l.line + 1
	}
	l.line += strings.Count(l.text[l.at:l.at+i], "\n")
	n := l.line + 1
	l.line += strings.Count(string(raw), "\n")
	l.at += i + len(raw)
	return n
}
