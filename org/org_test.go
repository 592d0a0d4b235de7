package org_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/org"
)

func TestSettingKnowsWhetherItWasConfigured(t *testing.T) {
	for _, tc := range []struct {
		name    string
		setting org.Setting[[]string]
		want    []string
		set     bool
	}{
		{"Zero", org.Setting[[]string]{}, nil, false},
		{"Empty", org.Of([]string{}), []string{}, true},
		{"Nil", org.Of[[]string](nil), nil, true},
		{"Value", org.Of([]string{"a"}), []string{"a"}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, set := tc.setting.Get()
			if set != tc.set || tc.setting.Configured() != tc.set {
				t.Errorf("configured: %v and %v, want %v", set, tc.setting.Configured(), tc.set)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tc.want, tc.setting.Value()); diff != "" {
				t.Error(diff)
			}
		})
	}
	if v, set := org.Of(false).Get(); v || !set {
		t.Errorf("false and configured: %v, %v", v, set)
	}
}

func TestOwns(t *testing.T) {
	facts := &org.Facts{Domains: org.Of([]string{"kiso-works.example", "", "lab.kiso-works.example", "kiso-works.onmicrosoft.com"})}
	for _, tc := range []struct {
		name, domain, want string
	}{
		{"Exact", "kiso-works.example", "kiso-works.example"},
		{"Below", "mail.kiso-works.example", "kiso-works.example"},
		{"FarBelow", "a.b.c.kiso-works.example", "kiso-works.example"},
		{"MostExact", "x.lab.kiso-works.example", "lab.kiso-works.example"},
		{"Case", "Mail.KISO-Works.Example", "kiso-works.example"},
		{"TrailingDot", "kiso-works.example.", "kiso-works.example"},
		{"Tenant", "kiso-works.onmicrosoft.com", "kiso-works.onmicrosoft.com"},
		{"OtherTenant", "other.onmicrosoft.com", ""},
		{"EndsAlike", "notkiso-works.example", ""},
		{"Above", "example", ""},
		{"LeftLabel", "kiso-works.example.login-verify.test", ""},
		{"Empty", "", ""},
		{"Dot", ".", ""},
		{"TwoDots", "other.test..", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, ok := facts.Owns(tc.domain)
			if got != tc.want || ok != (tc.want != "") {
				t.Errorf("got %q, %v; want %q", got, ok, tc.want)
			}
		})
	}
}

func TestNothingIsOwnedWithoutFacts(t *testing.T) {
	var none *org.Facts
	for _, f := range []*org.Facts{none, {}, {Domains: org.Of([]string{})}} {
		if d, ok := f.Owns("kiso-works.example"); ok {
			t.Errorf("%+v owns %q", f, d)
		}
	}
}
